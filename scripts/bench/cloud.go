package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// The bucket of a stand-in for Google Cloud Storage, and what it holds.
const (
	cloudBucket    = "bench"
	cloudSnapshots = "snapshots"
	cloudPublished = "churntier"
)

// prepareGCS also writes the config of the night from the cloud to the cloud.
func prepareGCS(ctx context.Context, b *bench, n *night) error {
	if err := prepareJ1(ctx, b, n); err != nil {
		return err
	}
	text := n.threeAudiences("model.json", "gs://"+cloudBucket+"/"+cloudSnapshots, "gs://"+cloudBucket+"/"+cloudPublished)
	if err := os.WriteFile(n.cloudConfig(), []byte(text), 0o600); err != nil {
		return err
	}
	return run(exec.CommandContext(ctx, "go", "build", "-o", b.fakegcs(), "./scripts/fakegcs"))
}

func (n *night) cloudConfig() string { return filepath.Join(n.dir, "cloud.yaml") }

func (b *bench) fakegcs() string { return filepath.Join(b.dir, "fakegcs") }

// measureGCS measures a night from the cloud to the cloud beside the same night on
// local files, and beside the transfer of the same bytes alone.
func measureGCS(ctx context.Context, b *bench, n *night) (all []*contender, err error) {
	c, err := startCloud(ctx, b.fakegcs())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	threads := strconv.Itoa(b.threads)
	transfer := func(args ...string) []string {
		return append([]string{b.self, transferCommand, threads}, args...)
	}
	partition := "dt=" + today
	if err := c.run(ctx, transfer("up", filepath.Join(n.dir, "snapshots", partition), cloudSnapshots+"/"+partition)); err != nil {
		return nil, err
	}
	// What is published of yesterday is there before each round, and nothing else.
	reset := func(ctx context.Context) error {
		return errors.Join(c.run(ctx, transfer("clear", cloudPublished)), c.run(ctx, transfer("up", n.before("churntier"), cloudPublished)))
	}
	local := b.ours(n, "churntier", n.before("churntier"))[0]
	local.name = "churntier on local files"
	ours := &contender{name: "churntier in the cloud", args: slices.Clone(local.args), env: c.environment(), reset: reset}
	ours.args[slices.Index(ours.args, n.config())] = n.cloudConfig()
	alone := &contender{
		name: "the transfer alone", env: c.environment(), reset: reset,
		args: transfer("down", cloudSnapshots, "up", filepath.Join(local.out, "runs", today), cloudPublished+"/alone"),
	}
	all = []*contender{ours, local, alone}
	return all, b.measure(ctx, n, all)
}

// cloud is a running scripts/fakegcs.
type cloud struct {
	server *exec.Cmd
	url    string
}

func startCloud(ctx context.Context, program string) (*cloud, error) {
	c := &cloud{server: exec.CommandContext(ctx, program, "--bucket", cloudBucket)}
	out, err := c.server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.server.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s says no address: %w", program, err), c.stop())
	}
	c.url = strings.TrimSpace(line)
	return c, nil
}

func (c *cloud) stop() error {
	return errors.Join(c.server.Process.Signal(syscall.SIGTERM), c.server.Wait())
}

func (c *cloud) environment() []string { return []string{"STORAGE_EMULATOR_HOST=" + c.url} }

func (c *cloud) run(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), c.environment()...)
	return run(cmd)
}

// printCloud prints what is asked of a night in the cloud: its wall over the longer
// of the two that it is made of.
func printCloud(_ context.Context, _ *bench, _ *night, all []*contender) error {
	var ratios []float64
	for i, s := range all[0].runs {
		ratios = append(ratios, s.wall/max(all[1].runs[i].wall, all[2].runs[i].wall))
	}
	fmt.Printf("\nwall over the longer of the local night and the transfer alone: %.2f\n", median(ratios))
	return nil
}

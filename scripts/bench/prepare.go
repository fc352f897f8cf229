package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

const peers = "scripts/peers"

// prepare builds the programs that are measured.
func (b *bench) prepare(ctx context.Context) (err error) {
	if _, err := os.Stat(filepath.Join(peers, "node_modules")); err != nil {
		return fmt.Errorf("run %s/install first, and bench from the root of the project: %w", peers, err)
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	b.churntier = filepath.Join(b.dir, "churntier")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.churntier, "./cmd/churntier")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the image is built
	return run(build)
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// twoSnapshots writes those of yesterday and today.
func (b *bench) twoSnapshots(ctx context.Context, n *night) error {
	for drift, date := range []string{yesterday, today} {
		if err := b.makeSnapshot(ctx, n, date, drift); err != nil {
			return err
		}
	}
	return nil
}

// makeSnapshot writes the snapshot of a date, unless it is there.
func (b *bench) makeSnapshot(ctx context.Context, n *night, date string, drift int) error {
	if _, err := os.Stat(filepath.Join(n.dir, "snapshots", "dt="+date, "_SUCCESS")); err == nil {
		return nil
	}
	return run(exec.CommandContext(ctx, "node", filepath.Join(peers, "gen.js"), n.dir, "--users", strconv.Itoa(n.users),
		"--files", strconv.Itoa(max(1, n.users/1_250_000)), "--codec", n.codec, "--threads", strconv.Itoa(b.threads),
		"--date", date, "--night", strconv.Itoa(drift)))
}

// writeConfig writes churntier's config of the job.
func (n *night) writeConfig(text string) error {
	return os.WriteFile(n.config(), []byte(text), 0o600)
}

func (n *night) config() string { return filepath.Join(n.dir, "bench.yaml") }

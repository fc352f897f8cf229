//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/delivery"
)

// bench is a folder with two nights and what is delivered of them.
type bench struct {
	command
	folder     string
	nights     []string // the day before yesterday, and yesterday
	deliveries []delivered
}

// delivered is one delivery, which is measured on both nights.
type delivered struct {
	name   string
	tool   tool
	memory string
}

// newBench builds the binary, and writes the nights and the configs.
func newBench(c command, folder string) (*bench, error) {
	now := time.Now().UTC()
	b := &bench{command: c, nights: []string{now.AddDate(0, 0, -2).Format(time.DateOnly), now.AddDate(0, 0, -1).Format(time.DateOnly)}}
	var err error
	if b.folder, err = filepath.Abs(folder); err != nil {
		return nil, err
	}
	if err := os.Mkdir(b.path("temp"), 0o700); err != nil {
		return nil, err
	}
	for round := range c.Rounds {
		for _, t := range tools {
			for _, memory := range c.Memory {
				name := strings.ToLower(fmt.Sprintf("%s-%s-%d", t.destination, memory, round))
				b.deliveries = append(b.deliveries, delivered{name, t, memory})
			}
		}
	}
	for _, d := range b.deliveries {
		text := fmt.Sprintf(config, d.name, d.tool.destination, d.tool.columns)
		if err := os.WriteFile(b.config(d), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if _, err := output(exec.Command("go", "build", "-o", b.path("churntier"), "github.com/churntier/churntier/cmd/churntier")); err != nil {
		return nil, err
	}
	return b, b.writeNights()
}

func (b *bench) path(elements ...string) string {
	return filepath.Join(append([]string{b.folder}, elements...)...)
}

// config is the path of the config that has only this delivery.
func (b *bench) config(d delivered) string { return b.path(d.name + ".yaml") }

// publish publishes a night, without delivering it.
func (b *bench) publish(at int) error {
	_, err := output(exec.Command(b.path("churntier"), "run", "--no-deliver", "--quiet", "--temp", b.path("temp"),
		"--date", b.nights[at], "-c", b.config(b.deliveries[0])))
	return err
}

// deliver delivers what is published last.
func (b *bench) deliver(d delivered) (*delivery.Intent, usage, error) {
	cmd := exec.Command(b.path("churntier"), "deliver", "--json", "--memory", d.memory, "--temp", b.path("temp"), "-c", b.config(d))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	used, err := watch(cmd, b.path("temp"))
	var said struct{ Deliveries []*delivery.Outcome }
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &said)
	}
	if err == nil && (len(said.Deliveries) != 1 || said.Deliveries[0].Did != delivery.DidDeliver) {
		err = fmt.Errorf("did not deliver")
	}
	if err != nil {
		return nil, used, fmt.Errorf("%v: %w: %s%s", cmd, err, stdout.Bytes(), stderr.Bytes())
	}
	return said.Deliveries[0].Intent, used, nil
}

// output runs a command and gives what it prints.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w: %s%s", cmd, err, out, stderr.Bytes())
	}
	return out, nil
}

// sql runs statements in DuckDB and reads the rows of the last one.
func (b *bench) sql(statements string, rows any) error {
	cmd := exec.Command("node", filepath.Join(b.Peers, "sql.js"))
	cmd.Stdin = strings.NewReader(statements)
	out, err := output(cmd)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, rows)
}

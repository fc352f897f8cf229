//go:build linux

// Command killer kills the real binary with SIGKILL, at every stage of a run, while
// two of them work on the same night, and holds what is left in the store to the
// promises of publication. It prints the kills of every stage and what it found, and
// fails when anything was torn, lost or published twice.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"
)

type command struct {
	Store string `enum:"local,gcs" default:"local" help:"Where to publish: local files, or an emulator of Google Cloud Storage in its own process."`
	Kills int    `default:"1000" help:"How many processes to kill, at least."`
	Seed  uint64 `default:"1" help:"Of the choices."`
}

func main() {
	var c command
	ctx := kong.Parse(&c, kong.Name("killer"), kong.Description("Kill churntier at every stage and look at what is left."))
	ctx.FatalIfErrorf(c.run())
}

var errFound = errors.New("promises were broken")

func (c command) run() (err error) {
	start := time.Now()
	folder, err := os.MkdirTemp("", "killer-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	l, err := newLab(folder)
	if err != nil {
		return err
	}
	homes, stop, err := l.homes(c.Store)
	if err != nil {
		return err
	}
	defer stop()
	campaign := newCampaign(l, homes, c.Seed)
	if err := campaign.run(c.Kills); err != nil {
		return err
	}
	campaign.print(os.Stdout)
	fmt.Printf("%s, seed %d, %.0f s\n", c.Store, c.Seed, time.Since(start).Seconds())
	if few := campaign.scarce(); len(few) > 0 || len(campaign.violations) > 0 {
		return fmt.Errorf("%w; too few kills in %v", errFound, few)
	}
	return nil
}

// homes gives the fresh places of a store, one after the other.
func (l *lab) homes(store string) (next func() place, stop func(), err error) {
	name := func() string { l.places++; return fmt.Sprintf("home-%d", l.places) }
	if store == "local" {
		return func() place { return localPlace{filepath.Join(l.folder, name()), l.snapshots} }, func() {}, nil
	}
	c, err := l.startCloud()
	if err != nil {
		return nil, nil, err
	}
	return func() place { return cloudPlace{c, name()} }, c.stop, nil
}

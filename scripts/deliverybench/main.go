//go:build linux

// Command deliverybench measures deliveries of many users with the real binary:
//
//	go run ./scripts/deliverybench --users 10000000
//
// DuckDB writes two nights. The first is published and delivered whole to three
// tools, with each of the memories asked for; then the second, of which the tools get
// what changed. What every tool received, and what the delivery says of it, is held
// against SQL over the published files and the snapshots.
//
// It prints wall, processor time and peak memory of every delivery, and how much of
// its temporary files there was at once, and exits with 1 where anything differs.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

type command struct {
	Users  int      `default:"10000000" help:"Users of a night. A tenth of them is in the audience."`
	Memory []string `default:"256MiB,16MiB" help:"What each delivery is measured with as --memory."`
	Rounds int      `default:"1" help:"How often each delivery is measured."`
	Folder string   `default:"." help:"Where the nights are kept while this lasts, some 300 bytes a user."`
	Peers  string   `default:"scripts/peers" help:"Where scripts/peers/install put DuckDB."`
}

func main() {
	var c command
	ctx := kong.Parse(&c, kong.Name("deliverybench"), kong.Description("Measure deliveries of many users."))
	ctx.FatalIfErrorf(c.run(os.Stdout))
}

const header = "| destination | `--memory` | delivery | rows | wall | CPU | peak memory | temporary files |\n|---|---|---|---:|---:|---:|---:|---:|\n"

// run measures every delivery of both nights.
func (c command) run(out io.Writer) (err error) {
	folder, err := os.MkdirTemp(c.Folder, "deliverybench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	b, err := newBench(c, folder)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprint(out, header)
	for at := range b.nights {
		if err := b.publish(at); err != nil {
			return err
		}
		for _, d := range b.deliveries {
			if err := b.measure(out, d, at); err != nil {
				return fmt.Errorf("%s of %s: %w", d.name, b.nights[at], err)
			}
		}
	}
	return nil
}

// measure makes one delivery of one night, checks it and prints what it took.
func (b *bench) measure(out io.Writer, d delivered, at int) error {
	sent, used, err := b.deliver(d)
	if err != nil {
		return err
	}
	rows, err := b.check(d, at, sent)
	const mebibyte = 1 << 20
	_, _ = fmt.Fprintf(out, "| %s | %s | %s | %d | %.1f s | %.1f s | %d MiB | %d MiB |\n", d.tool.destination, d.memory, sent.Kind, rows,
		used.wall.Seconds(), used.processor.Seconds(), used.peak/mebibyte, used.temporary/mebibyte)
	return err
}

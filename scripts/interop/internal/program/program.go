// Package program is what the interop programs have in common: their command
// line. Each brings a Peer, which is one Parquet library.
package program

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/scripts/interop/internal/tally"
	"github.com/churntier/churntier/scripts/interop/internal/upstream"
)

// Peer writes and reads Parquet files with one library. Its functions may panic:
// the libraries do on files they do not understand.
type Peer struct {
	Name  string
	About string
	Write func(path string, users []upstream.User) error
	Read  func(path string) (*tally.Table, error)
}

// marker is the object that says a snapshot is complete.
const marker = "_SUCCESS"

type commands struct {
	Write write `cmd:"" help:"Write a snapshot as an upstream team would: DIR/dt=DATE/part-0000N.parquet, then the marker."`
	Read  read  `cmd:"" help:"Read files whole; print rows, sums, checksums and nulls of every column as JSON, for each file and in total."`
}

type write struct {
	Dir   string    `arg:"" help:"Folder of the snapshots."`
	Date  date.Date `default:"2026-11-22" help:"Night of the snapshot."`
	Users int       `default:"3000" help:"About how many users exist on any night."`
	Seed  uint64    `default:"1" help:"Same seed, same bytes."`
	Parts int       `default:"3" help:"Number of part files."`
	Spoil bool      `help:"Add odd texts, nulls, duplicates, bad ids and bad scores."`
}

type read struct {
	Files []string `arg:"" help:"Parquet files."`
}

// Main parses the command line and runs it. It does not return on an error.
func Main(peer Peer) {
	var c commands
	ctx := kong.Parse(&c, kong.Name(peer.Name), kong.Description(peer.About))
	ctx.FatalIfErrorf(ctx.Run(peer))
}

// Validate is called by kong.
func (w write) Validate() error {
	switch {
	case w.Users < 1 || w.Users > 10_000_000:
		return fmt.Errorf("--users %d: want 1 to 10000000", w.Users)
	case w.Spoil && w.Users < 1500:
		return fmt.Errorf("--spoil with --users %d: want 1500 or more", w.Users)
	case w.Parts < 1 || w.Parts > 1000:
		return fmt.Errorf("--parts %d: want 1 to 1000", w.Parts)
	}
	return nil
}

// Run writes the snapshot. An older one of the same night is replaced.
func (w write) Run(peer Peer) error {
	users := upstream.Night(w.Date, w.Users, w.Seed)
	if w.Spoil {
		users = upstream.Spoil(users)
	}
	folder := filepath.Join(w.Dir, "dt="+w.Date.String())
	if err := empty(folder); err != nil {
		return err
	}
	for i := range w.Parts {
		part := users[len(users)*i/w.Parts : len(users)*(i+1)/w.Parts]
		path := filepath.Join(folder, fmt.Sprintf("part-%05d.parquet", i))
		if err := guard("write", path, func() error { return peer.Write(path, part) }); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, marker), nil, 0o644)
}

// empty makes the folder and removes an older snapshot from it, marker first.
func empty(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	parts, err := filepath.Glob(filepath.Join(folder, "part-*.parquet"))
	if err != nil {
		return err
	}
	for _, path := range append([]string{filepath.Join(folder, marker)}, parts...) {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// Run reads the files and prints their tallies.
func (r read) Run(peer Peer) error {
	out := struct {
		Files []*tally.Table `json:"files"`
		Total *tally.Table   `json:"total"`
	}{Total: tally.New("")}
	for _, path := range r.Files {
		var table *tally.Table
		err := guard("read", path, func() (err error) { table, err = peer.Read(path); return err })
		if err != nil {
			return err
		}
		if err := out.Total.Add(table); err != nil {
			return err
		}
		out.Files = append(out.Files, table)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// guard runs a function of a library; a panic of it becomes an error.
func guard(verb, path string, run func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the library panicked: %v", r)
		}
		if err != nil {
			err = fmt.Errorf("%s %s: %w", verb, path, err)
		}
	}()
	return run()
}

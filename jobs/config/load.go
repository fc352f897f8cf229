package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const maxBytes = 1 << 20

// Options are what a command line and an environment add to a config file.
type Options struct {
	Set    []string                 // key.path=value, applied in order
	Getenv func(name string) string // for ${NAME} in urls; nil = os.Getenv
}

// Load reads and checks the config file at path. Every error is an ErrConfig and
// lists all faults, as Faults.
func Load(path string, o Options) (*Config, error) {
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, whole(path, "found no working folder: "+err.Error(), "the absolute path of a config file")
	}
	content, err := read(path)
	if err != nil {
		return nil, err
	}
	r := &reading{report: newReport(path, content), folder: folder, getenv: o.Getenv}
	if r.getenv == nil {
		r.getenv = os.Getenv
	}
	c, err := r.load(content, o.Set)
	if err != nil {
		return nil, err
	}
	c.Path, c.Warnings = path, r.warnings
	return c, nil
}

// load goes from the text of the file to a Config.
func (r *reading) load(content string, set []string) (*Config, error) {
	lines := source{report: r.report, text: content, at: func(n int) place { return place{line: n} }}
	root := lines.parse()
	if root == nil {
		return nil, r.err()
	}
	if root.form == nothing {
		root.form = mapping
	}
	if root.form == mapping {
		root.at = place{}
		for _, flag := range set {
			r.override(root, flag)
		}
	}
	table.read(r, "", root)
	if err := r.err(); err != nil {
		return nil, err
	}
	return decode(root), nil
}

// read gives the text of the file with plain line ends and without a byte order
// mark.
func read(path string) (string, error) {
	const expected = "a YAML config file"
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", whole(path, "no such file", expected)
	}
	if err != nil {
		return "", whole(path, "cannot be opened: "+err.Error(), expected)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	switch {
	case err != nil:
		return "", whole(path, "cannot be read: "+err.Error(), expected)
	case len(content) > maxBytes:
		return "", whole(path, fmt.Sprintf("found more than %d bytes", maxBytes), expected)
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	return strings.ReplaceAll(string(content), "\r\n", "\n"), nil
}

// whole gives the only fault of a file that could not be read.
func whole(path, found, expected string) error {
	return Faults{{File: path, Found: found, Expected: expected}}
}

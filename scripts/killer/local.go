//go:build linux

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// place is a store below one publish.url.
type place interface {
	url() string
	// start starts a command and tells see of each of its operations. finish
	// returns when no operation of the dead process is under way.
	start(cmd *exec.Cmd, see func(operation) bool) (finish func(), err error)
	// objects reads all that is there.
	objects() (map[string][]byte, error)
}

// localPlace is a folder. Its processes are held before each system call that
// touches a file.
type localPlace struct {
	folder    string
	snapshots string
}

func (p localPlace) url() string { return p.folder }

func (p localPlace) start(cmd *exec.Cmd, see func(operation) bool) (func(), error) {
	return hold(cmd, func(c call) bool {
		o := operation{verb: c.verb, writes: c.writes}
		if key, ok := under(p.snapshots, c.path); ok {
			o.key, o.input = key, true
			return see(o)
		}
		key, ok := under(p.folder, c.path)
		if !ok {
			return true
		}
		o.key = key
		return see(o)
	})
}

// under gives the path relative to a folder, if it lies in it.
func under(folder, path string) (string, bool) {
	if path == folder {
		return "", true
	}
	return strings.CutPrefix(path, folder+"/")
}

func (p localPlace) objects() (map[string][]byte, error) {
	all := map[string][]byte{}
	if _, err := os.Stat(p.folder); errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	err := filepath.WalkDir(p.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		key, _ := under(p.folder, path)
		all[key], err = os.ReadFile(path)
		return err
	})
	return all, err
}

package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Sweep implements objstore.Sweeper: it removes temporary files, and folders that
// hold nothing, below prefix. It counts the files.
func (d *Driver) Sweep(ctx context.Context, prefix string, before time.Time) (int, error) {
	root, err := d.openRoot()
	if errors.Is(err, objstore.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closeRead(root)
	s := &sweep{ctx: ctx, root: root, before: before}
	err = s.folder(path.Clean(prefix))
	return s.removed, kindOfRead(err)
}

type sweep struct {
	ctx     context.Context
	root    *os.Root
	before  time.Time
	removed int
}

// folder sweeps what a folder holds; links are not followed.
func (s *sweep) folder(name string) error {
	names, err := namesIn(s.root, name)
	if err != nil {
		return err
	}
	for _, n := range names {
		err := s.ctx.Err()
		if err == nil {
			err = s.entry(path.Join(name, n))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entry sweeps a file or folder. What is gone already is no error.
func (s *sweep) entry(name string) error {
	info, err := s.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	old := info.ModTime().Before(s.before)
	switch {
	case info.IsDir():
		return s.emptied(name, old)
	case !old || !strings.HasPrefix(path.Base(name), objstore.TemporaryPrefix):
		return nil
	}
	err = s.root.Remove(name)
	if err == nil {
		s.removed++
	}
	return ignoreMissing(err)
}

// emptied sweeps a folder and then removes it, if it was old and is empty: the
// system refuses to remove one that is not.
func (s *sweep) emptied(name string, old bool) error {
	err := s.folder(name)
	if errors.Is(err, objstore.ErrNotExist) {
		return nil
	}
	if err == nil && old {
		_ = s.root.Remove(name)
	}
	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

package file

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// makeRoot opens the folder of the driver, which it makes if it is missing.
func (d *Driver) makeRoot() (*os.Root, error) {
	root, err := os.OpenRoot(d.root)
	if !errors.Is(err, fs.ErrNotExist) {
		return root, err
	}
	if err := os.MkdirAll(d.root, 0o700); err != nil {
		return nil, err
	}
	if err := syncPath(filepath.Dir(d.root)); err != nil {
		return nil, err
	}
	return os.OpenRoot(d.root)
}

// makeFolder makes a folder and those above it, each durable before the next.
func makeFolder(root *os.Root, folder string) error {
	err := root.Mkdir(folder, 0o700)
	switch {
	case err == nil:
		return syncFolder(root, path.Dir(folder))
	case errors.Is(err, fs.ErrExist):
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := makeFolder(root, path.Dir(folder)); err != nil {
		return err
	}
	return makeFolder(root, folder)
}

// syncFolder makes the names of a folder durable.
func syncFolder(root *os.Root, folder string) error {
	f, err := root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncPath(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

package spill

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// disk is what a temporary file needs of *os.File.
type disk interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// File is a temporary file without a name: it is gone when it is closed or when
// the process ends. Its methods may be called concurrently. Errors name the
// folder, never the file, and say what to do.
type File struct {
	dir  string
	disk disk
}

// Create makes an empty temporary file in an existing folder.
func Create(dir string) (*File, error) {
	d, err := createUnnamed(dir)
	if err != nil {
		return nil, fail(dir, "create", err)
	}
	return &File{dir: dir, disk: d}, nil
}

// ReadAt fills p with the bytes from offset on; less than that is an error.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.disk.ReadAt(p, offset)
	if n == len(p) {
		return n, nil
	}
	return n, fail(f.dir, "read", err)
}

// WriteAt writes p whole, or fails.
func (f *File) WriteAt(p []byte, offset int64) (int, error) {
	n, err := f.disk.WriteAt(p, offset)
	if err != nil {
		return n, fail(f.dir, "write", err)
	}
	return n, nil
}

// Truncate makes the file size bytes long; bytes never written read as zeros
// and take no space where the file system knows holes.
func (f *File) Truncate(size int64) error {
	if err := f.disk.Truncate(size); err != nil {
		return fail(f.dir, "resize", err)
	}
	return nil
}

// Close gives the disk space back.
func (f *File) Close() error {
	if err := f.disk.Close(); err != nil {
		return fail(f.dir, "close", err)
	}
	return nil
}

// fail wraps what went wrong with a temporary file; the cause stays visible to
// errors.Is, such as for syscall.ENOSPC and fs.ErrPermission.
func fail(dir, action string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	advice := "choose another folder with --temp"
	if errors.Is(err, syscall.ENOSPC) {
		advice = "free space there, or " + advice
	}
	return fmt.Errorf("temporary file in %s: %s: %w: %s", dir, action, err, advice)
}

// createUnnamed opens a new file, readable by its owner only, and takes its
// name away at once; where the system refuses that, Close does it.
func createUnnamed(dir string) (disk, error) {
	f, err := os.CreateTemp(dir, "churntier-")
	if err != nil {
		return nil, err
	}
	if os.Remove(f.Name()) == nil {
		return f, nil
	}
	return named{f}, nil
}

// named is a file whose name is removed when it is closed.
type named struct{ *os.File }

func (n named) Close() error {
	return errors.Join(n.File.Close(), os.Remove(n.Name()))
}

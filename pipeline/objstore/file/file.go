// Package file keeps objects as files below one folder of the local machine,
// with the promises of a cloud store: what has a name is whole and durable,
// and of racing writers, in one process or several, exactly one wins.
//
// An object is written to a temporary file in its own folder and synced. To
// create it, the file is linked to its name, which fails where that name is
// taken. To replace it, the file is renamed over the name while the folder is
// locked, after its generation was compared. A process that dies leaves at
// most a temporary file.
//
// Nothing outside the folder is reached, through symbolic links neither.
// Files are made with mode 0600 and folders with 0700.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Driver keeps objects as files below one folder. It is safe for concurrent
// use and holds nothing open between calls.
//
// A generation is made of inode, size and times; a listing has no checksums.
type Driver struct {
	root   string
	output bool
}

// New gives the objects below a folder. Reading is ErrNoBucket as long as the
// folder does not exist; writing makes it.
func New(root string) *Driver { return &Driver{root: root} }

// NewOutput is New for a place that is to be written: as long as the folder
// does not exist it reads as empty.
func NewOutput(root string) *Driver { return &Driver{root: root, output: true} }

// Open implements objstore.Driver. A file that is replaced while it is read is
// read to its end as it was.
func (d *Driver) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	f, err := d.open(ctx, key, generation)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	var body io.Reader = f
	if length >= 0 {
		body = io.LimitReader(f, length)
	}
	return &reader{ctx, body, f}, nil
}

// OpenAt implements objstore.RandomAccess with the file itself.
func (d *Driver) OpenAt(ctx context.Context, a objstore.Attrs) (objstore.ReaderAtCloser, error) {
	return d.open(ctx, a.Key, a.Generation)
}

// Delete implements objstore.Driver. Folders stay.
func (d *Driver) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	root, err := d.openRoot()
	if err != nil {
		return err
	}
	defer closeRead(root)
	folder := path.Dir(key)
	unlock, err := lock(ctx, root, folder)
	if err != nil {
		return kindOfRead(err)
	}
	defer unlock()
	now, err := generationNow(root, key)
	switch {
	case err != nil:
		return err
	case now == "":
		return objstore.ErrNotExist
	case !cond.Holds(now):
		return objstore.ErrPrecondition
	}
	if err := root.Remove(key); err != nil {
		return kindOfRead(err)
	}
	return kind(syncFolder(root, folder))
}

// open gives the file of an object if it has the generation asked for.
func (d *Driver) open(ctx context.Context, key, generation string) (*os.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.openFile(key)
	if errors.Is(err, objstore.ErrNotExist) && generation != "" {
		return nil, objstore.ErrChanged
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && generation != "" && generationOf(info) != generation {
		err = objstore.ErrChanged
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d *Driver) openFile(key string) (*os.File, error) {
	root, err := d.openRoot()
	if err != nil {
		return nil, err
	}
	defer closeRead(root)
	info, err := root.Stat(key)
	if err != nil {
		return nil, kindOfRead(err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return nil, objstore.ErrNotExist
	}
	f, err := root.Open(key)
	return f, kindOfRead(err)
}

// openRoot opens the folder for reading, or says that it is missing: with
// ErrNotExist if that is as good as empty, else with ErrNoBucket.
func (d *Driver) openRoot() (*os.Root, error) {
	root, err := os.OpenRoot(d.root)
	if err == nil {
		return root, nil
	}
	err = kindOfRead(err)
	if errors.Is(err, objstore.ErrNotExist) && !d.output {
		return nil, fmt.Errorf("%w: there is no folder %s", objstore.ErrNoBucket, d.root)
	}
	return nil, err
}

// closeRead closes what was only read, where a failure to close loses nothing.
func closeRead(c io.Closer) { _ = c.Close() }

// reader ends with its context, as a connection does.
type reader struct {
	ctx  context.Context
	body io.Reader
	file *os.File
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.body.Read(p)
}

func (r *reader) Close() error { return r.file.Close() }

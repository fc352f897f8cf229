package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Put implements objstore.Driver. The folders of the key are made.
func (d *Driver) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := d.makeRoot()
	if err != nil {
		return nil, kind(err)
	}
	folder := path.Dir(key)
	temporary := path.Join(folder, objstore.TemporaryPrefix+rand.Text())
	f, err := createIn(root, folder, temporary)
	if err != nil {
		closeRead(root)
		return nil, kind(err)
	}
	return &upload{ctx: ctx, root: root, folder: folder, key: key, cond: cond, temporary: temporary, file: f}, nil
}

// createIn makes a file and its folder. A clean-up may remove the folder, while
// it is empty, in between: then it is made once more.
func createIn(root *os.Root, folder, name string) (*os.File, error) {
	f, err := tryCreateIn(root, folder, name)
	if errors.Is(err, fs.ErrNotExist) {
		return tryCreateIn(root, folder, name)
	}
	return f, err
}

func tryCreateIn(root *os.Root, folder, name string) (*os.File, error) {
	if err := makeFolder(root, folder); err != nil {
		return nil, err
	}
	return root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// upload is a temporary file beside the object that it is to become.
type upload struct {
	ctx       context.Context
	root      *os.Root
	folder    string
	key       string
	cond      objstore.Condition
	temporary string
	file      *os.File
	sum       objstore.Checksum
	ended     bool
}

var errEnded = errors.New("the upload has ended")

func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	n, err := u.file.Write(p)
	u.sum.Add(p[:n])
	return n, kind(err)
}

func (u *upload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	if err := u.usable(); err != nil {
		u.Abort()
		return objstore.Attrs{}, err
	}
	defer u.Abort()
	if err := u.sum.Check(sum); err != nil {
		return objstore.Attrs{}, err
	}
	if err := u.file.Sync(); err != nil {
		return objstore.Attrs{}, kind(err)
	}
	if err := u.publish(); err != nil {
		return objstore.Attrs{}, kind(err)
	}
	return u.committed()
}

// Abort removes the temporary file, if Commit has not, and closes everything.
func (u *upload) Abort() {
	if u.ended {
		return
	}
	u.ended = true
	closeRead(u.file)
	_ = u.root.Remove(u.temporary)
	closeRead(u.root)
}

func (u *upload) usable() error {
	if u.ended {
		return errEnded
	}
	return u.ctx.Err()
}

func (u *upload) publish() error {
	if u.cond == objstore.Absent {
		return u.link()
	}
	return u.replace()
}

// link gives the file its name if that is free, which the kernel decides.
func (u *upload) link() error {
	err := u.root.Link(u.temporary, u.key)
	if errors.Is(err, fs.ErrExist) {
		return objstore.ErrPrecondition
	}
	if err != nil {
		return err
	}
	return u.root.Remove(u.temporary)
}

// replace renames the file over the object, if that is the expected one.
func (u *upload) replace() error {
	unlock, err := lock(u.ctx, u.root, u.folder)
	if err != nil {
		return err
	}
	defer unlock()
	now, err := generationNow(u.root, u.key)
	if err != nil {
		return err
	}
	if !u.cond.Holds(now) {
		return objstore.ErrPrecondition
	}
	if err := u.becomeNewer(); err != nil {
		return err
	}
	return u.root.Rename(u.temporary, u.key)
}

// becomeNewer moves the file's time past that of the object it replaces, where
// the clock of the file system is too coarse to do so. Without it a third
// version could have the generation of the first, whose inode it may get.
func (u *upload) becomeNewer() error {
	old, err := u.root.Stat(u.key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	own, err := u.file.Stat()
	if err != nil || own.ModTime().After(old.ModTime()) {
		return err
	}
	return u.root.Chtimes(u.temporary, time.Time{}, old.ModTime().Add(time.Microsecond))
}

// committed makes the name durable and describes the file behind it, whatever
// happened to the name since.
func (u *upload) committed() (objstore.Attrs, error) {
	if err := syncFolder(u.root, u.folder); err != nil {
		return objstore.Attrs{}, fmt.Errorf("sync folder: %w", kind(err))
	}
	info, err := u.file.Stat()
	if err != nil {
		return objstore.Attrs{}, kind(err)
	}
	a := attrsOf(u.key, info)
	a.CRC32C, a.HasCRC32C = u.sum.CRC32C, true
	return a, nil
}

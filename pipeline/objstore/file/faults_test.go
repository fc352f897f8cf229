package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
)

func TestKind(t *testing.T) {
	for cause, want := range map[error]error{
		syscall.EACCES: objstore.ErrPermission,
		syscall.EPERM:  objstore.ErrPermission,
		syscall.EROFS:  objstore.ErrPermission,
		syscall.ENOSPC: objstore.ErrNoSpace,
		syscall.EDQUOT: objstore.ErrNoSpace,
		syscall.EIO:    syscall.EIO,
	} {
		got := kind(&fs.PathError{Op: "write", Path: "part", Err: cause})
		if !errors.Is(got, want) || !errors.Is(got, cause) {
			t.Errorf("%v: got %v, expected %v", cause, got, want)
		}
	}
	for _, cause := range []error{syscall.ENOENT, syscall.ENOTDIR} {
		if got := kindOfRead(cause); !errors.Is(got, objstore.ErrNotExist) {
			t.Errorf("%v: got %v, expected %v", cause, got, objstore.ErrNotExist)
		}
	}
	if kindOfRead(nil) != nil {
		t.Error("success has a kind")
	}
}

// A disk that is full while an object is written: the failure is told at the
// write, and nothing stays on the disk.
func TestFullDisk(t *testing.T) {
	root := t.TempDir()
	started, err := New(root).Put(t.Context(), "runs/part", objstore.Absent)
	if err != nil {
		t.Fatal(err)
	}
	u := started.(*upload)
	if err := u.file.Close(); err != nil {
		t.Fatal(err)
	}
	if u.file, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("data")); !errors.Is(err, objstore.ErrNoSpace) {
		t.Errorf("got %v, expected %v", err, objstore.ErrNoSpace)
	}
	u.Abort()
	left, err := os.ReadDir(root + "/runs")
	if err != nil || len(left) != 0 {
		t.Errorf("left on disk: %v, %v", left, err)
	}
}

// Each step of a commit that fails leaves no object and no temporary file.
func TestFailedCommit(t *testing.T) {
	for name, sabotage := range map[string]func(*upload) error{
		"sync":  func(u *upload) error { return u.file.Close() },
		"link":  func(u *upload) error { return u.root.Remove(u.temporary) },
		"lock":  func(u *upload) error { u.cond = objstore.Any; u.folder = "none"; return nil },
		"times": func(u *upload) error { u.cond = objstore.Any; return u.root.Remove(u.temporary) },
	} {
		root := t.TempDir()
		started, err := New(root).Put(t.Context(), "part", objstore.Absent)
		if err != nil {
			t.Fatal(err)
		}
		u := started.(*upload)
		if err := sabotage(u); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(objstore.Checksum{}); err == nil {
			t.Errorf("%s: commit succeeds", name)
		}
		left, err := os.ReadDir(root)
		if err != nil || len(left) != 0 {
			t.Errorf("%s: left on disk: %v, %v", name, left, err)
		}
	}
}

// A name that could not be made durable is there, but was not promised.
func TestUnsyncedName(t *testing.T) {
	d := New(t.TempDir())
	started, err := d.Put(t.Context(), "part", objstore.Absent)
	if err != nil {
		t.Fatal(err)
	}
	started.(*upload).folder = "none"
	if _, err := started.Commit(objstore.Checksum{}); err == nil {
		t.Error("commit succeeds although its folder could not be synced")
	}
	if _, err := objstore.New(d, "test").Stat(t.Context(), "part"); err != nil {
		t.Error(err)
	}
}

// Replaced within one tick of the clock and in an inode used before, an object
// still gets a time of its own.
func TestReplacementsHaveGrowingTimes(t *testing.T) {
	d := New(t.TempDir())
	b := objstore.New(d, "test")
	var last fs.FileInfo
	for i := range 20 {
		started, err := d.Put(t.Context(), "latest", objstore.Any)
		if err != nil {
			t.Fatal(err)
		}
		u := started.(*upload)
		if last != nil { // as if the clock had not moved, or had gone back
			if err := u.root.Chtimes(u.temporary, last.ModTime(), last.ModTime()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := u.Commit(objstore.Checksum{}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(fmt.Sprintf("%s/latest", d.root))
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && !info.ModTime().After(last.ModTime()) {
			t.Errorf("version %d has time %v, the one before %v", i, info.ModTime(), last.ModTime())
		}
		last = info
	}
	if _, err := b.Stat(t.Context(), "latest"); err != nil {
		t.Error(err)
	}
}

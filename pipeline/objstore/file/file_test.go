package file_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/objstoretest"
)

func TestConformance(t *testing.T) {
	objstoretest.Run(t, func(t *testing.T) objstore.Driver { return file.New(t.TempDir()) }, objstoretest.Options{})
}

func open(folder string) *objstore.Bucket { return objstore.New(file.New(folder), folder) }

func create(t *testing.T, b *objstore.Bucket, key, data string) objstore.Written {
	t.Helper()
	w, err := b.CreateBytes(t.Context(), key, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func keys(t *testing.T, b *objstore.Bucket, prefix string) []string {
	t.Helper()
	listed, err := b.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, a := range listed {
		keys = append(keys, a.Key)
	}
	return keys
}

// onDisk lists every file below a folder, temporary ones too.
func onDisk(t *testing.T, folder string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, strings.TrimPrefix(path, folder+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantKind(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, expected %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMissingFolder(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "deep", "out")
	for name, c := range map[string]struct {
		driver         *file.Driver
		listing, other error
	}{
		"input":  {file.New(missing), objstore.ErrNoBucket, objstore.ErrNoBucket},
		"output": {file.NewOutput(missing), nil, objstore.ErrNotExist},
	} {
		b := objstore.New(c.driver, missing)
		_, err := b.List(t.Context(), "")
		wantKind(t, name+": list", err, c.listing)
		_, err = b.Folders(t.Context(), "runs")
		wantKind(t, name+": folders", err, c.listing)
		_, err = b.Open(t.Context(), objstore.Attrs{Key: "a"})
		wantKind(t, name+": open", err, c.other)
		_, _, err = b.Read(t.Context(), "a", 10)
		wantKind(t, name+": read", err, c.other)
		wantKind(t, name+": delete", b.Delete(t.Context(), "a", objstore.Any), c.other)
	}
	if _, err := os.Stat(filepath.Dir(missing)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made a folder: %v", err)
	}
	b := open(missing)
	create(t, b, "runs/1/part", "data")
	if diff := cmp.Diff([]string{"runs/1/part"}, keys(t, b, "")); diff != "" {
		t.Error(diff)
	}
}

func TestFolderIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, nil, 0o600))
	if _, err := open(path).List(t.Context(), ""); err == nil {
		t.Error("a file can be listed as a folder")
	}
	_, err := open(path+"/below").List(t.Context(), "")
	wantKind(t, "list below a file", err, objstore.ErrNoBucket)
	if _, err := open(path).CreateBytes(t.Context(), "a", nil); err == nil {
		t.Error("an object can be written below a file")
	}
	if _, err := open(path+"/below").CreateBytes(t.Context(), "a", nil); err == nil {
		t.Error("an object can be written below a file")
	}
}

func TestModes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "out")
	create(t, open(root), "runs/1/part", "data")
	for path, want := range map[string]fs.FileMode{
		"":            fs.ModeDir | 0o700,
		"runs":        fs.ModeDir | 0o700,
		"runs/1":      fs.ModeDir | 0o700,
		"runs/1/part": 0o600,
	} {
		info, err := os.Stat(filepath.Join(root, path))
		if err != nil || info.Mode() != want {
			t.Errorf("%q: %v, %v, expected %v", path, info.Mode(), err, want)
		}
	}
}

// While an object is written there is one temporary file in its folder, which
// nobody sees; however it ends, that file is gone.
func TestTemporaryFiles(t *testing.T) {
	root := t.TempDir()
	b := open(root)
	for name, end := range map[string]func(*objstore.Writer){
		"commit": func(w *objstore.Writer) {
			if _, err := w.Commit(); err != nil {
				t.Error(err)
			}
		},
		"commit where something is": func(w *objstore.Writer) {
			create(t, b, "runs/1/part", "other")
			if _, err := w.Commit(); !errors.Is(err, objstore.ErrPrecondition) {
				t.Error(err)
			}
		},
		"abort": func(w *objstore.Writer) { w.Abort() },
	} {
		w, err := b.Create(t.Context(), "runs/1/part")
		must(t, err)
		_, err = io.WriteString(w, "data")
		must(t, err)
		during := onDisk(t, root)
		if len(during) != 1 || !strings.HasPrefix(during[0], "runs/1/.tmp-") {
			t.Errorf("%s: on disk before its end: %q, expected a temporary file in runs/1", name, during)
		}
		if listed := keys(t, b, ""); listed != nil {
			t.Errorf("%s: listed before its end: %q", name, listed)
		}
		if folders, err := b.Folders(t.Context(), ""); folders != nil || err != nil {
			t.Errorf("%s: folders before its end: %q, %v", name, folders, err)
		}
		end(w)
		for _, path := range onDisk(t, root) {
			if path != "runs/1/part" {
				t.Errorf("%s: left on disk: %s", name, path)
			}
		}
		must(t, os.RemoveAll(filepath.Join(root, "runs")))
	}
}

func TestLinksOutOfTheFolder(t *testing.T) {
	base := t.TempDir()
	root := filepath.Join(base, "root")
	must(t, os.MkdirAll(filepath.Join(base, "outside"), 0o700))
	must(t, os.Mkdir(root, 0o700))
	secret := filepath.Join(base, "outside", "secret")
	must(t, os.WriteFile(secret, []byte("secret"), 0o600))
	must(t, os.Symlink(secret, filepath.Join(root, "absolute")))
	must(t, os.Symlink("../outside/secret", filepath.Join(root, "relative")))
	must(t, os.Symlink("../outside", filepath.Join(root, "folder")))
	must(t, os.Symlink("nowhere", filepath.Join(root, "dangling")))

	b := open(root)
	want := []string{"absolute", "dangling", "folder", "relative"} // links, not what is behind them
	if diff := cmp.Diff(want, keys(t, b, "")); diff != "" {
		t.Error(diff)
	}
	for _, key := range append(want, "folder/secret") {
		if _, err := b.Open(t.Context(), objstore.Attrs{Key: key}); err == nil {
			t.Errorf("%s can be opened", key)
		}
		if _, err := b.OpenAt(t.Context(), objstore.Attrs{Key: key}); err == nil {
			t.Errorf("%s can be opened at random", key)
		}
	}
	link, err := b.Stat(t.Context(), "absolute")
	must(t, err)
	if _, err := b.Replace(t.Context(), "absolute", nil, link.Generation); err == nil {
		t.Error("a link out of the folder can be replaced")
	}
	if _, err := b.CreateBytes(t.Context(), "folder/new", nil); err == nil {
		t.Error("an object can be created through a link out of the folder")
	}
	if _, err := b.List(t.Context(), "folder/"); err == nil {
		t.Error("a folder outside can be listed")
	}
	if diff := cmp.Diff([]string{"secret"}, onDisk(t, filepath.Dir(secret))); diff != "" {
		t.Error(diff)
	}
}

func TestLinksInsideTheFolder(t *testing.T) {
	root := t.TempDir()
	b := open(root)
	create(t, b, "store/2026/part", "data")
	must(t, os.Symlink("store/2026", filepath.Join(root, "dt=2026")))
	must(t, os.Symlink("store/2026/part", filepath.Join(root, "newest")))
	want := []string{"dt=2026/part", "newest", "store/2026/part"}
	if diff := cmp.Diff(want, keys(t, b, "")); diff != "" {
		t.Error(diff)
	}
	for _, key := range want {
		data, a, err := b.Read(t.Context(), key, 10)
		if err != nil || string(data) != "data" || a.Size != 4 {
			t.Errorf("%s: %q, %+v, %v", key, data, a, err)
		}
	}
	must(t, os.Symlink("..", filepath.Join(root, "store", "loop")))
	_, err := b.List(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "link leads back") {
		t.Errorf("a loop of links: got %v", err)
	}
	if _, err := b.Folders(t.Context(), ""); err != nil {
		t.Errorf("folders above a loop: %v", err)
	}
}

// Opening a pipe would wait for a writer for ever.
func TestPipesAreNoObjects(t *testing.T) {
	root := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600))
	b := open(root)
	if listed := keys(t, b, ""); listed != nil {
		t.Errorf("listed %q", listed)
	}
	_, err := b.Open(t.Context(), objstore.Attrs{Key: "pipe"})
	wantKind(t, "open a pipe", err, objstore.ErrNotExist)
}

// A file that somebody else rewrites in place, with the same size and the old
// time of modification, is another generation.
func TestGenerationOfRewrittenFile(t *testing.T) {
	root := t.TempDir()
	b := open(root)
	create(t, b, "a", "data")
	before, err := b.Stat(t.Context(), "a")
	must(t, err)
	path := filepath.Join(root, "a")
	time.Sleep(10 * time.Millisecond) // a tick of the file system's clock
	must(t, os.WriteFile(path, []byte("DATA"), 0o600))
	must(t, os.Chtimes(path, before.Modified, before.Modified))
	_, err = b.Open(t.Context(), before)
	wantKind(t, "open", err, objstore.ErrChanged)
	_, err = b.OpenAt(t.Context(), before)
	wantKind(t, "open at", err, objstore.ErrChanged)
	_, err = b.Replace(t.Context(), "a", []byte("mine"), before.Generation)
	wantKind(t, "replace", err, objstore.ErrPrecondition)
}

// An object and a folder of the same name do not go together on a disk.
func TestKeyIsAFolder(t *testing.T) {
	root := t.TempDir()
	b := open(root)
	create(t, b, "a/b", "data")
	for what, try := range map[string]func(string, []byte, string) (objstore.Written, error){
		"create": func(key string, data []byte, _ string) (objstore.Written, error) {
			return b.CreateBytes(t.Context(), key, data)
		},
		"replace": func(key string, data []byte, _ string) (objstore.Written, error) {
			return b.Replace(t.Context(), key, data, "1-2-3-4")
		},
	} {
		if _, err := try("a", nil, ""); !errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("%s a folder: %v", what, err)
		}
		if _, err := try("a/b/c", nil, ""); err == nil {
			t.Errorf("%s below a file succeeds", what)
		}
	}
	if diff := cmp.Diff([]string{"a/b"}, onDisk(t, root)); diff != "" {
		t.Error(diff)
	}
}

// Whoever holds the lock of a folder keeps others from replacing; they wait no
// longer than their context.
func TestLockedFolder(t *testing.T) {
	root := t.TempDir()
	b := open(root)
	first := create(t, b, "latest", "first")
	f, err := os.Open(root)
	must(t, err)
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = b.Replace(ctx, "latest", []byte("second"), first.Generation)
	wantKind(t, "replace", err, context.DeadlineExceeded)
	wantKind(t, "delete", b.Delete(ctx, "latest", objstore.Any), context.DeadlineExceeded)

	release := time.AfterFunc(20*time.Millisecond, func() { _ = f.Close() })
	defer release.Stop()
	if _, err := b.Replace(t.Context(), "latest", []byte("second"), first.Generation); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"latest"}, onDisk(t, root)); diff != "" {
		t.Error(diff)
	}
}

func TestNegativeOffset(t *testing.T) {
	d := file.New(t.TempDir())
	create(t, objstore.New(d, "test"), "a", "data")
	if _, err := d.Open(t.Context(), "a", "", -1, 1); err == nil {
		t.Error("a negative offset can be read")
	}
}

func TestCancelledRead(t *testing.T) {
	b := open(t.TempDir())
	create(t, b, "a", "data")
	a, err := b.Stat(t.Context(), "a")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := b.Open(ctx, a)
	must(t, err)
	cancel()
	_, err = io.ReadAll(r)
	wantKind(t, "read", err, context.Canceled)
	must(t, r.Close())
}

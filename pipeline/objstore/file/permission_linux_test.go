package file_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
)

// asNobody goes on with the rights of a user who owns nothing, since root may
// do everything.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread()
	must(t, syscall.Setfsuid(65534))
	t.Cleanup(func() {
		must(t, syscall.Setfsuid(0))
		runtime.UnlockOSThread()
	})
}

// guarded makes a root with the object runs/part, and then sets the modes of
// the root and of runs.
func guarded(t *testing.T, root string, ofRoot, ofRuns fs.FileMode) *objstore.Bucket {
	t.Helper()
	b := open(root)
	runs := filepath.Join(root, "runs")
	create(t, b, "runs/part", "data")
	must(t, os.Chmod(filepath.Join(runs, "part"), 0))
	must(t, os.Chmod(runs, ofRuns))
	must(t, os.Chmod(root, ofRoot))
	t.Cleanup(func() {
		must(t, os.Chmod(root, 0o700))
		must(t, os.Chmod(runs, 0o700))
	})
	return b
}

func TestNoPermission(t *testing.T) {
	base := t.TempDir()
	must(t, os.Chmod(filepath.Dir(base), 0o755))
	must(t, os.Chmod(base, 0o755))
	closed, readOnly := filepath.Join(base, "closed"), filepath.Join(base, "read-only")
	buckets := map[string]*objstore.Bucket{
		"a closed folder":        guarded(t, closed, 0, 0),
		"a read-only folder":     guarded(t, readOnly, 0o555, 0o555),
		"a folder of names only": guarded(t, filepath.Join(base, "names"), 0o555, 0o444),
	}
	asNobody(t)
	part := objstore.Attrs{Key: "runs/part"}
	for name, b := range buckets {
		_, err := b.Open(t.Context(), part)
		wantKind(t, "open in "+name, err, objstore.ErrPermission)
		_, err = b.CreateBytes(t.Context(), "runs/new", nil)
		wantKind(t, "create in "+name, err, objstore.ErrPermission)
		_, err = b.CreateBytes(t.Context(), "new/folder/new", nil)
		wantKind(t, "create a folder in "+name, err, objstore.ErrPermission)
		wantKind(t, "delete in "+name, b.Delete(t.Context(), part.Key, objstore.Any), objstore.ErrPermission)
	}
	for _, name := range []string{"a closed folder", "a folder of names only"} {
		_, err := buckets[name].List(t.Context(), "")
		wantKind(t, "list "+name, err, objstore.ErrPermission)
		_, err = buckets[name].Folders(t.Context(), "")
		wantKind(t, "folders of "+name, err, objstore.ErrPermission)
	}
	for _, root := range []string{filepath.Join(closed, "out"), filepath.Join(readOnly, "out")} {
		_, err := open(root).CreateBytes(t.Context(), "a", nil)
		wantKind(t, "make "+root, err, objstore.ErrPermission)
	}
}

package file_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/file"
)

// A writer that died leaves a temporary file, which a sweep removes when it is old;
// empty folders go too, and nothing else does.
func TestSweep(t *testing.T) {
	root := t.TempDir()
	d := file.NewOutput(root)
	b := objstore.New(d, "test")
	if _, err := b.CreateBytes(t.Context(), "out/runs/1/part", []byte("data")); err != nil {
		t.Fatal(err)
	}
	old, now := time.Now().Add(-time.Hour), time.Now()
	for name, made := range map[string]time.Time{
		"out/runs/1/.tmp-old": old, "out/runs/1/.tmp-young": now.Add(time.Hour), "out/.tmp-old": old, "out/runs/1/.hidden": old, ".tmp-elsewhere": old,
	} {
		full := filepath.Join(root, name)
		if err := os.WriteFile(full, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(full, made, made); err != nil {
			t.Fatal(err)
		}
	}
	for name, made := range map[string]time.Time{"out/empty": old, "out/fresh": now.Add(time.Hour)} {
		full := filepath.Join(root, name)
		if err := os.Mkdir(full, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(full, made, made); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(root, filepath.Join(root, "out/link")); err != nil {
		t.Fatal(err)
	}
	n, err := b.Sub("out").Sweep(t.Context(), now)
	if n != 2 || err != nil {
		t.Errorf("swept %d, %v; expected 2", n, err)
	}
	for name, want := range map[string]bool{
		"out/runs/1/part": true, "out/runs/1/.tmp-old": false, "out/runs/1/.tmp-young": true, "out/.tmp-old": false,
		"out/runs/1/.hidden": true, ".tmp-elsewhere": true, "out/empty": false, "out/fresh": true, "out/link": true,
	} {
		if _, err := os.Lstat(filepath.Join(root, name)); (err == nil) != want {
			t.Errorf("%s: %v, expected to be there: %v", name, err, want)
		}
	}
}

func TestSweepOfNothing(t *testing.T) {
	b := objstore.New(file.NewOutput(filepath.Join(t.TempDir(), "none")), "test")
	if n, err := b.Sweep(t.Context(), time.Now()); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
}

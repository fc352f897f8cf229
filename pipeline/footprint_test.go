package pipeline_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// openings counts what is opened.
type openings struct {
	objstore.Driver
	keys []string
}

func (o *openings) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	o.keys = append(o.keys, key)
	return o.Driver.Open(ctx, key, generation, offset, length)
}

// A footprint is that of the inputs and the rules, and reads a file of a store without
// checksums once for each of its versions.
func TestFootprint(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		err := os.MkdirAll(filepath.Join(folder, "dt=2026-11-22"), 0o700)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "dt=2026-11-22", name), []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	store := &openings{Driver: file.New(folder)}
	d, err := date.Parse("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	n := pipeline.Night{Date: d, Mode: pipeline.Live, Snapshot: snapshot.Source{Bucket: objstore.New(store, "in"), Partition: "dt={date}", Files: "*.parquet", Ready: "_SUCCESS"}}
	var before *pipeline.Footprint
	taken := func(reads int) string {
		t.Helper()
		store.keys = nil
		f, err := pipeline.FootprintOf(t.Context(), n, before)
		if err != nil {
			t.Fatal(err)
		}
		if len(store.keys) != reads {
			t.Errorf("read %q, want %d files", store.keys, reads)
		}
		before = f
		return f.Fingerprint
	}

	write("a.parquet", "one")
	if _, err := pipeline.FootprintOf(t.Context(), n, nil); !errors.Is(err, snapshot.ErrNotReady) {
		t.Errorf("without the marker: %v", err)
	}
	write("_SUCCESS", "")
	one := taken(1)
	if again := taken(0); again != one {
		t.Error("the same inputs have another fingerprint")
	}
	write("b.parquet", "two")
	two := taken(2)
	n.Rules.ID = "user_id"
	if other := taken(0); two == one || other == two {
		t.Error("other inputs or rules have the same fingerprint")
	}
}

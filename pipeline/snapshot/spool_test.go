package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// bent is a store that flips a bit of what it hands out, in a place that the
// footer does not cover.
type bent struct{ objstore.Driver }

func (d bent) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	in, err := d.Driver.Open(ctx, key, generation, offset, length)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if offset == 0 && len(data) > 100 {
		data[60] ^= 1
	}
	return io.NopCloser(bytes.NewReader(data)), err
}

// pinned puts two parts into a store and pins them.
func pinned(t *testing.T, d objstore.Driver, wrap func(objstore.Driver) objstore.Driver) *Pinned {
	t.Helper()
	b := objstore.New(d, "test://warehouse")
	for _, name := range []string{"dt=2026-11-20/a.parquet", "dt=2026-11-20/b.parquet"} {
		if _, err := b.CreateBytes(t.Context(), name, small(t)); err != nil {
			t.Fatal(err)
		}
	}
	s := Source{Bucket: objstore.New(wrap(d), "test://warehouse"), Partition: "dt={date}", Files: "*.parquet"}
	day, err := date.Parse("2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Pin(t.Context(), s, day)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func whole(d objstore.Driver) objstore.Driver { return d }

func readRows(t *testing.T, f *Files) (rows int64) {
	t.Helper()
	for _, s := range Cut(f.Parts, SplitRows) {
		r := f.Split(s, columnNames(f.files[0]))
		for {
			b, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if b.First != rows {
				t.Errorf("a batch begins at row %d, want %d", b.First, rows)
			}
			rows += b.Record.NumRows()
		}
	}
	return rows
}

func TestOpenReadsTheSameHoweverItVerifies(t *testing.T) {
	for name, d := range map[string]objstore.Driver{"remote": mem.New(), "local": file.New(t.TempDir())} {
		p := pinned(t, d, whole)
		for _, v := range []Verify{VerifyWhole, VerifyRead} {
			temp := t.TempDir()
			f, err := Open(t.Context(), p, v, temp, DefaultLimits())
			if err != nil {
				t.Fatalf("%s %s: %v", name, v, err)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("%s %s: %v has a name in the temporary folder", name, v, left[0])
			}
			if rows := readRows(t, f); rows == 0 || rows != f.Rows() {
				t.Errorf("%s %s: read %d rows of %d", name, v, rows, f.Rows())
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWholeVerificationNoticesAFlippedBit(t *testing.T) {
	p := pinned(t, mem.New(), func(d objstore.Driver) objstore.Driver { return bent{d} })
	_, err := Open(t.Context(), p, VerifyWhole, t.TempDir(), DefaultLimits())
	if !errors.Is(err, objstore.ErrChecksum) || !strings.Contains(err.Error(), ".parquet") {
		t.Errorf("%v, want a checksum error that names the part", err)
	}
}

func TestOpenWithoutATemporaryFolder(t *testing.T) {
	p := pinned(t, mem.New(), whole)
	if _, err := Open(t.Context(), p, VerifyWhole, "/does/not/exist", DefaultLimits()); err == nil || !strings.Contains(err.Error(), "--temp") {
		t.Errorf("%v, want an error that says --temp", err)
	}
}

func TestMoreRowsThanTheLimit(t *testing.T) {
	p := pinned(t, mem.New(), whole)
	lim := DefaultLimits()
	lim.Rows = 1
	if _, err := Open(t.Context(), p, VerifyRead, t.TempDir(), lim); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
}

func TestPartThatWasReplacedSincePinning(t *testing.T) {
	d := mem.New()
	p := pinned(t, d, whole)
	b := p.Source.Bucket
	a, err := b.Stat(t.Context(), "dt=2026-11-20/a.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Replace(t.Context(), a.Key, []byte("other"), a.Generation); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), p, VerifyWhole, t.TempDir(), DefaultLimits()); !errors.Is(err, ErrNotReady) {
		t.Errorf("%v, want ErrNotReady", err)
	}
}

package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// slow is a store that lets the second part go as a whole once it is told to, and
// may change the bytes that it hands out of it.
type slow struct {
	objstore.Driver
	release chan struct{}
	whole   func(data []byte)
	ranges  func(data []byte, offset int64)
}

func (d slow) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	if !strings.HasSuffix(key, "b.parquet") {
		return d.Driver.Open(ctx, key, generation, offset, length)
	}
	if length < 0 {
		select {
		case <-d.release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	in, err := d.Driver.Open(ctx, key, generation, offset, length)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	switch {
	case length < 0 && d.whole != nil:
		d.whole(data)
	case length >= 0 && d.ranges != nil:
		d.ranges(data, offset)
	}
	return io.NopCloser(bytes.NewReader(data)), err
}

// openSlow opens two parts of which the second is not there yet.
func openSlow(t *testing.T, d slow) (*Files, *Pinned) {
	t.Helper()
	p := pinned(t, d.Driver, func(objstore.Driver) objstore.Driver { return d })
	f, err := Open(t.Context(), p, VerifyWhole, t.TempDir(), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, p
}

// readPart reads all rows of a part.
func readPart(t *testing.T, f *Files, part int) (rows int64, err error) {
	t.Helper()
	r := f.Split(Split{Ranges: []Range{{Part: part, Groups: len(f.Parts[part].GroupRows)}}}, columnNames(f.files[part]))
	for {
		b, err := r.Next(t.Context())
		if err != nil {
			return rows, err
		}
		rows += b.Record.NumRows()
	}
}

func TestAPartIsReadWhileTheNextOneComes(t *testing.T) {
	d := slow{Driver: mem.New(), release: make(chan struct{})}
	f, _ := openSlow(t, d)
	for part := range f.Parts {
		if rows, err := readPart(t, f, part); !errors.Is(err, io.EOF) || rows != f.Parts[part].Rows {
			t.Errorf("part %d: read %d rows of %d: %v", part, rows, f.Parts[part].Rows, err)
		}
		if part == 0 {
			close(d.release)
		}
	}
}

func TestClosingGivesUpWhatHasNotCome(t *testing.T) {
	openSlow(t, slow{Driver: mem.New(), release: make(chan struct{})})
}

// TestAPartThatComesOtherThanItIs holds that nothing is read of a part that arrives
// with another byte, or whose footer did before.
func TestAPartThatComesOtherThanItIs(t *testing.T) {
	release := make(chan struct{})
	close(release)
	for name, d := range map[string]slow{
		"part":   {release: release, whole: func(data []byte) { data[60] ^= 1 }},
		"footer": {release: release, ranges: func(data []byte, _ int64) { bendAuthor(data) }},
	} {
		d.Driver = mem.New()
		f, _ := openSlow(t, d)
		if rows, err := readPart(t, f, 1); rows > 0 || !errors.Is(err, objstore.ErrChecksum) || !strings.Contains(err.Error(), "part b.parquet") {
			t.Errorf("%s: read %d rows and %v, want none and a checksum error that names the part", name, rows, err)
		}
	}
}

// bendAuthor changes the name of the writer, which a footer is right without.
func bendAuthor(data []byte) {
	if at := bytes.Index(data, []byte("parquet-go")); at >= 0 {
		data[at] = 'P'
	}
}

func TestAPartThatIsReplacedBeforeItComes(t *testing.T) {
	d := slow{Driver: mem.New(), release: make(chan struct{})}
	f, p := openSlow(t, d)
	a, err := p.Source.Bucket.Stat(t.Context(), "dt=2026-11-20/b.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Source.Bucket.Replace(t.Context(), a.Key, []byte("other"), a.Generation); err != nil {
		t.Fatal(err)
	}
	close(d.release)
	if rows, err := readPart(t, f, 1); rows > 0 || !errors.Is(err, ErrNotReady) {
		t.Errorf("read %d rows and %v, want none and ErrNotReady", rows, err)
	}
}

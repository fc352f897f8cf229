package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// request is a range of an object that was asked for; a negative length is all of it.
type request struct {
	key            string
	offset, length int64
}

// asked is a store that keeps what it is asked for, and may change what it gives.
type asked struct {
	objstore.Driver
	mu       sync.Mutex
	requests []request
	bend     func(r request, data []byte)
}

func (d *asked) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	in, err := d.Driver.Open(ctx, key, generation, offset, length)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	d.mu.Lock()
	defer d.mu.Unlock()
	r := request{key, offset, length}
	d.requests = append(d.requests, r)
	if d.bend != nil {
		d.bend(r, data)
	}
	return io.NopCloser(bytes.NewReader(data)), err
}

// askedFor is a snapshot of two parts with three row groups each in such a store.
func askedFor(t *testing.T) (*Pinned, *asked) {
	t.Helper()
	d := &asked{Driver: mem.New()}
	return pinned(t, d.Driver, func(objstore.Driver) objstore.Driver { return d }), d
}

// once opens a snapshot for one reading.
func once(t *testing.T, p *Pinned) *Files {
	t.Helper()
	f, err := OpenOnce(t.Context(), p, VerifyWhole, t.TempDir(), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// valuesOf reads all columns of splits.
func valuesOf(t *testing.T, f *Files, splits []Split) (values []string, err error) {
	t.Helper()
	for _, s := range splits {
		r := f.Split(s, columnNames(f.files[0]))
		for {
			b, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return values, errors.Join(err, r.Close())
			}
			for _, column := range b.Record.Columns() {
				for i := range column.Len() {
					values = append(values, column.ValueStr(i))
				}
			}
		}
	}
	return values, nil
}

// expectedValues reads them from parts that were copied.
func expectedValues(t *testing.T, splitRows int64) []string {
	t.Helper()
	f, err := Open(t.Context(), pinned(t, mem.New(), whole), VerifyWhole, t.TempDir(), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	values, err := valuesOf(t, f, Cut(f.Parts, splitRows))
	if err != nil || len(values) == 0 {
		t.Fatalf("%d values: %v", len(values), err)
	}
	return values
}

// TestEveryByteComesOnce holds that a part is read by one request for each row group,
// which together with its footer are all of it, and that nothing is copied.
func TestEveryByteComesOnce(t *testing.T) {
	p, d := askedFor(t)
	f := once(t, p)
	if err := f.Whole(); err == nil {
		t.Error("all is said to be right before anything was read")
	}
	got, err := valuesOf(t, f, Cut(f.Parts, 60))
	if err != nil || !slices.Equal(got, expectedValues(t, 60)) {
		t.Errorf("read %d values, others than from a copy: %v", len(got), err)
	}
	if err := f.Whole(); err != nil {
		t.Error(err)
	}
	for _, part := range f.Parts {
		times := make([]int, part.Size)
		groups := 0
		for _, r := range d.requests {
			if r.length < 0 {
				t.Errorf("%s was asked for as a whole", r.key)
			}
			if !strings.HasSuffix(r.key, part.Name) || r.length == int64(len(magic)) { // which is looked at first
				continue
			}
			for i := range r.length {
				times[r.offset+i]++
			}
			groups++
		}
		if groups != 5 || slices.Max(times) != 1 || slices.Min(times) != 1 { // 3 row groups, the footer and its length
			t.Errorf("%s: %d requests, every byte %d to %d times", part.Name, groups, slices.Min(times), slices.Max(times))
		}
	}
}

// TestOnlyAFewRowGroupsAreKept holds that a reader which has one has a few more coming,
// and no others.
func TestOnlyAFewRowGroupsAreKept(t *testing.T) {
	p, _ := askedFor(t)
	f := once(t, p)
	r := f.Split(Cut(f.Parts, 1000)[0], columnNames(f.files[0]))
	defer r.Close()
	if _, err := r.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := 0
	for _, part := range f.parts {
		for _, piece := range part.pieces {
			if piece.begun {
				begun++
			}
		}
	}
	if want := 1 + piecesAhead; begun != want || want >= 6 {
		t.Errorf("%d of 6 row groups are here or on their way, want %d", begun, want)
	}
}

func TestRowsCanBeReadAgain(t *testing.T) {
	want := expectedValues(t, 60)
	for name, before := range map[string]func(*Files){"by chance": func(*Files) {}, "as announced": (*Files).ReadAgain} {
		p, _ := askedFor(t)
		f := once(t, p)
		before(f)
		for range 3 {
			if got, err := valuesOf(t, f, Cut(f.Parts, 60)); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: read %d values, others than from a copy: %v", name, len(got), err)
			}
		}
		if err := f.Whole(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSplitsSideBySide reads every split by its own goroutine.
func TestSplitsSideBySide(t *testing.T) {
	p, _ := askedFor(t)
	f := once(t, p)
	splits := Cut(f.Parts, 40)
	read := make([][]string, len(splits))
	var g sync.WaitGroup
	for i, s := range splits {
		g.Go(func() {
			var err error
			if read[i], err = valuesOf(t, f, []Split{s}); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if got := slices.Concat(read...); !slices.Equal(got, expectedValues(t, 40)) {
		t.Errorf("read %d values, others than from a copy", len(got))
	}
	if err := f.Whole(); err != nil {
		t.Error(err)
	}
}

// TestAnyOtherByteIsNoticed flips a bit on the way, in many places of the second part:
// whatever it makes of the rows, in the end it is the store's fault and not the part's. A
// footer that came otherwise may be noticed too before the rows are, by the columns or by
// what makes the parts be copied.
func TestAnyOtherByteIsNoticed(t *testing.T) {
	want := expectedValues(t, 60)
	p, d := askedFor(t)
	size := p.Parts[1].Size
	for at := int64(0); at < size; at += 1 + size/120 {
		d.requests = nil
		d.bend = func(r request, data []byte) {
			if i := at - r.offset; strings.HasSuffix(r.key, "b.parquet") && r.length >= 0 && i >= 0 && i < int64(len(data)) {
				data[i] ^= 1 << (at % 8)
			}
		}
		f, err := OpenOnce(t.Context(), p, VerifyWhole, t.TempDir(), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		outside := at < int64(len(magic)) || at >= f.files[0].footer
		got, err := valuesOf(t, f, Cut(f.Parts, 60))
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		copied := slices.ContainsFunc(d.requests, func(r request) bool { return r.length < 0 })
		switch {
		case errors.Is(err, objstore.ErrChecksum) && strings.Contains(err.Error(), "part b.parquet"):
		case outside && errors.Is(err, ErrSchema):
		case outside && copied && err == nil && slices.Equal(got, want):
		default:
			t.Errorf("byte %d of %d: copied is %v, %d values, %v", at, size, copied, len(got), err)
		}
	}
}

// TestAPartDamagedAtItsSource is damaged for those who read it in pieces too.
func TestAPartDamagedAtItsSource(t *testing.T) {
	data := numbers(t, 300, uncompressed)
	for i := range data[4:100] {
		data[4+i] = 0xFF
	}
	b := objstore.New(mem.New(), "test://warehouse")
	if _, err := b.CreateBytes(t.Context(), "a", data); err != nil {
		t.Fatal(err)
	}
	found, err := b.Stat(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenOnce(t.Context(), PinFiles(b, []objstore.Attrs{found}), VerifyWhole, t.TempDir(), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := valuesOf(t, f, Cut(f.Parts, 60)); !errors.Is(err, ErrDamaged) || errors.Is(err, objstore.ErrChecksum) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

// TestLargeRowGroupsAreCopied holds that no more of a part is kept than a piece may take.
func TestLargeRowGroupsAreCopied(t *testing.T) {
	w := uncompressed
	w.groupRows = 1 << 22
	for rows, want := range map[int]bool{pieceBytes/4 - 100_000: false, pieceBytes/4 + 100_000: true} {
		f, err := openWith(numbers(t, rows, w), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if copied := f.bounds() == nil; copied != want || len(f.groups) != 1 {
			t.Errorf("%d rows in %d groups: copied is %v, want %v", rows, len(f.groups), copied, want)
		}
	}
}

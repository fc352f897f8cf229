package audience_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
)

// compress gives a gzip member of data as churntier writes it.
func compress(t *testing.T, rows int) []byte {
	t.Helper()
	batch := textBatch(func(i int) (string, bool) { return strings.Repeat("t", i%7), i%3 > 0 }, 0, rows)
	var out bytes.Buffer
	e, err := formats["jsonl.gz"](&out, textLayout, textSchema)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Write(&audience.Block{Batch: batch}, ascending(rows)), e.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func countGzip(data []byte) (int64, error) {
	return audience.CountGzip(bytes.NewReader(data), audience.CountJSONL)
}

// gunzip decompresses one member with the standard library.
func gunzip(t failer, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestEveryFormHoldsTheSameUsers reads one random night in each form with a parser
// that is not ours.
func TestEveryFormHoldsTheSameUsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 30)
		chosen := u.drawRows(t)
		write := func(open opener) []byte {
			var out bytes.Buffer
			e, err := open(&out, u.layout(), u.schema)
			if err != nil {
				t.Fatal(err)
			}
			u.write(t, e, chosen)
			return out.Bytes()
		}
		_, rows := readBack(t, write(formats["parquet"]))
		if diff := cmp.Diff(u.wantRows(chosen), rows, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("parquet (-want +got):\n%s", diff)
		}
		u.checkCSV(t, write(quoting), chosen)
		u.checkJSONL(t, write(formats["jsonl"]), chosen)
		u.checkCSV(t, gunzip(t, write(gzipped(quoting))), chosen)
		packed := write(formats["jsonl.gz"])
		u.checkJSONL(t, gunzip(t, packed), chosen)
		if !bytes.Equal(packed, write(formats["jsonl.gz"])) {
			t.Fatal("other blocks or dictionaries gave other bytes")
		}
		if n, err := countGzip(packed); err != nil || n != int64(len(chosen)) {
			t.Fatalf("CountGzip = %d, %v for %d rows", n, err, len(chosen))
		}
	})
}

// The header holds no time and no name: RFC 1952, section 2.3.
func TestGzipHeader(t *testing.T) {
	if got := compress(t, 3)[:8]; !bytes.Equal(got, []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0}) {
		t.Errorf("the file begins with % x", got)
	}
}

func TestGzipOfNoRows(t *testing.T) {
	data := compress(t, 0)
	if n, err := countGzip(data); n != 0 || err != nil || len(gunzip(t, data)) != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestCountGzip(t *testing.T) {
	good := compress(t, 50)
	if n, err := countGzip(good); n != 50 || err != nil {
		t.Fatalf("undamaged: %d, %v", n, err)
	}
	if n, err := audience.CountGzip(iotest.OneByteReader(bytes.NewReader(good)), audience.CountJSONL); n != 50 || err != nil {
		t.Fatalf("byte by byte: %d, %v", n, err)
	}
	foreign := func(change func(*gzip.Header), text string) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		change(&w.Header)
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, data := range map[string][]byte{
		"nothing":             {},
		"no gzip":             []byte(`{"a":1}` + "\n"),
		"two members":         append(bytes.Clone(good), good...),
		"an empty member":     append(bytes.Clone(good), compress(t, 0)...),
		"a byte behind":       append(bytes.Clone(good), 0),
		"a name":              foreign(func(h *gzip.Header) { h.Name = "x" }, ""),
		"a comment":           foreign(func(h *gzip.Header) { h.Comment = "x" }, ""),
		"more in the header":  foreign(func(h *gzip.Header) { h.Extra = []byte("x") }, ""),
		"a time":              foreign(func(h *gzip.Header) { h.ModTime = time.Unix(1, 0) }, ""),
		"a line without end":  foreign(func(*gzip.Header) {}, `{"a":1}`),
		"a hundred megabytes": foreign(func(*gzip.Header) {}, strings.Repeat(" ", 100<<20)),
	} {
		if n, err := countGzip(data); !errors.Is(err, audience.ErrDamaged) {
			t.Errorf("%s: %d, %v; want ErrDamaged", name, n, err)
		}
	}
}

func TestCountGzipOfADamagedFile(t *testing.T) {
	good := compress(t, 50)
	for cut := range good {
		if _, err := countGzip(good[:cut]); !errors.Is(err, audience.ErrDamaged) {
			t.Fatalf("cut at byte %d of %d: error %v, want ErrDamaged", cut, len(good), err)
		}
	}
	want := gunzip(t, good)
	for at := range good {
		for bit := range 8 {
			damaged := bytes.Clone(good)
			damaged[at] ^= 1 << bit
			n, err := countGzip(damaged)
			if err == nil && (n != 50 || !bytes.Equal(want, gunzip(t, damaged))) {
				t.Errorf("byte %d, bit %d: other data and no error", at, bit)
			}
			if err != nil && !errors.Is(err, audience.ErrDamaged) {
				t.Errorf("byte %d, bit %d: %v, want ErrDamaged", at, bit, err)
			}
		}
	}
}

// What fails below is no damage of the file.
func TestCountGzipOfAReaderThatFails(t *testing.T) {
	good := compress(t, 50)
	for at := range len(good) + 1 {
		r := io.MultiReader(bytes.NewReader(good[:at]), iotest.ErrReader(errFull))
		if _, err := audience.CountGzip(r, audience.CountJSONL); !errors.Is(err, errFull) || errors.Is(err, audience.ErrDamaged) {
			t.Fatalf("after %d bytes: %v", at, err)
		}
	}
}

func TestGzipOfAnEncoderThatCannotStart(t *testing.T) {
	var out bytes.Buffer
	bad := audience.Layout{Columns: []audience.Column{{Name: "y", Column: "y"}}}
	if _, err := gzipped(audience.NewJSONL)(&out, bad, textSchema); !errors.Is(err, audience.ErrColumn) || out.Len() > 0 {
		t.Errorf("error %v after %d bytes, want ErrColumn after none", err, out.Len())
	}
}

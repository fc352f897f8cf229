package snapshot

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// mustFail checks that an error has a kind and names the part and what is wrong.
func mustFail(t *testing.T, err, kind error, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want one about %q", want)
	case !errors.Is(err, kind) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "part.parquet"):
		t.Errorf("error %q, want one of kind %q that names part.parquet and says %q", err, kind, want)
	}
}

func openWith(data []byte, lim Limits) (*File, error) {
	return OpenFile(bytes.NewReader(data), int64(len(data)), "part.parquet", lim)
}

// readWhole opens and reads everything, and counts the rows.
func readWhole(data []byte, lim Limits) (rows int64, err error) {
	f, err := openWith(data, lim)
	if err != nil {
		return 0, err
	}
	for _, name := range columnNames(f) {
		rows = 0
		if err := eachBatch(f, []string{name}, func(b arrow.RecordBatch) { rows += b.NumRows() }); err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func TestOpenForeignFiles(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte("user_id,churn_score\n")); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ data, want string }{
		"empty":          {"", "empty file"},
		"one byte":       {"P", "text"},
		"magic alone":    {"PAR1", "4 bytes"},
		"csv":            {"user_id,churn_score\n1,0.5\n", "CSV"},
		"csv in French":  {"identité,é\n" + strings.Repeat("é", 600), "CSV"},
		"gzip":           {zipped.String(), "gzip"},
		"json lines":     {`{"user_id":1}` + "\n", "JSON"},
		"orc":            {"ORC\x00\x01\x02", "ORC"},
		"avro":           {"Obj\x01\x04\x14avro.codec", "Avro"},
		"zip":            {"PK\x03\x04\x00\x00", "zip"},
		"zstd":           {"\x28\xb5\x2f\xfd\x00\x00", "zstd"},
		"encrypted":      {"PARE" + strings.Repeat("\x00", 40) + "PARE", "encrypted"},
		"binary":         {"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", "00 01 02 03"},
		"cut off":        {"PAR1" + strings.Repeat("\x00", 40), "cut off or still being written"},
		"endless footer": {"PAR1" + strings.Repeat("\x00", 40) + "\xff\xff\xff\xff" + "PAR1", "footer of 4294967295 bytes"},
		"empty footer":   {"PAR1" + "\x00\x00\x00\x00" + "PAR1", "footer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openWith([]byte(c.data), DefaultLimits())
			mustFail(t, err, ErrDamaged, c.want)
		})
	}
}

// small is a file with several row groups, an optional and a required column.
func small(t testing.TB) []byte {
	w := uncompressed
	w.groupRows = 40
	return w.write(t, matrixBatch(100, 50))
}

func TestTruncatedAnywhere(t *testing.T) {
	data := numbers(t, 300, uncompressed)
	for n := range data {
		if _, err := openWith(data[:n], DefaultLimits()); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d of %d bytes: error %v, want ErrDamaged", n, len(data), err)
		}
	}
}

func TestBytesMissingInside(t *testing.T) {
	data := small(t)
	for at := 4; at < len(data)-50; at += 397 {
		cut := append(bytes.Clone(data[:at]), data[at+40:]...)
		if rows, err := readWhole(cut, DefaultLimits()); err == nil && rows != 100 {
			t.Fatalf("40 bytes missing at %d: %d rows as success", at, rows)
		}
	}
}

func TestFlippedBits(t *testing.T) {
	data := words(t, strings.Fields(strings.Repeat("a b c a b ", 30)), writing{encoding: "dictionary", groupRows: 70})
	for at := range data {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			data[at] ^= mask
			if rows, err := readWhole(data, DefaultLimits()); err == nil && rows != 150 && rows != 0 {
				t.Fatalf("byte %d flipped by %#x: %d rows as success", at, mask, rows)
			} else if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrSchema) {
				t.Fatalf("byte %d flipped by %#x: error without a kind: %v", at, mask, err)
			}
			data[at] ^= mask
		}
	}
}

func TestLyingFooters(t *testing.T) {
	w := uncompressed
	w.groupRows = 100
	data := numbers(t, 300, w)
	for want, lie := range map[string]func(*metadata.FileMetaData){
		"200 rows in the row groups":                func(m *metadata.FileMetaData) { m.RowGroups = m.RowGroups[:2] },
		"found -1 rows":                             func(m *metadata.FileMetaData) { m.NumRows = -1 },
		"row group 1 has -1 rows":                   func(m *metadata.FileMetaData) { m.RowGroups[1].NumRows = -1 },
		"row group 2 has 9223372036854775807 rows":  func(m *metadata.FileMetaData) { m.RowGroups[2].NumRows = math.MaxInt64 },
		"row group 2 has 100 rows, which does not":  func(m *metadata.FileMetaData) { m.NumRows = 299 },
		"found 99 values, expected the group's 100": func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.NumValues = 99 },
		"found values of type INT64":                func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.Type = 2 },
		"lies at bytes 9223372036854775807":         func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = math.MaxInt64 },
		"column chunk at byte -4":                   func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = -4 },
		"column 0 lies at bytes 4 to 3":             func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.TotalCompressedSize = -1 },
		"inside the":                                func(m *metadata.FileMetaData) { m.RowGroups[2].Columns[0].MetaData.TotalCompressedSize = 1 << 40 },
		"row group without columns":                 func(m *metadata.FileMetaData) { m.RowGroups[1].Columns = nil },
		"has 2 column chunks, expected 1": func(m *metadata.FileMetaData) {
			m.RowGroups[1].Columns = append(m.RowGroups[1].Columns, m.RowGroups[1].Columns[0])
		},
		"chunk without metadata":            func(m *metadata.FileMetaData) { m.RowGroups[1].Columns[0].MetaData = nil },
		"found no columns":                  func(m *metadata.FileMetaData) { m.FileMetaData.Schema = m.FileMetaData.Schema[:1] },
		"found 1 columns, expected the 2":   func(m *metadata.FileMetaData) { *m.FileMetaData.Schema[0].NumChildren = 2 },
		"has 5 children, expected a type":   func(m *metadata.FileMetaData) { m.FileMetaData.Schema[1].NumChildren = of(int32(5)) },
		"fewer elements than it declares":   func(m *metadata.FileMetaData) { nest(m, 5) },
		"has -2 children, expected a type":  func(m *metadata.FileMetaData) { nest(m, -2) },
		"fewer elements than it declares; ": func(m *metadata.FileMetaData) { nest(m, math.MaxInt32) },
	} {
		t.Run(want, func(t *testing.T) {
			_, err := openWith(withFooter(t, data, lie), DefaultLimits())
			mustFail(t, err, ErrDamaged, want)
		})
	}
}

func TestRowGroupLacksColumns(t *testing.T) {
	_, err := openWith(withFooter(t, small(t), func(m *metadata.FileMetaData) {
		m.RowGroups[1].Columns = m.RowGroups[1].Columns[:80]
	}), DefaultLimits())
	mustFail(t, err, ErrDamaged, "row group 1 has 80 column chunks, expected 88")
}

func of[T any](v T) *T { return &v }

// nest makes the only column a group of n children.
func nest(m *metadata.FileMetaData, n int32) {
	m.FileMetaData.Schema[1].Type, m.FileMetaData.Schema[1].NumChildren = nil, &n
}

// A footer that is true to itself and not to the pages is found out while reading.
func TestFooterAgainstPages(t *testing.T) {
	data := numbers(t, 100, uncompressed)
	claim := func(rows int64) []byte {
		return withFooter(t, data, func(m *metadata.FileMetaData) {
			m.NumRows, m.RowGroups[0].NumRows, m.RowGroups[0].Columns[0].MetaData.NumValues = rows, rows, rows
		})
	}
	for rows, want := range map[int64]string{
		0:         `row group 0: column "n": found more rows than the footer says`,
		99:        "found a page of 100 rows where the footer leaves 99",
		101:       "1 rows early",
		1_000_000: "rows early",
	} {
		_, err := readWhole(claim(rows), DefaultLimits())
		mustFail(t, err, ErrDamaged, want)
	}
}

func TestFooterLimits(t *testing.T) {
	data := small(t)
	for want, change := range map[string]func(*Limits){
		"footer of":                  func(l *Limits) { l.Footer = 100 },
		"88 columns, more than":      func(l *Limits) { l.Columns = 87 },
		"found more than 5 columns":  func(l *Limits) { l.Columns = 5 },
		"100 rows, more than the":    func(l *Limits) { l.Rows = 99 },
		"bytes, more than the limit": func(l *Limits) { l.Page = 30 },
		"value of 21 bytes":          func(l *Limits) { l.Value = 19 },
	} {
		lim := DefaultLimits()
		change(&lim)
		_, err := readWhole(data, lim)
		mustFail(t, err, ErrDamaged, want)
	}
	lim := DefaultLimits()
	lim.Rows, lim.Columns = 0, 88
	if rows, err := readWhole(data, lim); rows != 100 || err != nil {
		t.Errorf("read %d rows, %v; want 100 without a limit of rows", rows, err)
	}
}

// flaky fails every read of a certain byte.
type flaky struct {
	io.ReaderAt
	at  int64
	err error
}

func (f flaky) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.at && f.at < off+int64(len(p)) {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}

// A store that fails is not a damaged part: a rerun may succeed.
func TestStoreFails(t *testing.T) {
	data := numbers(t, 300_000, writing{groupRows: 1 << 20, encoding: "plain"})
	broken := errors.New("connection reset")
	size := int64(len(data))
	for _, at := range []int64{0, size - 1, size - tailBytes - 1} {
		_, err := OpenFile(flaky{bytes.NewReader(data), at, broken}, size, "part.parquet", DefaultLimits())
		if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d failing: error %v, want %v and not ErrDamaged", at, err, broken)
		}
	}
	for _, at := range []int64{50, readAhead + 1000} { // with a header, with a body
		f := openBytes(t, data)
		f.input = flaky{bytes.NewReader(data), at, broken}
		err := eachBatch(f, []string{"n"}, func(arrow.RecordBatch) {})
		if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `row group 0: column "n"`) {
			t.Errorf("byte %d failing: error %v, want %v in row group 0 of column n", at, err, broken)
		}
	}
}

func TestPartShrinksWhileRead(t *testing.T) {
	data := numbers(t, 100, uncompressed)
	_, err := OpenFile(bytes.NewReader(data[:50]), int64(len(data)), "part.parquet", DefaultLimits())
	mustFail(t, err, ErrDamaged, "at byte 605: the part has become shorter")
	f := openBytes(t, data)
	f.input = bytes.NewReader(data[:50])
	mustFail(t, eachBatch(f, []string{"n"}, func(arrow.RecordBatch) {}), ErrDamaged, "at byte 4: the part has become shorter")
}

func TestReadArguments(t *testing.T) {
	f := openBytes(t, small(t))
	ctx := context.Background()
	for _, r := range [][2]int{{-1, 1}, {0, -1}, {0, 4}, {3, 1}, {math.MaxInt, 1}} {
		if _, err := f.Read(ctx, r[0], r[1], nil); err == nil {
			t.Errorf("Read of row groups %v of 3 succeeded", r)
		}
	}
	_, err := f.Read(ctx, 0, 1, []string{"churn_score"})
	mustFail(t, err, ErrSchema, `has no column "churn_score"; it has`)
	mustFail(t, err, ErrSchema, "and 78 more")
	_, err = openBytes(t, numbers(t, 3, uncompressed)).Read(ctx, 0, 1, []string{"churn_score"})
	mustFail(t, err, ErrSchema, `it has ["n"]`)
}

func TestReadStopsWithItsContext(t *testing.T) {
	f := openBytes(t, numbers(t, 2*BatchRows, uncompressed))
	ctx, cancel := context.WithCancel(context.Background())
	r, err := f.Read(ctx, 0, 1, []string{"n"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, context.Canceled) || errors.Is(err, ErrDamaged) {
			t.Errorf("error %v after cancel, want context.Canceled", err)
		}
	}
}

func TestReaderCloses(t *testing.T) {
	f := openBytes(t, numbers(t, 100, uncompressed))
	r, err := f.Read(context.Background(), 0, 1, []string{"n", "n"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next()
	if err != nil || b.NumCols() != 2 || b.Column(1).(*array.Int32).Value(99) != 99 {
		t.Fatalf("batch %v, error %v", b, err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Next after Close gave %v, want an error", err)
	}
}

func TestReadSomeGroupsWithoutColumns(t *testing.T) {
	f := openBytes(t, small(t))
	for columns, want := range map[int]int64{0: 60, 1: 60} {
		r, err := f.Read(context.Background(), 1, 2, columnNames(f)[:columns])
		if err != nil {
			t.Fatal(err)
		}
		rows := int64(0)
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			rows += b.NumRows()
		}
		if rows != want {
			t.Errorf("%d rows with %d columns, want %d", rows, columns, want)
		}
	}
}

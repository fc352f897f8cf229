package audience_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/audience"
)

func TestCountCSV(t *testing.T) {
	for _, test := range []struct {
		in   string
		want int64 // -1 where the file is damaged
	}{
		{"a\r\n", 0},
		{"a,b\r\n1,2\r\n,\r\n", 2},
		{"a,b\r\n\"x\r\n,\"\"y\",\"\"\r\n", 1},
		{"a\r\n\"\"\r\n\"\"\r\n", 2},
		{"", -1},
		{"a", -1},
		{"a\r", -1},
		{"a\n1\n", -1},
		{"a\r\n1", -1},
		{"a\r\n\r\n", -1},
		{"a\r\n\"1\r\n", -1},
		{"a\r\n\"1\"x\r\n", -1},
		{"a\r\n1\"\r\n", -1},
		{"a\r\n1\rx\r\n", -1},
		{"a,b\r\n1\r\n", -1},
		{"a\r\n1,2\r\n", -1},
		{"a\r\n\n", -1},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
			got, err := audience.CountCSV(r)
			if test.want < 0 && !errors.Is(err, audience.ErrDamaged) || test.want >= 0 && (err != nil || got != test.want) {
				t.Errorf("%q: %d, %v; want %d", test.in, got, err, test.want)
			}
		}
	}
	if _, err := audience.CountCSV(iotest.ErrReader(errFull)); !errors.Is(err, errFull) {
		t.Errorf("a reader that fails: error %v", err)
	}
}

// FuzzCountCSV holds whole buffers, in which most lines are taken at once, against one
// byte at a time.
func FuzzCountCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\r\n1,2\r\n,\r\n", "a\r\n\"x\r\ny\"\r\nz\r\n", "a,b\r\n1,2\n", "a,b\r\n1\r2\r\n", "a,b\r\n1,2,3\r\n", "a\r\nx\r\n\r\n", "a\r\nx\"\r\n", "a\r\nx\r\nz",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := audience.CountCSV(bytes.NewReader(data))
		want, wantErr := audience.CountCSV(iotest.OneByteReader(bytes.NewReader(data)))
		if n != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%q: %d, %v; a byte at a time %d, %v", data, n, err, want, wantErr)
		}
	})
}

func TestCountParquetOfADamagedFile(t *testing.T) {
	data := writeTexts(t, 200, 200, func(i int) (string, bool) { return fmt.Sprint(i * i), i%4 > 0 })
	count := func(data []byte) (int64, error) {
		return audience.CountParquet(bytes.NewReader(data), int64(len(data)))
	}
	if n, err := count(data); n != 200 || err != nil {
		t.Fatalf("undamaged: %d, %v", n, err)
	}
	for cut := range data {
		if _, err := count(data[:cut]); !errors.Is(err, audience.ErrDamaged) {
			t.Fatalf("cut at byte %d of %d: error %v, want ErrDamaged", cut, len(data), err)
		}
	}
	if _, err := count([]byte(strings.Repeat("not a parquet file\n", 10))); !errors.Is(err, audience.ErrDamaged) {
		t.Errorf("a text file: error %v, want ErrDamaged", err)
	}
}

// TestFlippedBitsInFrames flips a bit in the bytes of every zstd frame but the
// last: other values or nulls never come without an error.
func TestFlippedBitsInFrames(t *testing.T) {
	data := writeTexts(t, 60, 60, func(i int) (string, bool) { return fmt.Sprint(i / 9), i%5 > 1 })
	_, want := readBack(t, data)
	const header = 64 // at most so many bytes stand between two frames
	frames := framesIn(data)
	for i, first := range frames[:len(frames)-1] {
		for at := first; at < frames[i+1]-header; at++ {
			damaged := bytes.Clone(data)
			damaged[at] ^= 0x10
			if _, err := audience.CountParquet(bytes.NewReader(damaged), int64(len(damaged))); err == nil {
				if _, got := readBack(t, damaged); !cmp.Equal(want, got) {
					t.Fatalf("byte %d flipped: other values, and no error", at)
				}
			}
		}
	}
}

// framesIn finds where zstd frames begin.
func framesIn(data []byte) (at []int) {
	for i := range data[:len(data)-5] {
		if binary.LittleEndian.Uint32(data[i:]) == 0xFD2FB528 {
			at = append(at, i)
		}
	}
	return at
}

// TestLyingFooter changes the rows that the footer of a file claims.
func TestLyingFooter(t *testing.T) {
	data := writeTexts(t, 200, 200, func(int) (string, bool) { return "x", true })
	meta := openParquet(t, data).MetaData()
	for name, lie := range map[string]func(){
		"the file's":      func() { meta.FileMetaData.NumRows = 201 },
		"the row group's": func() { meta.FileMetaData.RowGroups[0].NumRows = 199 },
	} {
		lie()
		var footer bytes.Buffer
		if _, err := meta.WriteTo(&footer, nil); err != nil {
			t.Fatal(err)
		}
		old := int(binary.LittleEndian.Uint32(data[len(data)-8:]))
		lying := append(bytes.Clone(data[:len(data)-8-old]), footer.Bytes()...)
		lying = append(binary.LittleEndian.AppendUint32(lying, uint32(footer.Len())), "PAR1"...)
		if n, err := audience.CountParquet(bytes.NewReader(lying), int64(len(lying))); !errors.Is(err, audience.ErrDamaged) {
			t.Errorf("%s rows: %d, %v; want ErrDamaged", name, n, err)
		}
	}
}

// TestCountParquetOfAForeignFile has a column of a type that is never written.
func TestCountParquetOfAForeignFile(t *testing.T) {
	b, s := one(t, arrow.FixedWidthTypes.Timestamp_ns, `["2026-11-22T00:00:00Z"]`)
	table := array.NewTableFromRecords(s, []arrow.RecordBatch{b.Batch})
	var out bytes.Buffer
	props := pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(true))
	if err := pqarrow.WriteTable(table, &out, 1, nil, props); err != nil {
		t.Fatal(err)
	}
	_, err := audience.CountParquet(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if !errors.Is(err, audience.ErrDamaged) || !strings.Contains(err.Error(), "INT96") {
		t.Errorf("error %v, want ErrDamaged with the type", err)
	}
}

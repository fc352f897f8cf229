package audience_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/churntier/churntier/pipeline/audience"
)

// numbersOf writes a column of numbers beside an id, as snappy or zstd, in blocks of
// 10,000 rows; valid says which are not null.
func numbersOf(t *testing.T, compression string, typ arrow.DataType, rows int, add func(b array.Builder, row int)) []byte {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "n", Type: typ, Nullable: true}}, nil)
	l := audience.Layout{ID: "id", Columns: []audience.Column{{Name: "id", Column: "id"}, {Name: "n", Column: "n"}}}
	var out bytes.Buffer
	e, err := audience.NewParquet(&out, l, s, audience.ParquetOptions{Compression: compression})
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for from := 0; from < rows; from += 10_000 {
		to := min(rows, from+10_000)
		for row := from; row < to; row++ {
			b.Field(0).(*array.Int64Builder).Append(int64(row))
			add(b.Field(1), row)
		}
		if err := e.Write(&audience.Block{Batch: b.NewRecordBatch()}, ascending(to-from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestNumbersOfManyKinds writes columns of numbers with few and many different ones,
// over two row groups, and compares values, bounds and the way they are stored.
func TestNumbersOfManyKinds(t *testing.T) {
	const rows = 130_000
	rng := rand.New(rand.NewPCG(1, 2))
	zero := math.Copysign(0, -1)
	for _, test := range []struct {
		name  string
		coded bool // in the first row group
		value func(row int) (float64, bool)
	}{
		{"one", true, func(int) (float64, bool) { return 20_000, true }},
		{"few", true, func(int) (float64, bool) { return float64(rng.IntN(10_001)), true }},
		{"few, some null", true, func(row int) (float64, bool) { return float64(row % 37), rng.IntN(9) > 0 }},
		{"rarely null", true, func(row int) (float64, bool) { return float64(row % 3), row%5000 != 77 }},
		{"30,000", true, func(row int) (float64, bool) { return float64(row * 7 % 30_000), true }},
		{"all different", false, func(row int) (float64, bool) { return float64(row) + 0.25, true }},
		{"different, half of them null", false, func(row int) (float64, bool) { return float64(row), row%2 == 1 }},
		{"few, then many", true, func(row int) (float64, bool) { return float64(max(0, row-122_880)), true }},
		{"null for a group", false, func(row int) (float64, bool) { return 5, row >= 122_880 }},
		{"no number and zeros", true, func(row int) (float64, bool) {
			return []float64{math.NaN(), zero, 0}[row%3], true
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			values, valid := make([]float64, rows), make([]bool, rows)
			for i := range values {
				values[i], valid[i] = test.value(i)
			}
			checkNumbers(t, "zstd", test.coded, arrow.PrimitiveTypes.Float64, values, valid, func(v float64) float64 { return v })
			checkNumbers(t, "snappy", test.coded, arrow.PrimitiveTypes.Float32, values, valid, func(v float64) float32 { return float32(v) })
			if !math.IsNaN(values[0]) {
				checkNumbers(t, "snappy", test.coded, arrow.PrimitiveTypes.Int64, values, valid, func(v float64) int64 { return -int64(v) })
				checkNumbers(t, "zstd", test.coded, arrow.PrimitiveTypes.Int32, values, valid, func(v float64) int32 { return int32(v) - 100 })
			}
		})
	}
}

func checkNumbers[T int32 | int64 | float32 | float64](t *testing.T, compression string, coded bool, typ arrow.DataType, values []float64, valid []bool, as func(float64) T) {
	t.Helper()
	data := numbersOf(t, compression, typ, len(values), func(b array.Builder, row int) {
		if valid[row] {
			b.(interface{ Append(T) }).Append(as(values[row]))
		} else {
			b.AppendNull()
		}
	})
	_, got := readBack(t, data)
	for i, row := range got {
		var want any
		if valid[i] {
			want = as(values[i])
		}
		if row[0] != int64(i) || row[1] != want && row[1] == row[1] {
			t.Fatalf("%s: row %d is %v, want %v", typ, i, row, want)
		}
	}
	if n, err := audience.CountParquet(bytes.NewReader(data), int64(len(data))); n != int64(len(values)) || err != nil {
		t.Errorf("%s: CountParquet = %d, %v", typ, n, err)
	}
	for g := range openParquet(t, data).NumRowGroups() {
		chunk, err := openParquet(t, data).MetaData().RowGroup(g).ColumnChunk(1)
		if err != nil {
			t.Fatal(err)
		}
		from := g * 122_880
		to := min(len(values), from+122_880)
		if g == 0 && chunk.HasDictionaryPage() != coded {
			t.Errorf("%s: a dictionary: %t, want %t", typ, chunk.HasDictionaryPage(), coded)
		}
		checkBounds(t, chunk, values[from:to], valid[from:to], as)
	}
}

// checkBounds compares the statistics of a chunk with its values.
func checkBounds[T int32 | int64 | float32 | float64](t *testing.T, chunk *metadata.ColumnChunkMetaData, values []float64, valid []bool, as func(float64) T) {
	t.Helper()
	var numbers []T
	nulls := int64(0)
	for i, v := range values {
		switch {
		case !valid[i]:
			nulls++
		case !math.IsNaN(v):
			numbers = append(numbers, as(v))
		}
	}
	s, err := chunk.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	if s.NullCount() != nulls || s.HasMinMax() != (len(numbers) > 0) {
		t.Errorf("%d nulls, has bounds: %t; want %d, %t", s.NullCount(), s.HasMinMax(), nulls, len(numbers) > 0)
	}
	if len(numbers) == 0 {
		return
	}
	least, greatest := slices.MinFunc(numbers, cmp.Compare[T]), slices.MaxFunc(numbers, cmp.Compare[T])
	want, _ := binary.Append(nil, binary.LittleEndian, []T{least, greatest})
	got := slices.Concat(s.EncodeMin(), s.EncodeMax())
	if math.Signbit(float64(as(math.Copysign(0, -1)))) { // of the zeros, -0 is the least and +0 the greatest
		if least == 0 {
			want[len(want)/2-1] = 0x80
		}
		if greatest == 0 {
			want[len(want)-1] = 0
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("bounds %x, want %x", got, want)
	}
}

// TestIncompressiblePagesUnderSnappy: random texts are stored as they are, in a chunk
// that says so, and the columns beside it stay compressed.
func TestIncompressiblePagesUnderSnappy(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, test := range []struct {
		compression string
		value       func(row int) float64
		want        string
	}{
		{"snappy", func(int) float64 { return rng.Float64() }, "UNCOMPRESSED"},
		{"snappy", func(row int) float64 { return float64(row) }, "SNAPPY"},
		{"snappy", func(row int) float64 { return float64(row % 9) }, "SNAPPY"},
		{"zstd", func(int) float64 { return rng.Float64() }, "ZSTD"},
	} {
		const rows = 20_000
		data := numbersOf(t, test.compression, arrow.PrimitiveTypes.Float64, rows, func(b array.Builder, row int) {
			b.(*array.Float64Builder).Append(test.value(row))
		})
		chunk, err := openParquet(t, data).MetaData().RowGroup(0).ColumnChunk(1)
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Compression().String() != test.want {
			t.Errorf("a chunk under %s has the codec %s, want %s", test.compression, chunk.Compression(), test.want)
		}
		if n, err := audience.CountParquet(bytes.NewReader(data), int64(len(data))); n != rows || err != nil {
			t.Errorf("CountParquet = %d, %v", n, err)
		}
	}
}

// TestChunksInTheFooter: what the footer says of each chunk's place, size and pages is
// what stands there.
func TestChunksInTheFooter(t *testing.T) {
	data := numbersOf(t, "zstd", arrow.PrimitiveTypes.Float64, 130_000, func(b array.Builder, row int) {
		b.(*array.Float64Builder).Append(float64(row / 122_880 * row))
	})
	r := openParquet(t, data)
	at := int64(len("PAR1"))
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		for c := range group.NumColumns() {
			chunk, err := group.MetaData().ColumnChunk(c)
			pages, err2 := group.GetColumnPageReader(c)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			first := chunk.DataPageOffset()
			if chunk.HasDictionaryPage() {
				first = chunk.DictionaryPageOffset()
			}
			if first != at {
				t.Errorf("group %d, column %d begins at %d, want %d", g, c, first, at)
			}
			at += chunk.TotalCompressedSize()
			stored := map[parquet.Encoding]bool{}
			for pages.Next() {
				stored[parquet.Encoding(pages.Page().Encoding())] = true
			}
			said := map[parquet.Encoding]bool{}
			for _, s := range chunk.EncodingStats() {
				said[s.Encoding] = true
			}
			if !maps.Equal(stored, said) {
				t.Errorf("group %d, column %d has pages in %v, the footer says %v", g, c, stored, said)
			}
		}
	}
}

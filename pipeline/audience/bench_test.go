package audience_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
)

const benchRows = 16_384

// benchBlock holds users as a snapshot does: an id of 13 characters, two
// columns with a few different texts, one with nulls, and a number.
func benchBlock() (*audience.Block, audience.Layout) {
	rng := rand.New(rand.NewPCG(1, 2))
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	s := arrow.NewSchema([]arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String},
		{Name: "country", Type: coded, Nullable: true},
		{Name: "plan", Type: coded, Nullable: true},
		{Name: "ltv", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	block := &audience.Block{}
	for range benchRows {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("u%012d", rng.Uint64N(1e12)))
		if rng.IntN(50) == 0 {
			b.Field(1).AppendNull()
		} else {
			_ = b.Field(1).(*array.BinaryDictionaryBuilder).AppendString([]string{"FR", "DE", "BE", "ES", "IT", "NL", "PT"}[rng.IntN(7)])
		}
		_ = b.Field(2).(*array.BinaryDictionaryBuilder).AppendString([]string{"free", "basic", "premium"}[rng.IntN(3)])
		b.Field(3).(*array.Float64Builder).Append(float64(rng.IntN(1_000_000)) / 100)
		h := uint16(rng.IntN(10_001))
		block.Hundredths = append(block.Hundredths, h)
		block.Category = append(block.Category, uint8(min(h/2500, 3)+1)/2)
	}
	block.Batch = b.NewRecordBatch()
	layout := audience.Layout{ID: "user_id", Categories: []string{"high", "medium", "low"}, Columns: audience.DefaultColumns("user_id")}
	for _, name := range []string{"country", "plan", "ltv"} {
		layout.Columns = append(layout.Columns, audience.Column{Name: name, Column: name})
	}
	return block, layout
}

func benchmarkEncoder(b *testing.B, open func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error)) {
	block, layout := benchBlock()
	rows := make([]int32, benchRows)
	for i := range rows {
		rows[i] = int32(i)
	}
	var size countingWriter
	e, err := open(&size, layout, block.Batch.Schema())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Write(block, rows); err != nil {
			b.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(e.Rows())/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(size)/float64(e.Rows()), "B/row")
	b.SetBytes(int64(size) / int64(b.N)) // written
}

type countingWriter int64

func (c *countingWriter) Write(p []byte) (int, error) {
	*c += countingWriter(len(p))
	return len(p), nil
}

func BenchmarkParquet(b *testing.B) {
	for _, compression := range []string{"zstd", "snappy"} {
		b.Run(compression, func(b *testing.B) {
			benchmarkEncoder(b, func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
				return audience.NewParquet(w, l, s, audience.ParquetOptions{Compression: compression})
			})
		})
	}
}

func BenchmarkCSV(b *testing.B) {
	for _, columns := range []int{3, 6} { // the default ones; all
		b.Run(fmt.Sprintf("%d columns", columns), func(b *testing.B) {
			benchmarkEncoder(b, func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
				l.Columns = l.Columns[:columns]
				return audience.NewCSV(w, l, s, audience.CSVOptions{})
			})
		})
	}
}

func BenchmarkJSONL(b *testing.B) {
	benchmarkEncoder(b, func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
		return audience.NewJSONL(w, l, s)
	})
}

func BenchmarkGzip(b *testing.B) {
	benchmarkEncoder(b, func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
		return audience.NewGzip(w, func(w io.Writer) (audience.Encoder, error) { return audience.NewJSONL(w, l, s) })
	})
}

// BenchmarkCount reads a file of the benchmark's users back.
func BenchmarkCount(b *testing.B) {
	block, layout := benchBlock()
	rows := make([]int32, benchRows)
	for i := range rows {
		rows[i] = int32(i)
	}
	jsonl := func(w io.Writer) (audience.Encoder, error) { return audience.NewJSONL(w, layout, block.Batch.Schema()) }
	for _, form := range []struct {
		name  string
		open  func(io.Writer) (audience.Encoder, error)
		count func(io.Reader) (int64, error)
	}{
		{"csv", func(w io.Writer) (audience.Encoder, error) {
			return audience.NewCSV(w, layout, block.Batch.Schema(), audience.CSVOptions{})
		}, audience.CountCSV},
		{"jsonl", jsonl, audience.CountJSONL},
		{"jsonl.gz", func(w io.Writer) (audience.Encoder, error) { return audience.NewGzip(w, jsonl) },
			func(r io.Reader) (int64, error) { return audience.CountGzip(r, audience.CountJSONL) }},
	} {
		b.Run(form.name, func(b *testing.B) {
			var file bytes.Buffer
			e, err := form.open(&file)
			if err != nil {
				b.Fatal(err)
			}
			if err := errors.Join(e.Write(block, rows), e.Close()); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(file.Len()))
			for b.Loop() {
				if n, err := form.count(bytes.NewReader(file.Bytes())); n != benchRows || err != nil {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkHash writes the hash of every id beside it.
func BenchmarkHash(b *testing.B) {
	benchmarkEncoder(b, func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
		l.Columns = []audience.Column{{Name: "hash", Column: l.ID, Hash: audience.SHA256LowerTrim}}
		return audience.NewJSONL(w, l, s)
	})
}

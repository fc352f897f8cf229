package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

const (
	benchRows  = 500_000
	benchGroup = 122_880 // as DuckDB writes
)

// benchColumns are columns as snapshots have them, and the bytes of a row.
var benchColumns = []struct {
	name     string
	width    int64
	encoding string
	build    func(r *rand.Rand) arrow.Array
}{
	{"int32", 4, "plain", func(r *rand.Rand) arrow.Array {
		b := array.NewInt32Builder(memory.DefaultAllocator)
		for range benchRows {
			b.Append(r.Int32N(10_000))
		}
		return b.NewArray()
	}},
	{"float64", 8, "plain", func(r *rand.Rand) arrow.Array {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		for range benchRows {
			b.Append(r.Float64())
		}
		return b.NewArray()
	}},
	{"plain string", 13, "plain", benchIDs},
	{"string with its length apart", 13, "apart", benchIDs},
	{"dictionary string", 2, "dictionary", func(r *rand.Rand) arrow.Array {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		for range benchRows {
			b.Append([]string{"FR", "BE", "DE", "NL", "ES", "IT"}[r.IntN(6)])
		}
		return b.NewArray()
	}},
}

func benchIDs(*rand.Rand) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range benchRows {
		b.Append(fmt.Sprintf("user-%08d", i))
	}
	return b.NewArray()
}

// BenchmarkRead compares one column, with a few nulls possible and none there, read
// by us and by arrow-go's record reader.
func BenchmarkRead(b *testing.B) {
	for _, c := range benchColumns {
		values := c.build(rand.New(rand.NewPCG(1, 2)))
		schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: values.DataType(), Nullable: true}}, nil)
		w := writing{compress.Codecs.Snappy, parquet.DataPageV1, c.encoding, benchGroup}
		data := w.write(b, array.NewRecordBatch(schema, []arrow.Array{values}, benchRows))
		b.Run(c.name+"/ours", func(b *testing.B) { benchmarkRead(b, data, c.width, readOurs) })
		b.Run(c.name+"/pqarrow", func(b *testing.B) {
			benchmarkRead(b, data, c.width, func(data []byte) (int64, error) { return readPqarrow(data, c.encoding == "dictionary") })
		})
	}
}

func benchmarkRead(b *testing.B, data []byte, width int64, read func([]byte) (int64, error)) {
	b.SetBytes(benchRows * width)
	for b.Loop() {
		if n, err := read(data); n != benchRows || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func readOurs(data []byte) (rows int64, err error) {
	f, err := OpenFile(bytes.NewReader(data), int64(len(data)), "bench", DefaultLimits())
	if err != nil {
		return 0, err
	}
	err = eachBatch(f, []string{"c"}, func(b arrow.RecordBatch) { rows += b.NumRows() })
	return rows, err
}

func readPqarrow(data []byte, dictionary bool) (rows int64, err error) {
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	properties := pqarrow.ArrowReadProperties{BatchSize: BatchRows}
	properties.SetReadDict(0, dictionary)
	r, err := pqarrow.NewFileReader(f, properties, memory.DefaultAllocator)
	if err != nil {
		return 0, err
	}
	records, err := r.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		return 0, err
	}
	defer records.Release()
	for {
		b, err := records.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows += b.NumRows()
	}
}

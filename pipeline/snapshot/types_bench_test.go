package snapshot

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

// benchTypes are the types of columns that snapshots have, with the bytes of a value
// in memory; one of twenty values is null.
var benchTypes = []struct {
	kind     arrow.DataType
	encoding string
	width    int64
	value    func(*rand.Rand) string
}{
	{arrow.PrimitiveTypes.Int32, "plain", 4, func(r *rand.Rand) string { return fmt.Sprint(r.IntN(10_000)) }},
	{arrow.PrimitiveTypes.Int64, "special", 8, func(r *rand.Rand) string { return fmt.Sprint(r.IntN(10_000)) }},
	{arrow.PrimitiveTypes.Float32, "plain", 4, func(r *rand.Rand) string { return fmt.Sprint(r.Float32()) }},
	{arrow.PrimitiveTypes.Float64, "plain", 8, func(r *rand.Rand) string { return fmt.Sprint(r.Float64()) }},
	{arrow.FixedWidthTypes.Boolean, "plain", 1, func(r *rand.Rand) string { return fmt.Sprint(r.IntN(2) == 0) }},
	{arrow.FixedWidthTypes.Timestamp_us, "plain", 8, func(r *rand.Rand) string { return fmt.Sprintf("2026-11-22 %02d:%02d:00Z", r.IntN(24), r.IntN(60)) }},
	{arrow.BinaryTypes.String, "plain", 18, func(r *rand.Rand) string { return fmt.Sprintf("u_%016x", r.Uint64()) }},
	{arrow.BinaryTypes.String, "dictionary", 2, func(r *rand.Rand) string { return []string{"FR", "BE", "DE", "NL", "ES", "IT"}[r.IntN(6)] }},
}

// BenchmarkDecode reads a column of every type in every codec. Bytes are those in
// memory.
func BenchmarkDecode(b *testing.B) {
	for _, c := range benchTypes {
		batch := benchColumn(b, c.kind, c.value)
		for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd, compress.Codecs.Gzip, compress.Codecs.Brotli, compress.Codecs.Lz4Raw} {
			w := writing{codec, parquet.DataPageV1, c.encoding, benchGroup}
			b.Run(fmt.Sprintf("%s/%s/%s", c.kind.Name(), c.encoding, codec), func(b *testing.B) {
				data := w.write(b, batch)
				b.ReportAllocs()
				benchmarkRead(b, data, c.width, readOurs)
			})
		}
	}
}

func benchColumn(b *testing.B, kind arrow.DataType, value func(*rand.Rand) string) arrow.RecordBatch {
	r := rand.New(rand.NewPCG(1, 2))
	values := array.NewBuilder(memory.DefaultAllocator, kind)
	for range benchRows {
		if r.IntN(20) == 0 {
			values.AppendNull()
		} else if err := values.AppendValueFromString(value(r)); err != nil {
			b.Fatal(err)
		}
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: kind, Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{values.NewArray()}, benchRows)
}

// BenchmarkOpenFile reads the footer of a part with five row groups of one column.
func BenchmarkOpenFile(b *testing.B) {
	w := writing{compress.Codecs.Snappy, parquet.DataPageV1, "plain", benchGroup}
	data := w.write(b, benchColumn(b, benchTypes[0].kind, benchTypes[0].value))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := OpenFile(bytes.NewReader(data), int64(len(data)), "bench", DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

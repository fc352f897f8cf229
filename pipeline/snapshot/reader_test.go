package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"golang.org/x/sync/errgroup"
)

// Columns of the matrix: every type that pqarrow writes and we read.
var matrixTypes = []arrow.DataType{
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Float16, arrow.FixedWidthTypes.Boolean,
	arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, arrow.FixedWidthTypes.Date32,
	&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, &arrow.TimestampType{Unit: arrow.Microsecond},
	&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"},
	&arrow.Decimal128Type{Precision: 7, Scale: 2}, &arrow.Decimal128Type{Precision: 18, Scale: 4},
	&arrow.Decimal128Type{Precision: 38, Scale: 10}, &arrow.Decimal256Type{Precision: 60, Scale: 20},
}

// nulls says how a column of the matrix is optional, and how many nulls it has.
var matrixNulls = map[string]float64{"required": 0, "full": 0, "some": 0.3, "none": 1}

// matrixBatch makes n rows of every type in every way to be null. distinct is about
// how many different values a column has.
func matrixBatch(n, distinct int) arrow.RecordBatch {
	r := rand.New(rand.NewPCG(uint64(n), uint64(distinct)))
	var fields []arrow.Field
	var columns []arrow.Array
	ways := []string{"required", "some", "full", "none"}
	if n > 100 {
		ways = ways[:2] // for time's sake
	}
	for _, how := range ways {
		for _, t := range matrixTypes {
			b := array.NewBuilder(memory.DefaultAllocator, t)
			for range n {
				if r.Float64() < matrixNulls[how] {
					b.AppendNull()
				} else {
					appendRandom(b, r.Int64N(int64(distinct)))
				}
			}
			fields = append(fields, arrow.Field{Name: how + " " + t.String(), Type: t, Nullable: how != "required"})
			columns = append(columns, b.NewArray())
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(n))
}

func appendRandom(b array.Builder, v int64) {
	v *= 0x1E3779B97F4A7C15 // spread over the whole range of the type
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(v))
	case *array.Int16Builder:
		b.Append(int16(v))
	case *array.Int32Builder:
		b.Append(int32(v))
	case *array.Int64Builder:
		b.Append(v)
	case *array.Uint8Builder:
		b.Append(uint8(v))
	case *array.Uint16Builder:
		b.Append(uint16(v))
	case *array.Uint32Builder:
		b.Append(uint32(v))
	case *array.Uint64Builder:
		b.Append(uint64(v))
	case *array.Float32Builder:
		b.Append(float32(v) / 3)
	case *array.Float64Builder:
		b.Append(float64(v) / 3)
	case *array.Float16Builder:
		b.Append(float16.New(float32(v%2000) / 8))
	case *array.BooleanBuilder:
		b.Append(v&64 != 0)
	case *array.StringBuilder:
		b.Append(fmt.Sprintf("%x", uint64(v))[:uint64(v)%10%3*4])
	case *array.BinaryBuilder:
		b.Append(fmt.Appendf(nil, "user-%x", uint64(v)))
	case *array.Date32Builder:
		b.Append(arrow.Date32(int32(v) >> 8))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v))
	case *array.Decimal128Builder:
		if p := b.Type().(*arrow.Decimal128Type).Precision; p < precision128 {
			b.Append(decimal128.FromI64(v % int64(math.Pow10(int(p)))))
		} else {
			b.Append(decimal128.FromI64(v).Mul(decimal128.FromI64(^v)))
		}
	case *array.Decimal256Builder:
		b.Append(decimal256.FromI64(v).Mul(decimal256.FromI64(v)).Mul(decimal256.FromI64(-77)))
	default:
		panic(fmt.Sprintf("no values for %T", b))
	}
}

// writing says how a test file is written.
type writing struct {
	codec     compress.Compression
	version   parquet.DataPageVersion
	encoding  string // plain, dictionary, special, apart
	groupRows int64
}

func (w writing) String() string {
	return fmt.Sprintf("%s/v%d/%s/groups of %d", w.codec, w.version+1, w.encoding, w.groupRows)
}

// special gives the encoding that is made for a type.
func special(t arrow.DataType) parquet.Encoding {
	switch t.ID() {
	case arrow.STRING:
		return parquet.Encodings.DeltaByteArray
	case arrow.BINARY:
		return parquet.Encodings.DeltaLengthByteArray
	case arrow.FLOAT32, arrow.FLOAT64, arrow.FLOAT16, arrow.DECIMAL128, arrow.DECIMAL256:
		return parquet.Encodings.ByteStreamSplit
	case arrow.BOOL:
		return parquet.Encodings.RLE
	}
	return parquet.Encodings.DeltaBinaryPacked
}

func (w writing) properties(schema *arrow.Schema) *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCompression(w.codec), parquet.WithDataPageVersion(w.version),
		parquet.WithDictionaryDefault(w.encoding == "dictionary"),
		parquet.WithDataPageSize(20_000), parquet.WithMaxRowGroupLength(w.groupRows), parquet.WithBatchSize(1000),
		parquet.WithStoreDecimalAsInteger(w.encoding != "special"),
	}
	for _, f := range schema.Fields() {
		if w.encoding == "special" {
			options = append(options, parquet.WithEncodingFor(f.Name, special(f.Type)))
		}
		if w.encoding == "apart" && f.Type.ID() == arrow.STRING {
			options = append(options, parquet.WithEncodingFor(f.Name, parquet.Encodings.DeltaLengthByteArray))
		}
	}
	return parquet.NewWriterProperties(options...)
}

// write makes a Parquet file of one batch.
func (w writing) write(t testing.TB, batch arrow.RecordBatch) []byte {
	t.Helper()
	var out bytes.Buffer
	f, err := pqarrow.NewFileWriter(batch.Schema(), &out, w.properties(batch.Schema()), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Write(batch), f.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// plainly gives an array in the type that File.Schema tells: text without
// dictionary, and floats of 32 bits.
func plainly(a arrow.Array) arrow.Array {
	switch a := a.(type) {
	case *array.Dictionary:
		b := array.NewStringBuilder(memory.DefaultAllocator)
		texts := a.Dictionary().(*array.String)
		for i := range a.Len() {
			if a.IsNull(i) {
				b.AppendNull()
			} else {
				b.Append(texts.Value(a.GetValueIndex(i)))
			}
		}
		return b.NewArray()
	case *array.Binary:
		d := a.Data()
		return array.NewStringData(array.NewData(arrow.BinaryTypes.String, d.Len(), d.Buffers(), nil, d.NullN(), d.Offset()))
	case *array.LargeString:
		b := array.NewStringBuilder(memory.DefaultAllocator)
		for i := range a.Len() {
			if a.IsNull(i) {
				b.AppendNull()
			} else {
				b.Append(a.Value(i))
			}
		}
		return b.NewArray()
	case *array.Float16:
		b := array.NewFloat32Builder(memory.DefaultAllocator)
		for i := range a.Len() {
			if a.IsNull(i) {
				b.AppendNull()
			} else {
				b.Append(a.Value(i).Float32())
			}
		}
		return b.NewArray()
	}
	return a
}

// peerColumns reads columns with arrow-go's own table reader.
func peerColumns(data []byte) (map[string]arrow.Array, error) {
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		return nil, err
	}
	all := map[string]arrow.Array{}
	for i := range int(table.NumCols()) {
		whole, err := array.Concatenate(table.Column(i).Data().Chunks(), memory.DefaultAllocator)
		if err != nil {
			return nil, err
		}
		all[table.Column(i).Name()] = plainly(whole)
	}
	return all, nil
}

func eachBatch(f *File, columns []string, do func(arrow.RecordBatch)) (err error) {
	r, err := f.Read(context.Background(), 0, len(f.GroupRows()), columns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		do(b)
	}
}

func openBytes(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := OpenFile(bytes.NewReader(data), int64(len(data)), "part.parquet", DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func checkLikePeer(t *testing.T, data []byte, rows int) {
	t.Helper()
	checkFileLikePeer(t, openBytes(t, data), data, rows)
}

func checkFileLikePeer(t *testing.T, f *File, data []byte, rows int) {
	t.Helper()
	if f.Rows() != int64(rows) {
		t.Errorf("Rows() = %d, want %d", f.Rows(), rows)
	}
	want, err := peerColumns(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != f.Schema().NumFields() {
		t.Errorf("found %d columns, want %d", f.Schema().NumFields(), len(want))
	}
	at := int64(0)
	err = eachBatch(f, columnNames(f), func(b arrow.RecordBatch) {
		for i, c := range b.Columns() {
			name := b.ColumnName(i)
			if diff := firstDifference(array.NewSlice(want[name], at, at+b.NumRows()), c); diff != "" {
				t.Errorf("rows from %d: column %q: %s", at, name, diff)
			}
		}
		at += b.NumRows()
	})
	if err != nil || at != int64(rows) {
		t.Errorf("read %d rows (%v), want %d", at, err, rows)
	}
}

func columnNames(f *File) (names []string) {
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name)
	}
	return names
}

func firstDifference(want, got arrow.Array) string {
	plain := plainly(got)
	if array.Equal(want, plain) {
		return ""
	}
	for i := range min(want.Len(), plain.Len()) {
		if want.ValueStr(i) != plain.ValueStr(i) {
			return fmt.Sprintf("row %d is %v, want %v", i, plain.ValueStr(i), want.ValueStr(i))
		}
	}
	if got.Len() == want.Len() && arrow.TypeEqual(plain.DataType(), want.DataType()) {
		return "" // not a number equals itself here
	}
	return fmt.Sprintf("%d rows of %s, want %d of %s", got.Len(), got.DataType(), want.Len(), want.DataType())
}

func TestReadLikePqarrow(t *testing.T) {
	codecs := []compress.Compression{
		compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip,
		compress.Codecs.Brotli, compress.Codecs.Zstd, compress.Codecs.Lz4Raw,
	}
	turn := 0
	for _, rows := range []int{0, 1, 100, 16383, 16384, 16385, 40_000} {
		batch := matrixBatch(rows, 300)
		for _, encoding := range []string{"plain", "dictionary", "special", "apart"} {
			for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
				if turn++; rows > 100 && turn%2 == rows/100%2 {
					continue // every other one of the large files is enough
				}
				w := writing{codecs[turn%len(codecs)], version, encoding, 17_000}
				if w.version == parquet.DataPageV2 && w.codec == compress.Codecs.Brotli {
					w.codec = compress.Codecs.Gzip // pqarrow does not read its own pages of nulls alone
				}
				t.Run(fmt.Sprintf("%d rows/%s", rows, w), func(t *testing.T) {
					checkLikePeer(t, w.write(t, batch), rows)
				})
			}
		}
	}
}

// A File is read by many readers at once; run with -race.
func TestReadersSideBySide(t *testing.T) {
	batch := matrixBatch(20_000, 300)
	f := openBytes(t, writing{compress.Codecs.Zstd, parquet.DataPageV2, "dictionary", 7_000}.write(t, batch))
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			at := int64(0)
			return eachBatch(f, columnNames(f)[:20], func(b arrow.RecordBatch) {
				for i, c := range b.Columns() {
					if diff := firstDifference(plainly(array.NewSlice(batch.Column(i), at, at+b.NumRows())), c); diff != "" {
						t.Errorf("rows from %d: column %q: %s", at, b.ColumnName(i), diff)
					}
				}
				at += b.NumRows()
			})
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

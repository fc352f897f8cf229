package score

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"
)

func dictionary(index, value arrow.DataType) arrow.DataType {
	return &arrow.DictionaryType{IndexType: index, ValueType: value}
}

var (
	wholeTypes = []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	}
	plainNumberTypes = append([]arrow.DataType{
		arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32, arrow.FixedWidthTypes.Float16,
		&arrow.Decimal128Type{Precision: 38, Scale: 18}, &arrow.Decimal128Type{Precision: 9, Scale: 2},
		&arrow.Decimal256Type{Precision: 76, Scale: 40}, &arrow.Decimal256Type{Precision: 76, Scale: -3},
		dictionary(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64),
		dictionary(arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int64),
	}, wholeTypes...)
	featureTypes = append([]arrow.DataType{
		arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64,
		arrow.FixedWidthTypes.Timestamp_s, arrow.FixedWidthTypes.Timestamp_ms,
		arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Timestamp_ns,
	}, plainNumberTypes...)
	categoryTypes = append([]arrow.DataType{
		arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.FixedWidthTypes.Boolean,
		dictionary(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String),
		dictionary(arrow.PrimitiveTypes.Int16, arrow.BinaryTypes.String),
		dictionary(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String),
		dictionary(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String),
		dictionary(arrow.PrimitiveTypes.Uint8, arrow.BinaryTypes.String),
		dictionary(arrow.PrimitiveTypes.Uint16, arrow.BinaryTypes.String),
		dictionary(arrow.PrimitiveTypes.Uint32, arrow.BinaryTypes.String),
		dictionary(arrow.PrimitiveTypes.Uint64, arrow.BinaryTypes.String),
	}, wholeTypes...)
)

var (
	floats = rapid.OneOf(
		rapid.Float64Range(-1000, 1000),
		rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -1e308, 5e-324}),
	)
	texts = rapid.SampledFrom([]string{"a", "b", "true", "false", "-1", "0", "7", "", "missing", "never seen", "élan"})
)

// appendValue adds a random value of the builder's type.
func appendValue(t *rapid.T, b array.Builder) {
	small := func() int64 { return rapid.Int64Range(-1e15, 1e15).Draw(t, "n") }
	switch b := b.(type) {
	case *array.Float64Builder:
		b.Append(floats.Draw(t, "x"))
	case *array.Float32Builder:
		b.Append(float32(floats.Draw(t, "x")))
	case *array.Float16Builder:
		b.Append(float16.New(float32(floats.Draw(t, "x"))))
	case *array.BooleanBuilder:
		b.Append(rapid.Bool().Draw(t, "bool"))
	case *array.Decimal128Builder:
		b.Append(decimal128.New(rapid.Int64().Draw(t, "high")>>rapid.IntRange(0, 63).Draw(t, "shift"), rapid.Uint64().Draw(t, "low")))
	case *array.Decimal256Builder:
		word := rapid.Uint64()
		b.Append(decimal256.New(word.Draw(t, "w"), word.Draw(t, "w"), word.Draw(t, "w"), word.Draw(t, "w")))
	case *array.Date32Builder:
		b.Append(arrow.Date32(rapid.Int32Range(-1e5, 1e5).Draw(t, "day")))
	case *array.Date64Builder:
		b.Append(arrow.Date64(rapid.Int64Range(-1e5, 1e5).Draw(t, "day") * 86400000))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(small() % 1e11))
	case *array.Float64DictionaryBuilder:
		fail(t, b.Append(floats.Draw(t, "x")))
	case *array.Int64DictionaryBuilder:
		fail(t, b.Append(small()))
	case *array.BinaryDictionaryBuilder:
		fail(t, b.AppendString(texts.Draw(t, "text")))
	case *array.StringBuilder:
		b.Append(texts.Draw(t, "text"))
	case *array.LargeStringBuilder:
		b.Append(texts.Draw(t, "text"))
	default:
		appendWhole(t, b)
	}
}

func appendWhole(t *rapid.T, b array.Builder) {
	n := rapid.OneOf(rapid.Int64Range(-2, 8), rapid.Int64()).Draw(t, "n")
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(n))
	case *array.Int16Builder:
		b.Append(int16(n))
	case *array.Int32Builder:
		b.Append(int32(n))
	case *array.Int64Builder:
		b.Append(n)
	case *array.Uint8Builder:
		b.Append(uint8(n))
	case *array.Uint16Builder:
		b.Append(uint16(n))
	case *array.Uint32Builder:
		b.Append(uint32(n))
	case *array.Uint64Builder:
		b.Append(uint64(n))
	default:
		t.Fatalf("no values for %T", b)
	}
}

func fail(t fataler, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// randomBatch draws a batch with one column a name, of one of the types, with
// nulls, sliced out of a longer one. The caller releases it.
func randomBatch(t *rapid.T, mem memory.Allocator, columns map[string][]arrow.DataType, order []string) arrow.RecordBatch {
	total := rapid.IntRange(0, 60).Draw(t, "rows")
	nulls := rapid.SampledFrom([]int{0, 1, 5, 10}).Draw(t, "nulls in 10")
	fields, arrays := make([]arrow.Field, len(order)), make([]arrow.Array, len(order))
	for i, name := range order {
		dt := rapid.SampledFrom(columns[name]).Draw(t, "type of "+name)
		fields[i] = arrow.Field{Name: name, Type: dt, Nullable: true}
		arrays[i] = randomArray(t, mem, dt, total, nulls)
		defer arrays[i].Release()
	}
	whole := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(total))
	defer whole.Release()
	from := rapid.IntRange(0, total).Draw(t, "from")
	to := rapid.IntRange(from, total).Draw(t, "to")
	return whole.NewSlice(int64(from), int64(to))
}

func randomArray(t *rapid.T, mem memory.Allocator, dt arrow.DataType, rows, nullsInTen int) arrow.Array {
	b := array.NewBuilder(mem, dt)
	defer b.Release()
	for range rows {
		if rapid.IntRange(0, 9).Draw(t, "null") < nullsInTen {
			b.AppendNull()
		} else {
			appendValue(t, b)
		}
	}
	return b.NewArray()
}

// batchOf builds a batch of columns.
func batchOf(columns ...namedColumn) arrow.RecordBatch {
	fields, arrays := make([]arrow.Field, len(columns)), make([]arrow.Array, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.values.DataType(), Nullable: true}
		arrays[i] = c.values
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(arrays[0].Len()))
}

type namedColumn struct {
	name   string
	values arrow.Array
}

// columnOf builds an array from values as text; nil is null.
func columnOf(name string, dt arrow.DataType, values ...any) namedColumn {
	b := array.NewBuilder(memory.DefaultAllocator, dt)
	defer b.Release()
	for _, v := range values {
		if v == nil {
			b.AppendNull()
		} else if err := b.AppendValueFromString(fmt.Sprint(v)); err != nil {
			panic(err)
		}
	}
	return namedColumn{name, b.NewArray()}
}

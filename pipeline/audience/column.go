package audience

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// newColumn gives the Parquet schema of a column and its buffer.
func newColumn(f arrow.Field, plain bool) (schema.Node, column, error) {
	l := levels{optional: f.Nullable}
	var physical parquet.Type
	var logical schema.LogicalType
	var c column
	switch t := f.Type.(type) {
	case *arrow.StringType:
		physical, logical, c = parquet.Types.ByteArray, schema.StringLogicalType{}, newTexts(l, !plain)
	case *arrow.Int32Type:
		physical, c = parquet.Types.Int32, newFixed(l, gatherInt32)
	case *arrow.Int64Type:
		physical, c = parquet.Types.Int64, newFixed(l, gatherInt64)
	case *arrow.Float32Type:
		physical, c = parquet.Types.Float, newFixed(l, gatherFloat32)
	case *arrow.Float64Type:
		physical, c = parquet.Types.Double, newFixed(l, gatherFloat64)
	case *arrow.BooleanType:
		physical, c = parquet.Types.Boolean, &bools{levels: l}
	case *arrow.Date32Type:
		physical, logical, c = parquet.Types.Int32, schema.DateLogicalType{}, newFixed(l, gatherDays)
	case *arrow.TimestampType:
		physical, logical = parquet.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMicros)
		c = newFixed(l, gatherMicros)
	case *arrow.Decimal128Type:
		return newDecimalColumn(f.Name, t, l)
	default:
		return nil, nil, fmt.Errorf("%w: %q is %s", ErrColumn, f.Name, f.Type)
	}
	node, err := newNode(f.Name, l, logical, physical, -1)
	return node, c, err
}

func newNode(name string, l levels, logical schema.LogicalType, physical parquet.Type, width int) (schema.Node, error) {
	repetition := parquet.Repetitions.Required
	if l.optional {
		repetition = parquet.Repetitions.Optional
	}
	if logical == nil {
		logical = schema.NoLogicalType{}
	}
	return schema.NewPrimitiveNodeLogical(name, repetition, logical, physical, width, -1)
}

// fixed buffers a column of numbers.
type fixed[T fixedValue] struct {
	levels
	gather gather[T]
	values []T
	plain  bool // for the rest of the file: a row group had too many different values
}

func newFixed[T fixedValue](l levels, g gather[T]) *fixed[T] { return &fixed[T]{levels: l, gather: g} }

type fixedValue interface {
	int32 | int64 | float32 | float64
}

// gather appends the values of arr at rows, none of which is null, to dst.
type gather[T any] func(dst []T, arr arrow.Array, rows []int32) ([]T, error)

func (c *fixed[T]) append(arr arrow.Array, rows []int32) error {
	rows, err := c.keep(arr, rows)
	if err == nil {
		c.values, err = c.gather(c.values, arr, rows)
	}
	return err
}

func (c *fixed[T]) size() int { return 8*len(c.values) + 2*len(c.def) }

func (c *fixed[T]) flush(w *chunkWriter) (bounds, error) {
	defer c.reset()
	values, width := arrow.GetBytes(c.values), binary.Size(T(0))
	if !c.plain && len(values) > 0 {
		if codes, words, ok := w.number(values, width); ok {
			return boundsOf(arrow.GetData[T](words)), w.coded(&c.levels, codes, words, len(words)/width)
		}
		c.plain = true
	}
	return boundsOf(c.values), w.fixed(&c.levels, values, width)
}

func (c *fixed[T]) reset() {
	c.levels.reset()
	c.values = c.values[:0]
}

func (c *fixed[T]) renew() { c.plain = false }

// bools buffers a column of booleans, as 0 and 1.
type bools struct {
	levels
	values []uint16
}

func (c *bools) append(arr arrow.Array, rows []int32) error {
	rows, err := c.keep(arr, rows)
	if err != nil {
		return err
	}
	a, ok := arr.(*array.Boolean)
	if !ok {
		return notWritable(arr)
	}
	for _, r := range rows {
		v := uint16(0)
		if a.Value(int(r)) {
			v = 1
		}
		c.values = append(c.values, v)
	}
	return nil
}

func (c *bools) size() int { return 2*len(c.values) + 2*len(c.def) }

func (c *bools) flush(w *chunkWriter) (bounds, error) {
	defer c.reset()
	var b bounds
	if len(c.values) > 0 {
		b = bounds{[]byte{byte(slices.Min(c.values))}, []byte{byte(slices.Max(c.values))}}
	}
	return b, w.bools(&c.levels, c.values)
}

func (c *bools) reset() {
	c.levels.reset()
	c.values = c.values[:0]
}

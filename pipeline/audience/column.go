package audience

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// newColumn gives the Parquet schema of a column and its buffer.
func newColumn(f arrow.Field, plain bool) (schema.Node, column, error) {
	levels := levels{optional: f.Nullable}
	var physical parquet.Type
	var logical schema.LogicalType
	var c column
	switch t := f.Type.(type) {
	case *arrow.StringType:
		physical, logical, c = parquet.Types.ByteArray, schema.StringLogicalType{}, newTexts(levels, !plain)
	case *arrow.Int32Type:
		physical, c = parquet.Types.Int32, &fixed[int32]{levels: levels, gather: gatherInt32}
	case *arrow.Int64Type:
		physical, c = parquet.Types.Int64, &fixed[int64]{levels: levels, gather: gatherInt64}
	case *arrow.Float32Type:
		physical, c = parquet.Types.Float, &fixed[float32]{levels: levels, gather: gatherFloat32}
	case *arrow.Float64Type:
		physical, c = parquet.Types.Double, &fixed[float64]{levels: levels, gather: gatherFloat64}
	case *arrow.BooleanType:
		physical, c = parquet.Types.Boolean, &fixed[bool]{levels: levels, gather: gatherBool}
	case *arrow.Date32Type:
		physical, logical, c = parquet.Types.Int32, schema.DateLogicalType{}, &fixed[int32]{levels: levels, gather: gatherDays}
	case *arrow.TimestampType:
		physical, logical = parquet.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMicros)
		c = &fixed[int64]{levels: levels, gather: gatherMicros}
	case *arrow.Decimal128Type:
		return newDecimalColumn(f.Name, t, levels)
	default:
		return nil, nil, fmt.Errorf("%w: %q is %s", ErrColumn, f.Name, f.Type)
	}
	node, err := newNode(f.Name, levels, logical, physical, -1)
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

// levels holds the definition levels of an optional column: 1 where there is a
// value, 0 where there is null. A required column has none.
type levels struct {
	optional bool
	def      []int16
	present  []int32 // reused
}

// keep adds the levels of rows and gives the rows that hold a value.
func (l *levels) keep(arr arrow.Array, rows []int32) ([]int32, error) {
	if arr.NullN() == 0 {
		if l.optional {
			l.fill(len(rows))
		}
		return rows, nil
	}
	l.present = l.present[:0]
	valid, offset := arr.NullBitmapBytes(), arr.Data().Offset()
	for _, r := range rows {
		switch valid := bitutil.BitIsSet(valid, offset+int(r)); {
		case valid:
			l.present = append(l.present, r)
			l.level(1)
		case l.optional:
			l.level(0)
		default:
			return nil, badValue(r, "null in a column that must not hold it")
		}
	}
	return l.present, nil
}

func (l *levels) level(def int16) {
	if l.optional {
		l.def = append(l.def, def)
	}
}

func (l *levels) fill(n int) {
	for range n {
		l.def = append(l.def, 1)
	}
}

// fixed buffers a column of values of fixed width.
type fixed[T fixedValue] struct {
	levels
	gather gather[T]
	values []T
}

type fixedValue interface {
	int32 | int64 | float32 | float64 | bool
}

// gather appends the values of arr at rows, none of which is null, to dst.
type gather[T any] func(dst []T, arr arrow.Array, rows []int32) ([]T, error)

// batchWriter is what every typed column writer of arrow-go can do.
type batchWriter[T any] interface {
	WriteBatch(values []T, def, rep []int16) (int64, error)
}

func (c *fixed[T]) append(arr arrow.Array, rows []int32) error {
	rows, err := c.keep(arr, rows)
	if err == nil {
		c.values, err = c.gather(c.values, arr, rows)
	}
	return err
}

func (c *fixed[T]) size() int { return 8*len(c.values) + 2*len(c.def) }

func (c *fixed[T]) flush(w file.ColumnChunkWriter) error {
	_, err := w.(batchWriter[T]).WriteBatch(c.values, c.def, nil)
	c.values, c.def = c.values[:0], c.def[:0]
	return err
}

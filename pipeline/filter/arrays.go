package filter

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// ArrowType gives the type of the arrays of a result: bool, int64, float64, utf8
// or timestamp[us, UTC]. Nil for a duration, which no array holds.
func (k Kind) ArrowType() arrow.DataType {
	switch k {
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	case Int:
		return arrow.PrimitiveTypes.Int64
	case Double:
		return arrow.PrimitiveTypes.Float64
	case String:
		return arrow.BinaryTypes.String
	case Timestamp:
		return arrow.FixedWidthTypes.Timestamp_us
	}
	return nil
}

// Array gives the result of every row, null where it is unknown, in an array of
// the [Kind.ArrowType] allocated from mem. The caller releases it. A timestamp is
// rounded down to the microsecond. The result of the program can be of any kind
// but a duration.
func (e *Evaluator) Array(rows Rows, mem memory.Allocator) (arrow.Array, error) {
	if err := e.ready(rows, int(rows.Record.NumRows()), WantAny); err != nil {
		return nil, err
	}
	builder := array.NewBuilder(mem, e.program.Type().ArrowType())
	defer builder.Release()
	builder.Reserve(e.batch.rows)
	if err := e.run(func(b *batch) { e.program.result.build(b, builder) }); err != nil {
		return nil, err
	}
	return builder.NewArray(), nil
}

// build appends every row to the builder of its kind's type.
func (o operand) build(b *batch, builder array.Builder) {
	switch builder := builder.(type) {
	case *array.BooleanBuilder:
		truths := b.truths.take(b.rows)
		o.truths(b, truths)
		for _, t := range truths {
			if t == Unknown {
				builder.UnsafeAppendBoolToBitmap(false)
			} else {
				builder.UnsafeAppend(t == True)
			}
		}
		b.truths.give(truths)
	case *array.Int64Builder:
		appendRows(b, o.ints, builder, builder.UnsafeAppend)
	case *array.Float64Builder:
		appendRows(b, o.doubles, builder, builder.UnsafeAppend)
	case *array.StringBuilder:
		o.buildTexts(b, builder)
	case *array.TimestampBuilder:
		appendRows(b, o.times, builder, func(t instant) {
			if n, ok := t.micros(); ok {
				builder.UnsafeAppend(arrow.Timestamp(n))
			} else {
				builder.AppendNull()
			}
		})
	}
}

// appendRows appends the known rows by add and nulls for the others.
func appendRows[T any](b *batch, read vectors[T], builder array.Builder, add func(T)) {
	v := read(b)
	for i, x := range v.values {
		if v.unknown != nil && v.unknown[i] == Unknown {
			builder.AppendNull()
		} else {
			add(x)
		}
	}
	give(b, v)
}

func (o operand) buildTexts(b *batch, builder *array.StringBuilder) {
	v := o.texts(b)
	defer give(b, v)
	length := 0
	for _, s := range v.values {
		length += len(s)
	}
	if length > math.MaxInt32 {
		b.fail(fmt.Errorf("%w: the texts of one batch are longer than 2 GiB", arrow.ErrInvalid))
		return
	}
	builder.ReserveData(length)
	for i, s := range v.values {
		if v.unknown != nil && v.unknown[i] == Unknown {
			builder.AppendNull()
		} else {
			builder.Append(s)
		}
	}
}

package score

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// numbers gives input i as float64, a value per row, NaN where it is null or one
// of the numbers that stand for a missing value. The slice is only read, and
// valid until the next call. A bool is 0 or 1, a date the days and a timestamp
// the seconds since 1970-01-01T00:00.
func (in *inputs) numbers(i int) ([]float64, error) {
	var values []float64
	var err error
	if in.names[i].OneHot {
		values, err = in.dummy(i)
	} else if values, err = in.numbersOf(in.arrays[i]); err != nil {
		err = fmt.Errorf("%s: %w", in.names[i].place(), err)
	}
	if err != nil {
		return nil, err
	}
	for _, m := range in.missing {
		values = in.without(m, values)
	}
	return values, nil
}

// without makes a number missing, also where it is stored as a float32; values that
// are not our own are copied first.
func (in *inputs) without(missing float64, values []float64) []float64 {
	narrow := float64(float32(missing))
	for row, x := range values {
		if x != missing && x != narrow {
			continue
		}
		if &values[0] != &in.values[0] {
			copy(in.values, values)
			values = in.values
		}
		values[row] = math.NaN()
	}
	return values
}

func (in *inputs) numbersOf(a arrow.Array) ([]float64, error) {
	dict, ok := a.(*array.Dictionary)
	if !ok {
		return toFloat64(in.values, a)
	}
	in.dictionary = grow(in.dictionary, dict.Dictionary().Len())
	values, err := toFloat64(in.dictionary, dict.Dictionary())
	if err != nil {
		return nil, err
	}
	indices, err := in.indicesOf(dict)
	if err != nil {
		return nil, err
	}
	for row, index := range indices {
		if index == nullIndex {
			in.values[row] = math.NaN()
		} else {
			in.values[row] = values[index]
		}
	}
	return in.values, nil
}

// toFloat64 converts the values of a into dst, which has its length, or gives
// them as they are stored.
func toFloat64(dst []float64, a arrow.Array) ([]float64, error) {
	if stored, ok := a.(*array.Float64); ok && a.NullN() == 0 {
		return stored.Float64Values(), nil
	}
	if err := convert(dst, a); err != nil {
		return nil, err
	}
	overwriteNulls(dst, a, math.NaN())
	return dst, nil
}

func convert(dst []float64, a arrow.Array) error {
	switch a := a.(type) {
	case *array.Float64:
		copy(dst, a.Float64Values())
	case *array.Float32:
		widen(dst, a.Float32Values())
	case *array.Float16:
		for i := range dst {
			dst[i] = float64(a.Value(i).Float32())
		}
	case *array.Boolean:
		convertBools(dst, a)
	case *array.Decimal128:
		convertDecimals128(dst, a.Values(), a.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Decimal256:
		convertDecimals256(dst, a.Values(), a.DataType().(*arrow.Decimal256Type).Scale)
	case *array.Date32:
		widen(dst, a.Date32Values())
	case *array.Date64:
		widenUnits(dst, a.Date64Values(), 24*60*60*1000)
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		widenUnits(dst, a.TimestampValues(), float64(arrow.Second.Multiplier()/unit.Multiplier()))
	default:
		return convertInts(dst, a)
	}
	return nil
}

func convertInts(dst []float64, a arrow.Array) error {
	switch a := a.(type) {
	case *array.Int8:
		widen(dst, a.Int8Values())
	case *array.Int16:
		widen(dst, a.Int16Values())
	case *array.Int32:
		widen(dst, a.Int32Values())
	case *array.Int64:
		widen(dst, a.Int64Values())
	case *array.Uint8:
		widen(dst, a.Uint8Values())
	case *array.Uint16:
		widen(dst, a.Uint16Values())
	case *array.Uint32:
		widen(dst, a.Uint32Values())
	case *array.Uint64:
		widen(dst, a.Uint64Values())
	default:
		return fmt.Errorf("found %s, want %s", a.DataType(), numberTypes.words)
	}
	return nil
}

// fixedNumber is what Arrow stores as a whole number or a float32.
type fixedNumber interface {
	arrow.IntType | arrow.UintType | ~float32
}

func widen[T fixedNumber](dst []float64, src []T) {
	for i, x := range src {
		dst[i] = float64(x)
	}
}

// widenUnits converts counts of a unit of which n make one.
func widenUnits[T fixedNumber](dst []float64, src []T, n float64) {
	for i, x := range src {
		dst[i] = float64(x) / n
	}
}

// convertBools gives 0 or 1, by the bits alone.
func convertBools(dst []float64, a *array.Boolean) {
	if len(dst) == 0 {
		return // an empty array may lack its buffer
	}
	bits, offset := a.Data().Buffers()[1].Bytes(), a.Data().Offset()
	for i := range dst {
		bit := offset + i
		dst[i] = float64(bits[bit>>3] >> (bit & 7) & 1)
	}
}

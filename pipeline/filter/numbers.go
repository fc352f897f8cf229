package filter

import (
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
)

// ints gives the values of an integer array. A uint64 above the highest int64 is
// unknown.
func ints(b *batch, a arrow.Array) vector[int64] {
	if stored, ok := a.(*array.Int64); ok {
		return vector[int64]{values: stored.Int64Values(), unknown: b.nulls(a)}
	}
	out := take[int64](b, a.Len())
	out.unknown = b.nulls(a)
	switch a := a.(type) {
	case *array.Int8:
		widen(out.values, a.Int8Values())
	case *array.Int16:
		widen(out.values, a.Int16Values())
	case *array.Int32:
		widen(out.values, a.Int32Values())
	case *array.Uint8:
		widen(out.values, a.Uint8Values())
	case *array.Uint16:
		widen(out.values, a.Uint16Values())
	case *array.Uint32:
		widen(out.values, a.Uint32Values())
	case *array.Uint64:
		widen(out.values, a.Uint64Values())
		out.unknown = b.either(out.unknown, b.tooBig(a.Uint64Values()))
	default:
		b.fail(mistyped(a, Int))
	}
	return out
}

func (b *batch) tooBig(values []uint64) []Truth {
	dst := b.truths.take(len(values))
	for i, n := range values {
		dst[i] = negative(int64(n))
	}
	return dst
}

func widen[F, T arrow.IntType | arrow.UintType | float32 | float64](dst []T, src []F) {
	for i, x := range src {
		dst[i] = T(x)
	}
}

// mistyped says that an array is not of the kind that its column was bound as.
func mistyped(a arrow.Array, want Kind) error {
	return fmt.Errorf("found a column of %s where %s was bound", a.DataType(), want)
}

// doubles gives the values of an array of floats or decimals.
func doubles(b *batch, a arrow.Array) vector[float64] {
	if stored, ok := a.(*array.Float64); ok {
		return vector[float64]{values: stored.Float64Values(), unknown: b.nulls(a)}
	}
	out := take[float64](b, a.Len())
	out.unknown = b.nulls(a)
	switch a := a.(type) {
	case *array.Float32:
		widen(out.values, a.Float32Values())
	case *array.Float16:
		for i, x := range a.Values() {
			out.values[i] = float64(x.Float32())
		}
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		for i, n := range a.Values() {
			out.values[i] = decimal128ToDouble(n, scale)
		}
	case *array.Decimal256:
		scale := a.DataType().(*arrow.Decimal256Type).Scale
		for i, n := range a.Values() {
			out.values[i] = decimal256ToDouble(n, scale)
		}
	default:
		b.fail(mistyped(a, Double))
	}
	return out
}

// decimal128ToDouble gives the double nearest to n / 10^scale.
func decimal128ToDouble(n decimal128.Num, scale int32) float64 {
	if low := int64(n.LowBits()); n.HighBits() == low>>63 {
		return decimalToDouble(low, scale)
	}
	return parseDecimal(n.BigInt().String(), scale)
}

func decimal256ToDouble(n decimal256.Num, scale int32) float64 {
	words := n.Array() // lowest first
	if low, sign := int64(words[0]), uint64(int64(words[0])>>63); words[1] == sign && words[2] == sign && words[3] == sign {
		return decimalToDouble(low, scale)
	}
	return parseDecimal(n.BigInt().String(), scale)
}

// exactPowers are the powers of ten that are doubles.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

func decimalToDouble(n int64, scale int32) float64 {
	const exact = 1 << 53
	if -exact <= n && n <= exact && 0 <= scale && int(scale) < len(exactPowers) {
		return float64(n) / exactPowers[scale] // both exact: one rounding
	}
	return parseDecimal(strconv.FormatInt(n, 10), scale)
}

func parseDecimal(digits string, scale int32) float64 {
	x, _ := strconv.ParseFloat(digits+"e"+strconv.FormatInt(-int64(scale), 10), 64) // the error is a range: x is an infinity
	return x
}

// scores gives the score of every row.
func scores(b *batch) vector[float64] {
	out := take[float64](b, b.rows)
	out.unknown = b.noneUnknown(b.rows)
	for i, h := range b.hundredths {
		out.values[i] = float64(h) / 100
		if h > topScore {
			out.unknown[i] = Unknown
		}
	}
	return out
}

// topScore is the highest score in hundredths; a row above it has none.
const topScore = 10000

// timeCounts gives the values of an array of dates or timestamps as they are stored.
func timeCounts(b *batch, a arrow.Array) (vector[int64], unit) {
	out := vector[int64]{unknown: b.nulls(a)}
	switch a := a.(type) {
	case *array.Date32:
		out.values, out.owned = b.ints.take(a.Len()), true
		widen(out.values, a.Date32Values())
	case *array.Date64, *array.Timestamp:
		if a.Len() > 0 {
			stored := arrow.Int64Traits.CastFromBytes(a.Data().Buffers()[1].Bytes())
			out.values = stored[a.Data().Offset():][:a.Len()]
		}
	default:
		out.values, out.owned = b.ints.take(a.Len()), true
		b.fail(mistyped(a, Timestamp))
	}
	return out, unitOf(a.DataType())
}

// times gives the values of an array of dates or timestamps.
func times(b *batch, a arrow.Array) vector[instant] {
	counts, unit := timeCounts(b, a)
	out := take[instant](b, a.Len())
	out.unknown = counts.unknown
	unit.instants(out.values, counts.values)
	giveValues(b, counts)
	return out
}

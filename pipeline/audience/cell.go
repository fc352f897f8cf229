package audience

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// cell appends the text of the value at row, which is not null, to dst.
type cell func(dst []byte, row int32) ([]byte, error)

// textWriter appends a text in the form of a format to dst, or fails with what
// RowError.Err holds.
type textWriter func(dst []byte, s string) ([]byte, error)

// newCell gives the cells of an array: texts as text writes them, anything else
// in the same form for every format.
func newCell(arr arrow.Array, text textWriter) (cell, error) {
	if c := numberCell(arr); c != nil {
		return c, nil
	}
	switch a := arr.(type) {
	case *array.Boolean:
		return func(dst []byte, row int32) ([]byte, error) { return strconv.AppendBool(dst, a.Value(int(row))), nil }, nil
	case *array.Date32, *array.Date64:
		return dateCell(a), nil
	case *array.Timestamp:
		return timestampCell(a), nil
	case *array.Decimal32:
		return scoreCell(a), nil
	case *array.Decimal128, *array.Decimal256:
		return decimalCell(a)
	case *array.Dictionary:
		return codedCell(a, text)
	case *array.String:
		return func(dst []byte, row int32) ([]byte, error) { return text.cell(dst, a.Value(int(row)), row) }, nil
	case array.StringLike:
		return func(dst []byte, row int32) ([]byte, error) { return text.cell(dst, a.Value(int(row)), row) }, nil
	}
	return nil, fmt.Errorf("%w: an array of %s", errBlock, arr.DataType())
}

// cell appends a text, with the row in the error.
func (w textWriter) cell(dst []byte, s string, row int32) ([]byte, error) {
	dst, err := w(dst, s)
	if err != nil {
		err = &RowError{Row: row, Err: err}
	}
	return dst, err
}

// codedCell writes each word of the dictionary once, when a row first has it.
func codedCell(a *array.Dictionary, text textWriter) (cell, error) {
	words, err := wordsOf(a)
	if err != nil {
		return nil, err
	}
	written := make([][]byte, words.Len())
	return func(dst []byte, row int32) ([]byte, error) {
		w := a.GetValueIndex(int(row))
		if written[w] == nil {
			var err error
			if written[w], err = text.cell(nil, words.Value(w), row); err != nil {
				return dst, err
			}
		}
		return append(dst, written[w]...), nil
	}, nil
}

func numberCell(arr arrow.Array) cell {
	switch a := arr.(type) {
	case *array.Int8:
		return signedCell(a.Int8Values())
	case *array.Int16:
		return signedCell(a.Int16Values())
	case *array.Int32:
		return signedCell(a.Int32Values())
	case *array.Int64:
		return signedCell(a.Int64Values())
	case *array.Uint8:
		return unsignedCell(a.Uint8Values())
	case *array.Uint16:
		return unsignedCell(a.Uint16Values())
	case *array.Uint32:
		return unsignedCell(a.Uint32Values())
	case *array.Uint64:
		return unsignedCell(a.Uint64Values())
	case *array.Float16:
		return func(dst []byte, row int32) ([]byte, error) {
			return appendFloat(dst, float64(a.Value(int(row)).Float32()), 32), nil
		}
	case *array.Float32:
		return func(dst []byte, row int32) ([]byte, error) {
			return appendFloat(dst, float64(a.Value(int(row))), 32), nil
		}
	case *array.Float64:
		return func(dst []byte, row int32) ([]byte, error) { return appendFloat(dst, a.Value(int(row)), 64), nil }
	}
	return nil
}

func signedCell[T int8 | int16 | int32 | int64](values []T) cell {
	return func(dst []byte, row int32) ([]byte, error) {
		return strconv.AppendInt(dst, int64(values[row]), 10), nil
	}
}

func unsignedCell[T uint8 | uint16 | uint32 | uint64](values []T) cell {
	return func(dst []byte, row int32) ([]byte, error) {
		return strconv.AppendUint(dst, uint64(values[row]), 10), nil
	}
}

// appendFloat writes the shortest digits that read back as x, without an
// exponent for the magnitudes that people write without one; NaN, Inf and -Inf
// for what is no number.
func appendFloat(dst []byte, x float64, size int) []byte {
	switch magnitude := math.Abs(x); {
	case math.IsInf(x, 1):
		return append(dst, "Inf"...)
	case magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21):
		return strconv.AppendFloat(dst, x, 'e', -1, size)
	}
	return strconv.AppendFloat(dst, x, 'f', -1, size)
}

func dateCell(arr arrow.Array) cell {
	days, _ := arr.(*array.Date32)
	return func(dst []byte, row int32) ([]byte, error) {
		var day int32
		ok := true
		if days != nil {
			day = int32(days.Value(int(row)))
		} else {
			day, ok = daysOf(arr.(*array.Date64).Value(int(row)))
		}
		return appendTime(dst, time.Unix(int64(day)*86_400, 0), time.DateOnly, row, ok)
	}
}

func timestampCell(a *array.Timestamp) cell {
	unit := a.DataType().(*arrow.TimestampType).Unit
	return func(dst []byte, row int32) ([]byte, error) {
		us, ok := micros(a.Value(int(row)), unit)
		return appendTime(dst, time.UnixMicro(us), time.RFC3339Nano, row, ok)
	}
}

// appendTime refuses years that four digits do not hold.
func appendTime(dst []byte, t time.Time, layout string, row int32, ok bool) ([]byte, error) {
	t = t.UTC()
	if !ok || t.Year() < 0 || t.Year() > 9999 {
		return dst, badValue(row, "a time outside the years 0 to 9999")
	}
	return t.AppendFormat(dst, layout), nil
}

// scoreCell writes hundredths from 0 to 10,000.
func scoreCell(a *array.Decimal32) cell {
	values := arrow.GetValues[int32](a.Data(), 1)
	return func(dst []byte, row int32) ([]byte, error) {
		h := values[row]
		whole, part := h/100, pairs[h%100]
		switch {
		case whole < 10:
			dst = append(dst, byte('0'+whole))
		case whole < 100:
			dst = append(dst, pairs[whole][:]...)
		default:
			dst = append(dst, "100"...)
		}
		return append(dst, '.', part[0], part[1]), nil
	}
}

// pairs are the numbers from 00 to 99.
var pairs = func() (p [100][2]byte) {
	for i := range p {
		p[i] = [2]byte{byte('0' + i/10), byte('0' + i%10)}
	}
	return p
}()

func decimalCell(arr arrow.Array) (cell, error) {
	value, err := unscaled(arr)
	t := arr.DataType().(arrow.DecimalType)
	precision, scale := t.GetPrecision(), int(t.GetScale())
	return func(dst []byte, row int32) ([]byte, error) {
		v, ok := value(int(row))
		if !ok || !v.FitsInPrecision(precision) {
			return dst, tooManyDigits(row, precision)
		}
		if v.Sign() < 0 {
			dst = append(dst, '-')
		}
		v = v.Abs()
		return appendDecimal(dst, uint64(v.HighBits()), v.LowBits(), scale), nil
	}, err
}

// appendDecimal writes a number below 10^38 with scale of its digits after the
// point.
func appendDecimal(dst []byte, high, low uint64, scale int) []byte {
	const ten19 = 10_000_000_000_000_000_000
	var digits [38]byte
	top, rest := bits.Div64(high, low, ten19)
	putDigits(digits[:19], top)
	putDigits(digits[19:], rest)
	first := 0
	for first < len(digits)-scale-1 && digits[first] == '0' {
		first++
	}
	point := len(digits) - scale
	if scale == len(digits) {
		dst = append(dst, '0')
	}
	dst = append(dst, digits[first:point]...)
	if scale > 0 {
		dst = append(append(dst, '.'), digits[point:]...)
	}
	return dst
}

// putDigits fills dst with the last digits of v.
func putDigits(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
}

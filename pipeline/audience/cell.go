package audience

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
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

func codedCell(a *array.Dictionary, text textWriter) (cell, error) {
	words, err := wordsOf(a)
	if err != nil {
		return nil, err
	}
	switch codes := a.Indices().(type) {
	case *array.Int32:
		return wordCell(words, codes.Int32Values(), text), nil
	case *array.Uint8:
		return wordCell(words, codes.Uint8Values(), text), nil
	}
	return nil, notWritable(a)
}

func wordCell[I int32 | uint8](words array.StringLike, codes []I, text textWriter) cell {
	return func(dst []byte, row int32) ([]byte, error) { return text.cell(dst, words.Value(int(codes[row])), row) }
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
		s := scoreSpan(values[row])
		return append(dst, scoreTexts[s.from:s.from+s.n]...), nil
	}
}

// scoreTexts are the texts of all scores, each at eight times its hundredths, and zeros
// behind them.
var scoreTexts = func() []byte {
	texts := make([]byte, 8*maxHundredths+chunk)
	for h := range maxHundredths + 1 {
		copy(texts[8*h:], fmt.Sprintf("%d.%02d", h/100, h%100))
	}
	return texts
}()

// scoreSpan gives where the text of a score lies.
func scoreSpan(hundredths int32) span {
	n := len("0.00")
	if hundredths >= 1_000 {
		n++
	}
	if hundredths >= maxHundredths {
		n++
	}
	return span{8 * int(hundredths), n}
}

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
	if high == 0 && low < ten19 && scale < 19 {
		return appendSmall(dst, low, scale)
	}
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

// appendSmall does it with a number of 19 digits, as nearly all are.
func appendSmall(dst []byte, v uint64, scale int) []byte {
	one := uint64(1)
	for range scale {
		one *= 10
	}
	dst = strconv.AppendUint(dst, v/one, 10)
	if scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	start := len(dst)
	dst = slices.Grow(dst, scale)[:start+scale]
	putDigits(dst[start:], v%one)
	return dst
}

// putDigits fills dst with the last digits of v.
func putDigits(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
}

package identity

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// appendValue appends the bytes of a value that is not null, such that bytes
// compare as the values do: integers and decimals in big endian with the sign
// bit turned, floats by the usual folding of their bits with -0 as 0, times as
// seconds and nanoseconds whatever their unit, text as it is. It says false for
// types that have no such order.
func appendValue(dst []byte, arr arrow.Array, i int) ([]byte, bool) {
	switch a := arr.(type) {
	case *array.Boolean:
		return append(dst, boolByte(a.Value(i))), true
	case *array.Float32:
		return appendFloat(dst, float64(a.Value(i))), true
	case *array.Float64:
		return appendFloat(dst, a.Value(i)), true
	case *array.Date32:
		return appendSigned(dst, int64(a.Value(i))), true
	case *array.Date64:
		return appendSigned(dst, int64(a.Value(i))), true
	case *array.Timestamp:
		return appendTime(dst, int64(a.Value(i)), a.DataType().(*arrow.TimestampType).Unit), true
	case *array.Decimal128:
		n := a.Value(i)
		return binary.BigEndian.AppendUint64(appendSigned(dst, n.HighBits()), n.LowBits()), true
	case *array.Decimal256:
		return appendWords(dst, a.Value(i).Array()), true
	}
	if arrow.IsInteger(arr.DataType().ID()) {
		return appendInteger(dst, arr, i), true
	}
	return appendText(dst, arr, i)
}

func appendInteger(dst []byte, arr arrow.Array, i int) []byte {
	switch a := arr.(type) {
	case *array.Int8:
		return appendSigned(dst, int64(a.Value(i)))
	case *array.Int16:
		return appendSigned(dst, int64(a.Value(i)))
	case *array.Int32:
		return appendSigned(dst, int64(a.Value(i)))
	case *array.Int64:
		return appendSigned(dst, a.Value(i))
	case *array.Uint8:
		return binary.BigEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Uint16:
		return binary.BigEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Uint32:
		return binary.BigEndian.AppendUint64(dst, uint64(a.Value(i)))
	}
	return binary.BigEndian.AppendUint64(dst, arr.(*array.Uint64).Value(i))
}

func appendText(dst []byte, arr arrow.Array, i int) ([]byte, bool) {
	switch a := arr.(type) {
	case *array.String:
		return append(dst, a.Value(i)...), true
	case *array.LargeString:
		return append(dst, a.Value(i)...), true
	}
	return dst, false
}

func appendSigned(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(v)^1<<63)
}

// appendWords takes the words of a two's complement number, the lowest first.
func appendWords(dst []byte, words [4]uint64) []byte {
	dst = appendSigned(dst, int64(words[3]))
	for _, w := range []uint64{words[2], words[1], words[0]} {
		dst = binary.BigEndian.AppendUint64(dst, w)
	}
	return dst
}

func appendFloat(dst []byte, v float64) []byte {
	if v == 0 {
		v = 0 // -0 too
	}
	bits := math.Float64bits(v)
	if bits>>63 == 1 {
		return binary.BigEndian.AppendUint64(dst, ^bits)
	}
	return binary.BigEndian.AppendUint64(dst, bits|1<<63)
}

func appendTime(dst []byte, v int64, unit arrow.TimeUnit) []byte {
	perSecond := int64(1e9) / int64(unit.Multiplier())
	seconds, rest := v/perSecond, v%perSecond
	if rest < 0 {
		seconds, rest = seconds-1, rest+perSecond
	}
	dst = appendSigned(dst, seconds)
	return binary.BigEndian.AppendUint32(dst, uint32(rest*int64(unit.Multiplier())))
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// valueOf follows a dictionary to the array and the index of its row's value.
func valueOf(arr arrow.Array, i int) (arrow.Array, int) {
	if d, ok := arr.(*array.Dictionary); ok && !d.IsNull(i) {
		return d.Dictionary(), d.GetValueIndex(i)
	}
	return arr, i
}

package audience

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/float16"
)

type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | float32 | float64 | arrow.Date32
}

// cast appends values that fit T whatever they are.
func cast[S, T number](dst []T, arr arrow.Array, rows []int32) []T {
	src := arrow.GetValues[S](arr.Data(), 1)
	at := len(dst)
	dst = slices.Grow(dst, len(rows))[:at+len(rows)]
	for i, r := range rows {
		dst[at+i] = T(src[r])
	}
	return dst
}

func notWritable(arr arrow.Array) error {
	return fmt.Errorf("%w: an array of %s", errBlock, arr.DataType())
}

func gatherInt32(dst []int32, arr arrow.Array, rows []int32) ([]int32, error) {
	switch arr.DataType().ID() {
	case arrow.INT8:
		return cast[int8](dst, arr, rows), nil
	case arrow.INT16:
		return cast[int16](dst, arr, rows), nil
	case arrow.INT32:
		return cast[int32](dst, arr, rows), nil
	case arrow.UINT8:
		return cast[uint8](dst, arr, rows), nil
	case arrow.UINT16:
		return cast[uint16](dst, arr, rows), nil
	}
	return dst, notWritable(arr)
}

func gatherInt64(dst []int64, arr arrow.Array, rows []int32) ([]int64, error) {
	switch arr.DataType().ID() {
	case arrow.INT64:
		return cast[int64](dst, arr, rows), nil
	case arrow.UINT32:
		return cast[uint32](dst, arr, rows), nil
	}
	return dst, notWritable(arr)
}

func gatherFloat32(dst []float32, arr arrow.Array, rows []int32) ([]float32, error) {
	switch arr.DataType().ID() {
	case arrow.FLOAT32:
		return cast[float32](dst, arr, rows), nil
	case arrow.FLOAT16:
		src := arrow.GetValues[float16.Num](arr.Data(), 1)
		for _, r := range rows {
			dst = append(dst, src[r].Float32())
		}
		return dst, nil
	}
	return dst, notWritable(arr)
}

func gatherFloat64(dst []float64, arr arrow.Array, rows []int32) ([]float64, error) {
	if arr.DataType().ID() == arrow.FLOAT64 {
		return cast[float64](dst, arr, rows), nil
	}
	return dst, notWritable(arr)
}

func gatherDays(dst []int32, arr arrow.Array, rows []int32) ([]int32, error) {
	switch arr.DataType().ID() {
	case arrow.DATE32:
		return cast[arrow.Date32](dst, arr, rows), nil
	case arrow.DATE64:
		src := arrow.GetValues[arrow.Date64](arr.Data(), 1)
		for _, r := range rows {
			days, ok := daysOf(src[r])
			if !ok {
				return dst, badValue(r, "a date beyond what 32 bits of days hold")
			}
			dst = append(dst, days)
		}
		return dst, nil
	}
	return dst, notWritable(arr)
}

// daysOf gives the day that ms, milliseconds since 1970, lies in.
func daysOf(ms arrow.Date64) (days int32, ok bool) {
	d := floorDiv(int64(ms), 86_400_000)
	return int32(d), d >= math.MinInt32 && d <= math.MaxInt32
}

func gatherMicros(dst []int64, arr arrow.Array, rows []int32) ([]int64, error) {
	t, ok := arr.DataType().(*arrow.TimestampType)
	if !ok {
		return dst, notWritable(arr)
	}
	src := arrow.GetValues[arrow.Timestamp](arr.Data(), 1)
	for _, r := range rows {
		us, ok := micros(src[r], t.Unit)
		if !ok {
			return dst, badValue(r, "a timestamp beyond what 64 bits of microseconds hold")
		}
		dst = append(dst, us)
	}
	return dst, nil
}

// micros gives the last microsecond at or before ts, if 64 bits hold it.
func micros(ts arrow.Timestamp, unit arrow.TimeUnit) (us int64, ok bool) {
	v, factor := int64(ts), int64(1)
	switch unit {
	case arrow.Nanosecond:
		return floorDiv(v, 1000), true
	case arrow.Millisecond:
		factor = 1000
	case arrow.Second:
		factor = 1_000_000
	}
	return v * factor, v <= math.MaxInt64/factor && v >= math.MinInt64/factor
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

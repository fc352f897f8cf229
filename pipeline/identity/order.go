package identity

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// ErrNaN says that a column to order by holds a value that has no place in an
// order.
var ErrNaN = errors.New("NaN cannot be ordered")

// The first byte of an order key.
const (
	orderNull  = 0
	orderValue = 1
)

// CheckOrderType says with ErrType that rows cannot be ordered by a column of
// type t: they can by integers, floats, decimals, dates, timestamps, text and
// booleans.
func CheckOrderType(t arrow.DataType) error {
	if isOrdered(t) {
		return nil
	}
	return fmt.Errorf("%w: rows are ordered by a number, a date, a timestamp, a text or a boolean, found %s", ErrType, t)
}

func isOrdered(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL128, arrow.DECIMAL256, arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP, arrow.BOOL:
		return true
	}
	return arrow.IsInteger(t.ID()) || isText(t)
}

// AppendOrderKey appends the order key of row i, whose bytes compare as the
// values of the column do, a null before all others. Timestamps of several units
// compare as times. Errors are ErrType and ErrNaN.
func AppendOrderKey(dst []byte, arr arrow.Array, i int) ([]byte, error) {
	arr, i = valueOf(arr, i)
	if arr.IsNull(i) {
		return append(dst, orderNull), nil
	}
	if isNaN(arr, i) {
		return dst, ErrNaN
	}
	key, ok := appendValue(append(dst, orderValue), arr, i)
	if !ok {
		return dst, CheckOrderType(arr.DataType())
	}
	return key, nil
}

func isNaN(arr arrow.Array, i int) bool {
	switch a := arr.(type) {
	case *array.Float32:
		return math.IsNaN(float64(a.Value(i)))
	case *array.Float64:
		return math.IsNaN(a.Value(i))
	}
	return false
}

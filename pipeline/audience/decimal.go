package audience

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// newDecimalColumn stores a decimal in the narrowest way that Parquet knows.
func newDecimalColumn(name string, t *arrow.Decimal128Type, l levels) (schema.Node, column, error) {
	logical := schema.NewDecimalLogicalType(t.Precision, t.Scale)
	var physical parquet.Type
	var c column
	width := -1
	switch {
	case t.Precision <= 9:
		physical, c = parquet.Types.Int32, newFixed(l, decimals[int32](t.Precision))
	case t.Precision <= 18:
		physical, c = parquet.Types.Int64, newFixed(l, decimals[int64](t.Precision))
	default:
		width = bytesFor(t.Precision)
		physical, c = parquet.Types.FixedLenByteArray, &wideDecimals{levels: l, precision: t.Precision, width: width}
	}
	node, err := newNode(name, l, logical, physical, width)
	return node, c, err
}

// bytesFor gives the bytes that hold every number of so many digits and its sign.
func bytesFor(digits int32) int {
	return int(math.Ceil((float64(digits)*math.Log2(10) + 1) / 8))
}

// decimals gathers the unscaled values of decimals of at most precision digits.
func decimals[T int32 | int64](precision int32) gather[T] {
	return func(dst []T, arr arrow.Array, rows []int32) ([]T, error) {
		if _, ok := arr.(*array.Decimal32); ok { // the score, whose range is known
			return cast[int32](dst, arr, rows), nil
		}
		value, err := unscaled(arr)
		if err != nil {
			return dst, err
		}
		for _, r := range rows {
			v, ok := value(int(r))
			if !ok || !v.FitsInPrecision(precision) {
				return dst, tooManyDigits(r, precision)
			}
			dst = append(dst, T(v.LowBits()))
		}
		return dst, nil
	}
}

func tooManyDigits(row, precision int32) error {
	return badValue(row, fmt.Sprintf("a decimal of more than %d digits", precision))
}

// unscaled gives a function that reads the integer behind a decimal of the
// snapshot, false when 128 bits do not hold it. An unsigned integer is a decimal
// without a fraction.
func unscaled(arr arrow.Array) (func(row int) (decimal128.Num, bool), error) {
	switch a := arr.(type) {
	case *array.Decimal128:
		return func(row int) (decimal128.Num, bool) { return a.Value(row), true }, nil
	case *array.Decimal256:
		return func(row int) (decimal128.Num, bool) {
			words := a.Value(row).Array() // least significant first
			high := int64(words[1])
			sign := uint64(high >> 63)
			return decimal128.New(high, words[0]), words[2] == sign && words[3] == sign
		}, nil
	case *array.Decimal32: // the score
		return func(row int) (decimal128.Num, bool) { return decimal128.FromI64(int64(a.Value(row))), true }, nil
	case *array.Uint64:
		return func(row int) (decimal128.Num, bool) { return decimal128.FromU64(a.Value(row)), true }, nil
	}
	return nil, fmt.Errorf("%w: an array of %s", errBlock, arr.DataType())
}

// wideDecimals buffers a column of decimals of 19 to 38 digits.
type wideDecimals struct {
	levels
	precision int32
	width     int
	bytes     []byte // width bytes a value, big-endian two's complement
}

func (c *wideDecimals) append(arr arrow.Array, rows []int32) error {
	rows, err := c.keep(arr, rows)
	if err != nil {
		return err
	}
	value, err := unscaled(arr)
	if err != nil {
		return err
	}
	for _, r := range rows {
		v, ok := value(int(r))
		if !ok || !v.FitsInPrecision(c.precision) {
			return tooManyDigits(r, c.precision)
		}
		var whole [16]byte
		binary.BigEndian.PutUint64(whole[:8], uint64(v.HighBits()))
		binary.BigEndian.PutUint64(whole[8:], v.LowBits())
		c.bytes = append(c.bytes, whole[16-c.width:]...)
	}
	return nil
}

func (c *wideDecimals) size() int { return len(c.bytes) + 2*len(c.def) }

func (c *wideDecimals) flush(w *chunkWriter) (bounds, error) {
	defer c.reset()
	return c.bounds(), w.fixed(&c.levels, c.bytes, c.width)
}

// bounds compares the first byte of each value with its sign and the others without.
func (c *wideDecimals) bounds() (b bounds) {
	less := func(x, y []byte) bool {
		return int8(x[0]) < int8(y[0]) || x[0] == y[0] && bytes.Compare(x, y) < 0
	}
	for v := range slices.Chunk(c.bytes, c.width) {
		if b.least == nil || less(v, b.least) {
			b.least = v
		}
		if b.greatest == nil || less(b.greatest, v) {
			b.greatest = v
		}
	}
	return bounds{bytes.Clone(b.least), bytes.Clone(b.greatest)}
}

func (c *wideDecimals) reset() {
	c.levels.reset()
	c.bytes = c.bytes[:0]
}

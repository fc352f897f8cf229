package audience

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/zeebo/xxh3"
)

// hashCells sets the cells of rows, all of which hold a value, to its hash.
type hashCells func(cells []uint64, arr arrow.Array, rows []int32) error

// Hashes of kinds, so that no two of them have a value in common.
var (
	nullHash     = kindOf("null")
	doubleKind   = kindOf("double")
	singleKind   = kindOf("single")
	integerKind  = kindOf("integer")
	boolKind     = kindOf("bool")
	dateKind     = kindOf("date")
	momentKind   = kindOf("timestamp")
	decimalKinds = func() (all [mostDigits + 1]uint64) {
		for scale := range all {
			all[scale] = kindOf(fmt.Sprint("decimal of scale ", scale))
		}
		return all
	}()
)

// mostDigits is how many a decimal has at most, before and after the point.
const mostDigits = 38

// kindOf hashes otherwise than a text is hashed.
func kindOf(name string) uint64 { return xxh3.HashStringSeed(name, 1) }

// hashBits hashes the bits of a value, all of which are told apart: it is the mixing of
// SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014).
func hashBits(kind, bits uint64) uint64 {
	v := kind ^ bits
	v = (v ^ v>>30) * 0xBF58476D1CE4E5B9
	v = (v ^ v>>27) * 0x94D049BB133111EB
	return v ^ v>>31
}

// newHashCells gives how values that are written as type t are hashed.
func newHashCells(t arrow.DataType) (hashCells, error) {
	switch t := t.(type) {
	case *arrow.StringType:
		return new(hashedWords).hash, nil
	case *arrow.Int32Type:
		return hashFixed(gatherInt32, func(v int32) uint64 { return hashInteger(int64(v)) }), nil
	case *arrow.Int64Type:
		return hashFixed(gatherInt64, hashInteger), nil
	case *arrow.Float32Type:
		return hashFixed(gatherFloat32, hashSingle), nil
	case *arrow.Float64Type:
		return hashFixed(gatherFloat64, hashDouble), nil
	case *arrow.BooleanType:
		return hashBools, nil
	case *arrow.Date32Type:
		return hashFixed(gatherDays, func(v int32) uint64 { return hashBits(dateKind, uint64(v)) }), nil
	case *arrow.TimestampType:
		return hashFixed(gatherMicros, func(v int64) uint64 { return hashBits(momentKind, uint64(v)) }), nil
	case *arrow.Decimal128Type:
		return hashFixed(gatherDecimals, hashDecimal(int(t.Scale))), nil
	}
	return nil, fmt.Errorf("%w: %s", ErrColumn, t)
}

// hashFixed hashes the values that gather gives.
func hashFixed[T any](gather gather[T], hash func(T) uint64) hashCells {
	var values []T
	return func(cells []uint64, arr arrow.Array, rows []int32) (err error) {
		if values, err = gather(values[:0], arr, rows); err != nil {
			return err
		}
		for i, r := range rows {
			cells[r] = hash(values[i])
		}
		return nil
	}
}

// hashInteger hashes integers up to 2^53, all of which a double holds, as the double.
// Greater ones are a kind of their own.
func hashInteger(v int64) uint64 {
	if v >= -1<<53 && v <= 1<<53 {
		return hashDouble(float64(v))
	}
	return hashBits(integerKind, uint64(v))
}

// hashDouble hashes every NaN as the same one.
func hashDouble(v float64) uint64 {
	if math.IsNaN(v) {
		v = math.NaN()
	}
	return hashBits(doubleKind, math.Float64bits(v))
}

// hashSingle hashes integers up to 2^24, and what is no number, as the double. Others,
// which may have other digits than the double, are a kind of their own.
func hashSingle(v float32) uint64 {
	if x := float64(v); x == math.Trunc(x) && math.Abs(x) <= 1<<24 || math.IsNaN(x) || math.IsInf(x, 0) {
		return hashDouble(x)
	}
	return hashBits(singleKind, uint64(math.Float32bits(v)))
}

// hashDecimal hashes the integers behind decimals.
func hashDecimal(scale int) func(decimal128.Num) uint64 {
	kind := decimalKinds[scale]
	return func(v decimal128.Num) uint64 {
		low := int64(v.LowBits())
		switch {
		case v.HighBits() != low>>63:
			return hashBits(hashBits(kind, uint64(v.HighBits())), v.LowBits())
		case scale == 0:
			return hashInteger(low)
		}
		return hashBits(kind, v.LowBits())
	}
}

// gatherDecimals gathers the integers behind decimals.
func gatherDecimals(dst []decimal128.Num, arr arrow.Array, rows []int32) ([]decimal128.Num, error) {
	value, err := unscaled(arr)
	if err != nil {
		return dst, err
	}
	for _, r := range rows {
		v, ok := value(int(r))
		if !ok {
			return dst, tooManyDigits(r, mostDigits)
		}
		dst = append(dst, v)
	}
	return dst, nil
}

func hashBools(cells []uint64, arr arrow.Array, rows []int32) error {
	a, ok := arr.(*array.Boolean)
	if !ok {
		return notWritable(arr)
	}
	truths := [2]uint64{hashBits(boolKind, 0), hashBits(boolKind, 1)}
	for _, r := range rows {
		truth := 0
		if a.Value(int(r)) {
			truth = 1
		}
		cells[r] = truths[truth]
	}
	return nil
}

// hashedWords hashes texts, those of a dictionary once as long as it stays the same.
type hashedWords struct {
	of    arrow.ArrayData // the dictionary
	words []uint64        // by code
}

func (w *hashedWords) hash(cells []uint64, arr arrow.Array, rows []int32) error {
	switch a := arr.(type) {
	case array.StringLike:
		for _, r := range rows {
			cells[r] = xxh3.HashString(a.Value(int(r)))
		}
		return nil
	case *array.Dictionary:
		if err := w.learn(a); err != nil {
			return err
		}
		switch codes := a.Indices().(type) {
		case *array.Int32:
			look(cells, w.words, codes.Int32Values(), rows)
			return nil
		case *array.Uint8:
			look(cells, w.words, codes.Uint8Values(), rows)
			return nil
		}
	}
	return notWritable(arr)
}

// learn hashes the texts of a dictionary, unless it is that of the last call.
func (w *hashedWords) learn(a *array.Dictionary) error {
	of := a.Data().Dictionary()
	if w.of == of {
		return nil
	}
	words, err := wordsOf(a)
	if err != nil {
		return err
	}
	w.of, w.words = of, slices.Grow(w.words[:0], words.Len())[:words.Len()]
	for i := range w.words {
		w.words[i] = xxh3.HashString(words.Value(i))
	}
	return nil
}

func look[I int32 | uint8](cells, words []uint64, codes []I, rows []int32) {
	for _, r := range rows {
		cells[r] = words[codes[r]]
	}
}

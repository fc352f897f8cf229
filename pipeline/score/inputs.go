package score

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

// inputs are the columns of one batch in the order of the scorer's inputs, the
// faults and counts found in them, and the scratch memory to make them dense.
type inputs struct {
	names   []Input
	arrays  []arrow.Array
	counts  []InputCount
	missing []float64                // numbers that stand for a missing value
	oneHot  map[string]*oneHotColumn // by column

	faults []fault // per row: the first
	faulty bool    // any fault is set

	values     []float64 // of the input at hand, per row
	dictionary []float64 // its dictionary's values
	indices    []int32   // its indices, per row
	codes      []int32   // its categories, per row
	known      []int32   // its dictionary's categories
	digits     []byte    // one whole number as text
}

// fault is a reason and the input to blame.
type fault struct {
	input  int32
	reason Reason
}

func newInputs(names []Input) inputs {
	return inputs{
		names:  names,
		oneHot: newOneHotColumns(names),
		arrays: make([]arrow.Array, len(names)),
		counts: make([]InputCount, len(names)),
	}
}

// reset forgets what was found in the batch before and makes room for rows.
func (in *inputs) reset(rows int) {
	if in.faulty {
		clear(in.faults)
	}
	clear(in.counts)
	for _, c := range in.oneHot {
		c.looked = false
	}
	in.faulty = false
	in.faults = grow(in.faults, rows)
	in.values = grow(in.values, rows)
	in.codes = grow(in.codes, rows)
}

// reject marks the row as bad; of several faults the first one stays.
func (in *inputs) reject(row, input int, reason Reason) {
	if in.faults[row].reason == Scored {
		in.faults[row] = fault{int32(input), reason}
		in.faulty = true
	}
}

// grow gives a slice of n elements in the memory of s where that is enough. What
// it holds is what s held there, or zero.
func grow[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n)
}

// overwriteNulls writes missing where the array is null; dst has its length.
func overwriteNulls[T any](dst []T, a arrow.Array, missing T) {
	if a.NullN() == 0 {
		return
	}
	valid, offset := a.NullBitmapBytes(), a.Data().Offset()
	for i := 0; i < len(dst); {
		if bit := offset + i; bit&7 == 0 && i+8 <= len(dst) && valid[bit>>3] == 0xFF {
			i += 8
			continue
		}
		if bitutil.BitIsNotSet(valid, offset+i) {
			dst[i] = missing
		}
		i++
	}
}

const nullIndex = -1

// indicesOf gives the dictionary indices of a, per row; nullIndex where it is
// null. Every other one is an index into the dictionary.
func (in *inputs) indicesOf(a *array.Dictionary) ([]int32, error) {
	in.indices = grow(in.indices, a.Len())
	dst, size := in.indices, uint64(a.Dictionary().Len())
	outside := -1
	switch i := a.Indices().(type) {
	case *array.Int8:
		outside = checkIndices(dst, i.Int8Values(), size, a)
	case *array.Int16:
		outside = checkIndices(dst, i.Int16Values(), size, a)
	case *array.Int32:
		outside = checkIndices(dst, i.Int32Values(), size, a)
	case *array.Int64:
		outside = checkIndices(dst, i.Int64Values(), size, a)
	case *array.Uint8:
		outside = checkIndices(dst, i.Uint8Values(), size, a)
	case *array.Uint16:
		outside = checkIndices(dst, i.Uint16Values(), size, a)
	case *array.Uint32:
		outside = checkIndices(dst, i.Uint32Values(), size, a)
	case *array.Uint64:
		outside = checkIndices(dst, i.Uint64Values(), size, a)
	}
	if outside >= 0 {
		return nil, fmt.Errorf("row %d of the batch: its index is outside the dictionary of %d values", outside, size)
	}
	overwriteNulls(dst, a, nullIndex)
	return dst, nil
}

// checkIndices copies src and gives the first row that is not null and not below
// size, or -1. The index of a null row may be anything.
func checkIndices[T arrow.IntType | arrow.UintType](dst []int32, src []T, size uint64, a arrow.Array) (outside int) {
	for row, index := range src {
		if uint64(index) >= size && a.IsValid(row) {
			return row
		}
		dst[row] = int32(index)
	}
	return -1
}

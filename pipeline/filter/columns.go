package filter

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// vectors gives the values of a sub-expression for the rows of a batch.
type vectors[T any] func(b *batch) vector[T]

// column gives the values of a column: what load makes of its array, looked up
// by the indices when that is a dictionary.
func column[T any](number int, load func(*batch, arrow.Array) vector[T]) vectors[T] {
	return func(b *batch) vector[T] {
		dict, ok := b.columns[number].(*array.Dictionary)
		if !ok {
			return load(b, b.columns[number])
		}
		indices := b.indicesOf(dict)
		defer b.indices.give(indices)
		return lookUp(b, load(b, dict.Dictionary()), indices)
	}
}

// lookUp uses up a vector and gives the values at the indices, none for noIndex.
func lookUp[T any](b *batch, from vector[T], indices []int32) vector[T] {
	out := take[T](b, len(indices))
	out.unknown = b.noneUnknown(len(indices))
	clear(out.values)
	for i, index := range indices {
		if index == noIndex || from.unknown != nil && from.unknown[index] == Unknown {
			out.unknown[i] = Unknown
		} else {
			out.values[i] = from.values[index]
		}
	}
	give(b, from)
	return out
}

// noIndex stands for the index of a null.
const noIndex = -1

// indicesOf gives the indices of a dictionary array, or noIndex. Every other one
// is an index into the dictionary. The slice is to be given back.
func (b *batch) indicesOf(a *array.Dictionary) []int32 {
	dst, nulls, outside := b.indices.take(a.Len()), b.someUnknown(b.nulls(a), nil, a.Len()), -1
	defer b.truths.give(nulls)
	size := uint64(a.Dictionary().Len())
	switch i := a.Indices().(type) {
	case *array.Int8:
		outside = checkIndices(dst, i.Int8Values(), nulls, size)
	case *array.Int16:
		outside = checkIndices(dst, i.Int16Values(), nulls, size)
	case *array.Int32:
		outside = checkIndices(dst, i.Int32Values(), nulls, size)
	case *array.Int64:
		outside = checkIndices(dst, i.Int64Values(), nulls, size)
	case *array.Uint8:
		outside = checkIndices(dst, i.Uint8Values(), nulls, size)
	case *array.Uint16:
		outside = checkIndices(dst, i.Uint16Values(), nulls, size)
	case *array.Uint32:
		outside = checkIndices(dst, i.Uint32Values(), nulls, size)
	case *array.Uint64:
		outside = checkIndices(dst, i.Uint64Values(), nulls, size)
	}
	if outside >= 0 {
		b.fail(fmt.Errorf("row %d of the batch: its index is outside the dictionary of %d values", outside, a.Dictionary().Len()))
		fill(dst, noIndex)
	}
	return dst
}

// checkIndices copies src and gives the first row that is not null and has an
// index outside the dictionary, or -1. The index of a null may be anything.
func checkIndices[T arrow.IntType | arrow.UintType](dst []int32, src []T, nulls []Truth, size uint64) (outside int) {
	dst, nulls = dst[:len(src)], nulls[:len(src)]
	for row, index := range src {
		null := nulls[row]
		dst[row] = int32(index) | -int32(null) // noIndex has all bits set
		if uint64(index) >= size && null == False {
			return row
		}
	}
	return -1
}

// nulls gives a mask of the array's nulls, nil when it has none.
func (b *batch) nulls(a arrow.Array) []Truth {
	if a.NullN() == 0 {
		return nil
	}
	dst := b.truths.take(a.Len())
	validBits.spread(dst, a.NullBitmapBytes(), a.Data().Offset())
	return dst
}

// bitTable holds what the bits of every byte stand for, lowest first.
type bitTable [256][8]Truth

func tableOf(clear, set Truth) *bitTable {
	var table bitTable
	for n := range table {
		for bit := range table[n] {
			table[n][bit] = clear
			if n>>bit&1 == 1 {
				table[n][bit] = set
			}
		}
	}
	return &table
}

var (
	validBits = tableOf(Unknown, False) // of nulls as a mask
	boolBits  = tableOf(False, True)    // of bools
)

// spread writes what the bits from the offset on stand for.
func (table *bitTable) spread(dst []Truth, bits []byte, offset int) {
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		at, shift := (offset+i)>>3, (offset+i)&7
		n := bits[at] >> shift
		if shift != 0 {
			n |= bits[at+1] << (8 - shift)
		}
		*(*[8]Truth)(dst[i:]) = table[n]
	}
	for ; i < len(dst); i++ {
		dst[i] = table[bits[(offset+i)>>3]>>((offset+i)&7)&1][0]
	}
}

// bools gives the values of a bool array.
func bools(b *batch, a arrow.Array) vector[Truth] {
	dst := b.truths.take(a.Len())
	if stored, ok := a.(*array.Boolean); !ok {
		b.fail(mistyped(a, Bool))
	} else if len(dst) > 0 {
		boolBits.spread(dst, stored.Data().Buffers()[1].Bytes(), stored.Data().Offset())
	}
	return vector[Truth]{values: dst, unknown: b.nulls(a), owned: true}
}

// boolColumn gives the truths of a bool column.
func boolColumn(number int) conditions {
	load := column(number, bools)
	return func(b *batch, dst []Truth) {
		v := load(b)
		copy(dst, v.values)
		mask(dst, v.unknown)
		give(b, v)
	}
}

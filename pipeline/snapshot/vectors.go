package snapshot

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// newVector gives the vector for the type of a column.
func newVector(l leaf, p *pages) vector {
	switch l.kind.ID() {
	case arrow.STRING:
		return newTexts(p)
	case arrow.BOOL:
		return &bools{values: make([]bool, BatchRows), bits: make([]byte, BatchRows/8)}
	case arrow.INT8:
		return newFixed(l, converted(narrow[int8]))
	case arrow.INT16:
		return newFixed(l, converted(narrow[int16]))
	case arrow.UINT8:
		return newFixed(l, converted(narrow[uint8]))
	case arrow.UINT16:
		return newFixed(l, converted(narrow[uint16]))
	case arrow.INT32, arrow.UINT32, arrow.DATE32:
		return newStored[int32](l, p)
	case arrow.FLOAT64:
		return newStored[float64](l, p)
	case arrow.FLOAT32:
		return newFloats(l, p)
	case arrow.DECIMAL128:
		return newFixed(l, decimals(l.physical, wide.decimal128))
	case arrow.DECIMAL256:
		return newFixed(l, decimals(l.physical, wide.decimal256))
	}
	if l.physical == parquet.Types.Int96 {
		return newFixed(l, converted(instants))
	}
	return newStored[int64](l, p)
}

func newFloats(l leaf, p *pages) vector {
	if l.physical == parquet.Types.FixedLenByteArray {
		return newFixed(l, converted(halves))
	}
	return newStored[float32](l, p)
}

// newStored gives a vector of values that Arrow and Parquet hold alike.
func newStored[T arrow.FixedWidthType](l leaf, p *pages) vector {
	f := newFixed(l, asStored[T])
	f.pages, f.indices = p, make([]int32, BatchRows)
	return f
}

// decoder reads at most len(out) rows of one page and writes their values to out.
type decoder[T any] func(run file.ColumnChunkReader, out []T, levels []int16) (took int64, values int, err error)

// inPage is what arrow-go's column readers of physical type P have in common.
type inPage[P any] interface {
	ReadBatchInPage(n int64, values []P, definition, repetition []int16) (int64, int, error)
}

// asStored decodes values that Arrow and Parquet hold alike.
func asStored[P any](run file.ColumnChunkReader, out []P, levels []int16) (int64, int, error) {
	return run.(inPage[P]).ReadBatchInPage(int64(len(out)), out, levels, nil)
}

// converted decodes values of physical type P and converts those of each page.
func converted[P, T any](convert func(out []T, in []P) error) decoder[T] {
	stored := make([]P, BatchRows)
	return func(run file.ColumnChunkReader, out []T, levels []int16) (int64, int, error) {
		in := stored[:len(out)]
		clear(in) // arrow-go writes through byte slices that it finds there
		took, values, err := asStored(run, in, levels)
		if err != nil {
			return 0, 0, err
		}
		return took, values, convert(out, in[:values])
	}
}

// fixed is a vector of values of a fixed width.
type fixed[T arrow.FixedWidthType] struct {
	kind    arrow.DataType
	read    decoder[T]
	values  []T
	count   int
	pages   *pages  // of values held as in Parquet
	indices []int32 // of these: working memory
}

func newFixed[T arrow.FixedWidthType](l leaf, read decoder[T]) *fixed[T] {
	return &fixed[T]{kind: l.kind, read: read, values: make([]T, BatchRows)}
}

func (f *fixed[T]) reset() { f.count = 0 }

func (f *fixed[T]) decode(run file.ColumnChunkReader, n int, levels []int16) (int64, int, error) {
	took, values, err := f.read(run, f.values[f.count:f.count+n], levels)
	f.count += values
	return took, values, err
}

func (f *fixed[T]) array(n rows) arrow.Array {
	spread(f.values, f.count, n)
	return newArray(f.kind, n, memory.NewBufferBytes(arrow.GetBytes(f.values[:n.count])))
}

// spread moves the first count values to the rows that have one; the other rows
// become zero.
func spread[T any](values []T, count int, n rows) {
	if n.nulls == 0 {
		return
	}
	var zero T
	for i := n.count - 1; i >= count; i-- { // then there is no null left
		level := n.levels[i]
		count -= int(level)
		value := values[count]
		if level == 0 {
			value = zero
		}
		values[i] = value
	}
}

// newArray makes an array over buffers that it does not own.
func newArray(kind arrow.DataType, n rows, buffers ...*memory.Buffer) arrow.Array {
	data := array.NewData(kind, n.count, append([]*memory.Buffer{n.validity}, buffers...), nil, n.nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// bools is a vector of booleans, which Arrow holds as bits.
type bools struct {
	values []bool
	count  int
	bits   []byte
}

func (b *bools) reset() { b.count = 0 }

func (b *bools) decode(run file.ColumnChunkReader, n int, levels []int16) (int64, int, error) {
	took, values, err := asStored(run, b.values[b.count:b.count+n], levels)
	b.count += values
	return took, values, err
}

func (b *bools) array(n rows) arrow.Array {
	spread(b.values, b.count, n)
	for i := 0; i < n.count; i += 8 {
		packed := byte(0)
		for j, v := range b.values[i:min(i+8, n.count)] {
			bit := byte(0)
			if v {
				bit = 1
			}
			packed |= bit << j
		}
		b.bits[i/8] = packed
	}
	return newArray(arrow.FixedWidthTypes.Boolean, n, memory.NewBufferBytes(b.bits[:(n.count+7)/8]))
}

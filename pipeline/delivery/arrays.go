package delivery

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// This file holds columns that are filled value by value and laid out as an array
// without a copy: the array is valid until the column is emptied.

// flagColumn is a column of bits.
type flagColumn struct {
	bits []byte
	n    int
}

func (f *flagColumn) add(v bool) {
	if f.n&7 == 0 {
		f.bits = append(f.bits, 0)
	}
	if v {
		f.bits[f.n>>3] |= 1 << (f.n & 7)
	}
	f.n++
}

// addAll adds one value n times.
func (f *flagColumn) addAll(v bool, n int) {
	for ; n > 0 && f.n&7 != 0; n-- {
		f.add(v)
	}
	eight := byte(0)
	if v {
		eight = 0xFF
	}
	for ; n >= 8; n -= 8 {
		f.bits = append(f.bits, eight)
		f.n += 8
	}
	for ; n > 0; n-- {
		f.add(v)
	}
}

func (f *flagColumn) empty() { f.bits, f.n = f.bits[:0], 0 }

func (f *flagColumn) array() arrow.Array {
	return arrayOver(arrow.FixedWidthTypes.Boolean, f.n, nil, f.bits)
}

// validity says which values of a column are not null.
type validity struct {
	bits     flagColumn // empty as long as there is no null
	n, nulls int
}

func (v *validity) add() {
	v.n++
	if v.nulls > 0 {
		v.bits.add(true)
	}
}

// fill adds nulls up to n values.
func (v *validity) fill(n int) {
	if n == v.n {
		return
	}
	if v.nulls == 0 {
		v.bits.addAll(true, v.n)
	}
	v.bits.addAll(false, n-v.n)
	v.nulls += n - v.n
	v.n = n
}

func (v *validity) empty() { v.bits.empty(); v.n, v.nulls = 0, 0 }

// numberColumn is a column of numbers.
type numberColumn[T arrow.FixedWidthType] struct {
	values []T
	valid  validity
}

func (c *numberColumn[T]) n() int { return c.valid.n }

func (c *numberColumn[T]) add(v T) {
	c.values = append(c.values, v)
	c.valid.add()
}

// addAll adds one value n times.
func (c *numberColumn[T]) addAll(v T, n int) {
	for range n {
		c.add(v)
	}
}

// fill adds nulls up to n values.
func (c *numberColumn[T]) fill(n int) {
	c.values = append(c.values, make([]T, n-len(c.values))...)
	c.valid.fill(n)
}

func (c *numberColumn[T]) empty() { c.values = c.values[:0]; c.valid.empty() }

func (c *numberColumn[T]) array(t arrow.DataType) arrow.Array {
	return arrayOver(t, len(c.values), c.valid.bits.bits, arrow.GetBytes(c.values))
}

// textColumn is a column of texts.
type textColumn struct {
	data  []byte
	ends  []int32 // after the 0 where the first begins
	valid validity
}

func (c *textColumn) add(text []byte) {
	c.begin()
	c.data = append(c.data, text...)
	c.ends = append(c.ends, int32(len(c.data)))
	c.valid.add()
}

// fill adds nulls up to n values.
func (c *textColumn) fill(n int) {
	c.begin()
	for range n - c.valid.n {
		c.ends = append(c.ends, int32(len(c.data)))
	}
	c.valid.fill(n)
}

func (c *textColumn) begin() {
	if len(c.ends) == 0 {
		c.ends = append(c.ends, 0)
	}
}

func (c *textColumn) empty() { c.data, c.ends = c.data[:0], c.ends[:0]; c.valid.empty() }

func (c *textColumn) array() arrow.Array {
	return arrayOver(arrow.BinaryTypes.String, c.valid.n, c.valid.bits.bits, arrow.GetBytes(c.ends), c.data)
}

// wordColumn is a column of texts that repeat.
type wordColumn struct {
	codes map[string]int32
	texts textColumn
	rows  numberColumn[int32]
}

var wordType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// code gives the number of a word, which stays.
func (c *wordColumn) code(word string) int32 {
	code, known := c.codes[word]
	if !known {
		if c.codes == nil {
			c.codes = map[string]int32{}
		}
		code = int32(len(c.codes))
		c.codes[word] = code
		c.texts.add([]byte(word))
	}
	return code
}

func (c *wordColumn) array() arrow.Array {
	return array.NewDictionaryArray(wordType, c.rows.array(arrow.PrimitiveTypes.Int32), c.texts.array())
}

// arrayOver lays an array over buffers, which it does not copy. Of valid, empty
// for all, 0 bits are nulls.
func arrayOver(t arrow.DataType, n int, valid []byte, buffers ...[]byte) arrow.Array {
	all := []*memory.Buffer{nil}
	nulls := 0
	if len(valid) > 0 {
		all[0] = memory.NewBufferBytes(valid)
		nulls = n - bitutil.CountSetBits(valid, 0, n)
	}
	for _, b := range buffers {
		all = append(all, memory.NewBufferBytes(b))
	}
	data := array.NewData(t, n, all, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

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
	flagColumn
	nulls int
}

func (v *validity) add(valid bool) {
	v.flagColumn.add(valid)
	if !valid {
		v.nulls++
	}
}

func (v *validity) empty() { v.flagColumn.empty(); v.nulls = 0 }

func (v *validity) addAll(valid bool, n int) {
	v.flagColumn.addAll(valid, n)
	if !valid {
		v.nulls += n
	}
}

// bitmap is nil where no value is null.
func (v *validity) bitmap() []byte {
	if v.nulls == 0 {
		return nil
	}
	return v.bits
}

// numberColumn is a column of numbers.
type numberColumn[T arrow.FixedWidthType] struct {
	values []T
	valid  validity
}

func (c *numberColumn[T]) add(v T) { c.addValid(v, true) }

func (c *numberColumn[T]) addValid(v T, valid bool) {
	c.values = append(c.values, v)
	c.valid.add(valid)
}

func (c *numberColumn[T]) addAll(v T, valid bool, n int) {
	for range n {
		c.values = append(c.values, v)
	}
	c.valid.addAll(valid, n)
}

func (c *numberColumn[T]) empty() { c.values = c.values[:0]; c.valid.empty() }

func (c *numberColumn[T]) array(t arrow.DataType) arrow.Array {
	return arrayOver(t, len(c.values), c.valid.bitmap(), arrow.GetBytes(c.values))
}

// textColumn is a column of texts.
type textColumn struct {
	data  []byte
	ends  []int32 // after the 0 where the first begins
	valid validity
}

func (c *textColumn) add(text string, valid bool) {
	if len(c.ends) == 0 {
		c.ends = append(c.ends, 0)
	}
	c.data = append(c.data, text...)
	c.ends = append(c.ends, int32(len(c.data)))
	c.valid.add(valid)
}

func (c *textColumn) addNulls(n int) {
	if len(c.ends) == 0 {
		c.ends = append(c.ends, 0)
	}
	for range n {
		c.ends = append(c.ends, int32(len(c.data)))
	}
	c.valid.addAll(false, n)
}

func (c *textColumn) empty() { c.data, c.ends = c.data[:0], c.ends[:0]; c.valid.empty() }

func (c *textColumn) array() arrow.Array {
	return arrayOver(arrow.BinaryTypes.String, c.valid.n, c.valid.bitmap(), arrow.GetBytes(c.ends), c.data)
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
		c.texts.add(word, true)
	}
	return code
}

func (c *wordColumn) array() arrow.Array {
	return array.NewDictionaryArray(wordType, c.rows.array(arrow.PrimitiveTypes.Int32), c.texts.array())
}

// arrayOver lays an array over buffers, which it does not copy. Of valid, nil for
// all, 0 bits are nulls.
func arrayOver(t arrow.DataType, n int, valid []byte, buffers ...[]byte) arrow.Array {
	all := []*memory.Buffer{nil}
	nulls := 0
	if valid != nil {
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

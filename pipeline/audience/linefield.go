package audience

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// lineRows is how many rows are made lines at once.
const lineRows = 256

// lineField is a column of the block that is being written.
type lineField struct {
	*lineColumn
	arr      arrow.Array
	hasNulls bool
	cell     cell
	form     func(rows []int32) (n int, err error) // as formEach does; no error where n are fewer for their length
	text     []byte                                // what the spans point into, and more bytes
	spans    [lineRows]span                        // by row of those that were formed last
	own      []byte                                // text that is not the array's
	words    []span                                // in own, by code of a dictionary; without bytes as long as a word is not formed
}

// span is where in a text another one lies.
type span struct{ from, n int }

// open takes the array of a column.
func (f *lineField) open(c *lineColumn, arr arrow.Array) (err error) {
	f.lineColumn, f.arr, f.hasNulls = c, arr, arr.NullN() > 0
	if f.cell, err = c.cells(arr); err != nil {
		return err
	}
	f.form = f.formEach
	switch a := arr.(type) {
	case *array.Decimal32:
		f.form = func(rows []int32) (int, error) { return f.formScores(arrow.GetValues[int32](a.Data(), 1), rows) }
	case *array.String:
		if c.isBare != nil && !f.hasNulls {
			f.form = func(rows []int32) (int, error) { return f.formBare(a, rows) }
		}
	case *array.Dictionary:
		f.openWords(a)
	}
	return nil
}

// openWords forms each word of a dictionary once, unless they are more than the rows.
func (f *lineField) openWords(a *array.Dictionary) {
	n := a.Dictionary().Len()
	if n > a.Len() {
		return
	}
	f.own, f.words = f.own[:0], slices.Grow(f.words[:0], n)[:n]
	clear(f.words)
	switch codes := a.Indices().(type) {
	case *array.Int32:
		f.form = func(rows []int32) (int, error) { return formWords(f, codes.Int32Values(), rows) }
	case *array.Uint8:
		f.form = func(rows []int32) (int, error) { return formWords(f, codes.Uint8Values(), rows) }
	}
}

// size gives how many bytes some rows take at most.
func (f *lineField) size(first, end int) int {
	size := (end - first) * len(f.before)
	for _, s := range f.spans[first:end] {
		size += s.n
	}
	return size
}

// formEach forms the values of rows, at most lineRows, and gives their number: fewer when
// the next one is at fault, and when they are sinkBytes long.
func (f *lineField) formEach(rows []int32) (n int, err error) {
	f.own = f.own[:0]
	defer f.useOwn()
	for i, r := range rows {
		if f.spans[i], err = f.add(r); err != nil {
			return i, err
		}
		if len(f.own) > sinkBytes {
			return i + 1, nil
		}
	}
	return len(rows), nil
}

// add forms the value of one row.
func (f *lineField) add(row int32) (s span, err error) {
	from := len(f.own)
	switch {
	case !f.hasNulls || f.arr.IsValid(int(row)):
		f.own, err = f.cell(f.own, row)
	case f.nullable:
		f.own = append(f.own, f.null...)
	default:
		err = badValue(row, "null in a column that must not hold it")
	}
	return span{from, len(f.own) - from}, err
}

func (f *lineField) useOwn() {
	f.own = slices.Grow(f.own, chunk)
	f.text = f.own[:len(f.own)+chunk]
}

// formBare leaves texts where they are, if all of them are written so.
func (f *lineField) formBare(a *array.String, rows []int32) (int, error) {
	offsets := a.ValueOffsets()
	for i, r := range rows {
		if !f.isBare(a.Value(int(r))) {
			return f.formEach(rows)
		}
		f.spans[i] = span{int(offsets[r]), int(offsets[r+1] - offsets[r])}
	}
	f.text = a.Data().Buffers()[2].Bytes()
	return len(rows), nil
}

func (f *lineField) formScores(values, rows []int32) (int, error) {
	for i, r := range rows {
		f.spans[i] = scoreSpan(values[r])
	}
	f.text = scoreTexts
	return len(rows), nil
}

func formWords[I int32 | uint8](f *lineField, codes []I, rows []int32) (n int, err error) {
	defer f.useOwn()
	for i, r := range rows {
		if f.hasNulls && f.arr.IsNull(int(r)) {
			if f.spans[i], err = f.add(r); err != nil {
				return i, err
			}
			continue
		}
		word := &f.words[codes[r]]
		if word.n == 0 {
			if *word, err = f.add(r); err != nil {
				return i, err
			}
		}
		f.spans[i] = *word
	}
	return len(rows), nil
}

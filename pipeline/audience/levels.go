package audience

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// levels holds the definition levels of a column in the open row group: 1 where there
// is a value, 0 where there is null. A column that must not hold null has none.
type levels struct {
	optional bool
	rows     int
	nulls    int
	def      []uint16 // empty as long as there is no null, else one a row
	present  []int32  // reused
}

// keep adds the levels of rows and gives the rows that hold a value.
func (l *levels) keep(arr arrow.Array, rows []int32) ([]int32, error) {
	n := len(rows)
	l.rows += n
	if arr.NullN() == 0 {
		if len(l.def) > 0 {
			l.def = appendOnes(l.def, n)
		}
		return rows, nil
	}
	if len(l.def) == 0 {
		l.def = appendOnes(l.def, l.rows-n)
	}
	l.present = slices.Grow(l.present[:0], n)[:n]
	l.def = slices.Grow(l.def, n)[:l.rows]
	found := present(l.def[l.rows-n:], l.present, arr, rows)
	l.nulls += n - found
	if !l.optional && found < n {
		return nil, badValue(rows[slices.Index(l.def[l.rows-n:], 0)], "null in a column that must not hold it")
	}
	return l.present[:found], nil
}

// present sets the levels of rows and puts those that hold a value into held, whose
// number it gives.
func present(def []uint16, held []int32, arr arrow.Array, rows []int32) int {
	bitmap, offset := arr.NullBitmapBytes(), arr.Data().Offset()
	n := 0
	for i, r := range rows {
		at := offset + int(r)
		bit := bitmap[at/8] >> (at % 8) & 1
		def[i] = uint16(bit)
		held[n] = r
		n += int(bit)
	}
	return n
}

func appendOnes(def []uint16, n int) []uint16 {
	for range n {
		def = append(def, 1)
	}
	return def
}

// values counts the values in the rows from up to, but not including, to.
func (l *levels) values(from, to int) int {
	if l.nulls == 0 {
		return to - from
	}
	n := 0
	for _, d := range l.def[from:to] {
		n += int(d)
	}
	return n
}

// appendTo adds the levels of the rows from up to, but not including, to as a page of
// version 1 begins with them: their length in bytes, and runs.
func (l *levels) appendTo(page []byte, from, to int) []byte {
	if !l.optional {
		return page
	}
	start := len(page)
	page = append(page, 0, 0, 0, 0)
	if l.nulls == 0 {
		page = appendRun(page, 1, to-from, 1)
	} else {
		page = appendHybrid(page, l.def[from:to], 1)
	}
	binary.LittleEndian.PutUint32(page[start:], uint32(len(page)-start-4))
	return page
}

func (l *levels) nullCount() int { return l.nulls }

// reset starts the next row group.
func (l *levels) reset() { l.rows, l.nulls, l.def = 0, 0, l.def[:0] }

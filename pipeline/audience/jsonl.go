package audience

import (
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// NewJSONL starts a file of JSON lines, one object a row with the layout's
// columns as keys, for blocks whose batches hold columns of snapshot. Without
// rows it stays empty.
func NewJSONL(w io.Writer, l Layout, snapshot *arrow.Schema) (Encoder, error) {
	return newJSONL(w, l, snapshot)
}

func newJSONL(w io.Writer, l Layout, snapshot *arrow.Schema) (*lineEncoder, error) {
	e, err := newLines(w, l, snapshot, "}\n")
	if err != nil {
		return nil, err
	}
	ids := l.ids()
	open := byte('{')
	for i := range e.columns {
		c := &e.columns[i]
		key, err := appendJSON([]byte{open}, c.name)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", c.name, err)
		}
		c.before, c.null, open = string(append(key, ':')), "null", ','
		c.cells = func(a arrow.Array) (cell, error) { return jsonCell(a, ids[c.name]) }
	}
	return e, nil
}

// NewJSONLines gives rows as the lines that NewJSONL writes.
func NewJSONLines(l Layout, snapshot *arrow.Schema) (*Lines, error) {
	e, err := newJSONL(nil, l, snapshot)
	return &Lines{e}, err
}

// jsonCell gives the cells of an array as JSON values. What JSON has no type for
// is text: dates, timestamps, the words for floats that are no number, and the
// id, whatever its type in the snapshot.
func jsonCell(arr arrow.Array, isID bool) (cell, error) {
	c, err := newCell(arr, appendJSON)
	if err != nil {
		return nil, err
	}
	switch t := arr.DataType(); {
	case isText(t) || t.ID() == arrow.DICTIONARY:
		return c, nil
	case isID || isTime(t):
		return inQuotes(c), nil
	case arrow.IsFloating(t.ID()):
		return wordsInQuotes(c), nil
	}
	return c, nil
}

func isTime(t arrow.DataType) bool {
	return t.ID() == arrow.DATE32 || t.ID() == arrow.DATE64 || t.ID() == arrow.TIMESTAMP
}

// inQuotes puts quotes around cells that hold nothing to be escaped.
func inQuotes(c cell) cell {
	return func(dst []byte, row int32) ([]byte, error) {
		dst, err := c(append(dst, '"'), row)
		return append(dst, '"'), err
	}
}

// wordsInQuotes puts quotes around NaN, Inf and -Inf, and leaves numbers as they are.
func wordsInQuotes(c cell) cell {
	return func(dst []byte, row int32) ([]byte, error) {
		start := len(dst)
		dst, err := c(dst, row)
		if last := dst[len(dst)-1]; last >= '0' && last <= '9' {
			return dst, err
		}
		return append(slices.Insert(dst, start, '"'), '"'), err
	}
}

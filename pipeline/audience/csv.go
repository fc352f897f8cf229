package audience

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// CSVOptions are the choices for a CSV file.
type CSVOptions struct {
	// Formula says what to do with a text that a spreadsheet would run, because
	// it begins with = + - @ TAB or CR: refuse it with ErrFormula, or quote it
	// by an apostrophe before it. Empty is refuse. Numbers are never touched, nor
	// are phone numbers under E164: + and digits run nothing, and no tool takes
	// them otherwise.
	Formula string
}

func (o CSVOptions) writer() (csvText, error) {
	switch o.Formula {
	case "", "refuse":
		return csvText{}, nil
	case "quote":
		return csvText{quoteFormulas: true}, nil
	}
	return csvText{}, fmt.Errorf("%w: formula %q: want refuse or quote", ErrOption, o.Formula)
}

// NewCSV starts a CSV file of the layout's columns, with its header, for blocks
// whose batches hold columns of snapshot.
func NewCSV(w io.Writer, l Layout, snapshot *arrow.Schema, o CSVOptions) (Encoder, error) {
	e, text, err := newCSV(w, l, snapshot, o)
	if err != nil {
		return nil, err
	}
	return e, writeHeader(e, text)
}

// NewCSVLines gives rows as the lines that NewCSV writes, without its header.
func NewCSVLines(l Layout, snapshot *arrow.Schema, o CSVOptions) (*Lines, error) {
	e, _, err := newCSV(nil, l, snapshot, o)
	return &Lines{e}, err
}

func newCSV(w io.Writer, l Layout, snapshot *arrow.Schema, o CSVOptions) (*lineEncoder, csvText, error) {
	text, err := o.writer()
	if err != nil {
		return nil, text, err
	}
	e, err := newLines(w, l, snapshot, "\r\n")
	if err != nil {
		return nil, text, err
	}
	for i := range e.columns {
		c := &e.columns[i]
		text := text
		text.keepFormulas = l.Columns[i].Normalise == E164 && l.Columns[i].Hash == ""
		c.cells = func(a arrow.Array) (cell, error) { return newCell(a, text.append) }
		c.isBare = isBareField
		if i > 0 {
			c.before = ","
		}
		if len(e.columns) == 1 {
			c.null = `""`
		}
	}
	return e, text, nil
}

func writeHeader(e *lineEncoder, text csvText) error {
	for _, c := range e.columns {
		var err error
		if e.lines, err = text.append(append(e.lines, c.before...), c.name); err != nil {
			return fmt.Errorf("header %q: %w", c.name, err)
		}
	}
	e.lines = append(e.lines, e.end...)
	return nil
}

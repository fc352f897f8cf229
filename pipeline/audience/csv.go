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
	e, err := newLines(w, l, snapshot, "\r\n")
	if err != nil {
		return nil, err
	}
	text, err := o.writer()
	if err != nil {
		return nil, err
	}
	for i := range e.columns {
		c := &e.columns[i]
		text := text
		text.keepFormulas = l.Columns[i].Normalise == E164 && l.Columns[i].Hash == ""
		c.cell = func(a arrow.Array) (cell, error) { return newCell(a, text.append) }
		if i > 0 {
			c.before = ","
		}
		if len(e.columns) == 1 {
			c.null = `""`
		}
	}
	return e, writeHeader(e, text)
}

func writeHeader(e *lineEncoder, text csvText) error {
	for _, c := range e.columns {
		var err error
		if e.lines, err = text.append(append(e.lines, c.before...), c.name); err != nil {
			return fmt.Errorf("header %q: %w", c.name, err)
		}
	}
	return e.endLine()
}

package audience

import (
	"bufio"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// CSVOptions are the choices for a CSV file.
type CSVOptions struct {
	// Formula says what to do with a text that a spreadsheet would run, because
	// it begins with = + - @ TAB or CR: refuse it with ErrFormula, or quote it
	// by an apostrophe before it. Empty is refuse. Numbers are never touched.
	Formula string
}

func (o CSVOptions) writer() (textWriter, error) {
	switch o.Formula {
	case "", "refuse":
		return textWriter{}, nil
	case "quote":
		return textWriter{quoteFormulas: true}, nil
	}
	return textWriter{}, fmt.Errorf("%w: formula %q: want refuse or quote", ErrOption, o.Formula)
}

type csvEncoder struct {
	view    *view
	columns []arrow.Field
	text    textWriter
	sink    *bufio.Writer // keeps the first error of the writer below
	line    []byte        // reused
	null    string
	rows    int64
	closed  bool
	latch
}

// NewCSV starts a CSV file of the layout's columns, with its header, for blocks
// whose batches hold columns of snapshot.
func NewCSV(w io.Writer, l Layout, snapshot *arrow.Schema, o CSVOptions) (Encoder, error) {
	s, err := l.Schema(snapshot)
	if err != nil {
		return nil, err
	}
	text, err := o.writer()
	if err != nil {
		return nil, err
	}
	e := &csvEncoder{view: newView(l, snapshot), columns: s.Fields(), text: text, sink: bufio.NewWriterSize(w, sinkBytes)}
	if len(e.columns) == 1 {
		e.null = `""`
	}
	return e, e.header()
}

func (e *csvEncoder) header() error {
	for i, f := range e.columns {
		if i > 0 {
			e.line = append(e.line, ',')
		}
		var err error
		if e.line, err = e.text.append(e.line, f.Name); err != nil {
			return fmt.Errorf("header %q: %w", f.Name, err)
		}
	}
	return e.endLine()
}

func (e *csvEncoder) endLine() error {
	e.line = append(e.line, '\r', '\n')
	_, err := e.sink.Write(e.line)
	e.line = e.line[:0]
	return err
}

func (e *csvEncoder) Write(b *Block, rows []int32) error {
	return e.guard(func() error {
		if e.closed {
			return errClosed
		}
		arrays, err := e.view.of(b, rows)
		if err != nil {
			return err
		}
		fields := make([]csvField, len(arrays))
		for i, a := range arrays {
			if fields[i], err = e.field(a, e.columns[i]); err != nil {
				return inColumn(e.columns[i].Name, err)
			}
		}
		return e.writeRows(fields, rows)
	})
}

// csvField writes one column of one block.
type csvField struct {
	cell     cell
	arr      arrow.Array
	hasNulls bool
	nullable bool
}

func (e *csvEncoder) field(a arrow.Array, f arrow.Field) (csvField, error) {
	c, err := newCell(a, e.text)
	return csvField{cell: c, arr: a, hasNulls: a.NullN() > 0, nullable: f.Nullable}, err
}

func (e *csvEncoder) writeRows(fields []csvField, rows []int32) error {
	for _, r := range rows {
		for i := range fields {
			if i > 0 {
				e.line = append(e.line, ',')
			}
			if err := e.append(&fields[i], r); err != nil {
				return inColumn(e.columns[i].Name, err)
			}
		}
		if err := e.endLine(); err != nil {
			return err
		}
		e.rows++
	}
	return nil
}

func (e *csvEncoder) append(f *csvField, row int32) (err error) {
	if !f.hasNulls || f.arr.IsValid(int(row)) {
		e.line, err = f.cell(e.line, row)
		return err
	}
	if !f.nullable {
		return badValue(row, "null in a column that must not hold it")
	}
	e.line = append(e.line, e.null...)
	return nil
}

func (e *csvEncoder) Close() error {
	return e.guard(func() error {
		e.closed = true
		return e.sink.Flush()
	})
}

func (e *csvEncoder) Rows() int64 { return e.rows }

package audience

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// lineEncoder writes each row as one line of text: before each value what the
// format puts there, then the value, and at the end of the row what ends a line.
// Nothing is allocated for a row.
type lineEncoder struct {
	view    *view
	columns []lineColumn
	end     string
	each    func(line []byte) error // takes every line, until it returns; nil for a file
	sink    io.Writer
	lines   []byte      // not handed on yet
	fields  []lineField // reused
	rows    int64
	closed  bool
	latch
}

// lineColumn is a column as its format writes it.
type lineColumn struct {
	name     string
	nullable bool
	before   string
	null     string
	cells    func(arrow.Array) (cell, error)
}

// newLines starts a file of lines with the layout's columns, whose form is left
// to the caller.
func newLines(w io.Writer, l Layout, snapshot *arrow.Schema, end string) (*lineEncoder, error) {
	s, err := l.Schema(snapshot)
	if err != nil {
		return nil, err
	}
	e := &lineEncoder{view: newView(l, snapshot), end: end, sink: w}
	for _, f := range s.Fields() {
		e.columns = append(e.columns, lineColumn{name: f.Name, nullable: f.Nullable})
	}
	return e, nil
}

func (e *lineEncoder) Write(b *Block, rows []int32) error {
	return e.guard(func() error {
		if e.closed {
			return errClosed
		}
		arrays, err := e.view.of(b, rows)
		if err != nil {
			return err
		}
		e.fields = e.fields[:0]
		for i, a := range arrays {
			c, err := e.columns[i].cells(a)
			if err != nil {
				return inColumn(e.columns[i].name, err)
			}
			e.fields = append(e.fields, lineField{lineColumn: &e.columns[i], cell: c, arr: a, hasNulls: a.NullN() > 0})
		}
		return e.writeRows(rows)
	})
}

// lineField is a column of the block that is being written.
type lineField struct {
	*lineColumn
	cell     cell
	arr      arrow.Array
	hasNulls bool
}

func (e *lineEncoder) writeRows(rows []int32) (err error) {
	for _, r := range rows {
		lines := e.lines
		for i := range e.fields {
			f := &e.fields[i]
			if len(f.before) == 1 { // a comma, for which a copy is slow
				lines = append(lines, f.before[0])
			} else {
				lines = append(lines, f.before...)
			}
			if lines, err = f.append(lines, r); err != nil {
				return inColumn(f.name, err)
			}
		}
		e.lines = lines
		e.rows++
		if err := e.endLine(); err != nil {
			return err
		}
	}
	return nil
}

func (f *lineField) append(dst []byte, row int32) ([]byte, error) {
	switch {
	case !f.hasNulls || f.arr.IsValid(int(row)):
		return f.cell(dst, row)
	case !f.nullable:
		return dst, badValue(row, "null in a column that must not hold it")
	}
	return append(dst, f.null...), nil
}

// endLine hands lines on, many at a time.
func (e *lineEncoder) endLine() error {
	e.lines = append(e.lines, e.end...)
	if e.each != nil {
		err := e.each(e.lines)
		e.lines = e.lines[:0]
		return err
	}
	if len(e.lines) < sinkBytes {
		return nil
	}
	return e.flush()
}

func (e *lineEncoder) flush() error {
	if len(e.lines) == 0 {
		return nil
	}
	_, err := e.sink.Write(e.lines)
	e.lines = e.lines[:0]
	return err
}

func (e *lineEncoder) Close() error {
	return e.guard(func() error {
		e.closed = true
		return e.flush()
	})
}

func (e *lineEncoder) Rows() int64 { return e.rows }

// Lines gives rows as the lines of a format one by one, where no file is written. It
// is not safe for concurrent use.
type Lines struct{ encoder *lineEncoder }

// Each gives the line of each row, with its end, and its index into rows. It is valid
// until visit returns. What Encoder.Write says of errors holds here too.
func (l *Lines) Each(b *Block, rows []int32, visit func(i int, line []byte) error) error {
	i := -1
	l.encoder.each = func(line []byte) error {
		i++
		return visit(i, line)
	}
	return l.encoder.Write(b, rows)
}

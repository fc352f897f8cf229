package audience

import (
	"cmp"
	"io"
	"slices"

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
	fields  []lineField // by column, of the block that is being written; reused
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
	isBare   func(text string) bool // whether a text is written as it is; nil for none
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
		e.fields = slices.Grow(e.fields[:0], len(arrays))[:len(arrays)]
		for i, a := range arrays {
			if err := e.fields[i].open(&e.columns[i], a); err != nil {
				return inColumn(e.columns[i].name, err)
			}
		}
		for len(rows) > 0 {
			n, err := e.writeRows(rows[:min(len(rows), lineRows)])
			if err != nil {
				return err
			}
			rows = rows[n:]
		}
		return nil
	})
}

// writeRows writes the first of at most lineRows rows, and says how many: it forms the
// values column by column, and then joins them to lines. Of the rows at fault, the first
// counts, and of its columns the first; the lines before it are written.
func (e *lineEncoder) writeRows(rows []int32) (n int, err error) {
	n = len(rows)
	for i := range e.fields {
		f := &e.fields[i]
		formed, fault := f.form(rows[:n])
		if formed < n { // whatever was at fault comes after these
			n, err = formed, inColumn(f.name, fault)
		}
		if n == 0 {
			return 0, err
		}
	}
	return n, cmp.Or(e.join(0, n), err)
}

// join writes the lines of some of the rows that were formed, and hands lines on, many at
// a time, but no more than sinkBytes at once unless one line alone is longer.
func (e *lineEncoder) join(first, end int) error {
	size := (end-first)*len(e.end) + chunk
	for i := range e.fields {
		size += e.fields[i].size(first, end)
	}
	if size > sinkBytes && end-first > 1 {
		half := (first + end) / 2
		if err := e.join(first, half); err != nil {
			return err
		}
		return e.join(half, end)
	}
	at := len(e.lines)
	lines := slices.Grow(e.lines, size)[:at+size]
	for i := first; i < end; i++ {
		start := at
		for j := range e.fields {
			f := &e.fields[j]
			s := f.spans[i]
			if len(f.before) == 1 { // a comma, for which a copy is slow
				lines[at] = f.before[0]
				at++
			} else {
				at += copy(lines[at:], f.before)
			}
			at += put(lines[at:], f.text[s.from:], s.n)
		}
		at += copy(lines[at:], e.end)
		e.rows++
		if e.each == nil {
			continue
		}
		if err := e.each(lines[start:at:at]); err != nil {
			return err
		}
		at = start
	}
	e.lines = lines[:at]
	return e.flush(at - at%sinkBytes)
}

// flush hands the first n bytes on, of which a file system takes whole pages faster.
func (e *lineEncoder) flush(n int) error {
	if n == 0 {
		return nil
	}
	_, err := e.sink.Write(e.lines[:n])
	e.lines = append(e.lines[:0], e.lines[n:]...)
	return err
}

func (e *lineEncoder) Close() error {
	return e.guard(func() error {
		e.closed = true
		return e.flush(len(e.lines))
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

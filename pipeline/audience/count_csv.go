package audience

import (
	"bytes"
	"fmt"
	"io"
)

// CountCSV reads a written CSV file again and counts its records, the header
// left out. It shares nothing with the encoder and takes nothing but RFC 4180
// with CR LF: anything else, another number of fields than the header's, or a
// file that ends inside a line is ErrDamaged.
func CountCSV(r io.Reader) (int64, error) {
	s := csvScanner{state: lineStart}
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		for data := s.takeLines(buffer[:n]); len(data) > 0; data = s.takeLines(data[1:]) {
			if !s.take(data[0]) {
				return 0, fmt.Errorf("%w: record %d, field %d: %q %s", ErrDamaged, s.records, s.fields+1, data[0], s.state)
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return s.end()
		default:
			return 0, err
		}
	}
}

// csvScanner is an automaton over the bytes of a CSV file.
type csvScanner struct {
	state   csvState
	records int64 // complete ones, the header included
	fields  int   // complete ones of the open record
	width   int   // fields of the header, as fields counts them
}

type csvState uint8

const (
	lineStart csvState = iota
	fieldStart
	bare
	quoted
	quoteInQuoted
	afterCR
	tooFewOrMany
)

func (s csvState) String() string {
	return [...]string{
		"begins a line that holds nothing", "begins a field", "is inside a field without quotes", "is inside a quoted field",
		"follows a quoted field", "follows a CR", "ends a record that has not as many fields as the header",
	}[s]
}

// takeLines moves on by the whole lines that data begins with, as long as these are what
// most are: without quotes and with as many fields as the header. It gives the rest.
func (s *csvScanner) takeLines(data []byte) []byte {
	for s.state == lineStart && s.records > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 2 || bytes.IndexByte(data[:end], '\r') != end-1 ||
			bytes.IndexByte(data[:end], '"') >= 0 || bytes.Count(data[:end], comma) != s.width {
			break
		}
		s.records++
		data = data[end+1:]
	}
	return data
}

var comma = []byte{','}

// take moves on by one byte; false when it may not stand here.
func (s *csvScanner) take(b byte) bool {
	switch s.state {
	case lineStart:
		if b == '\r' {
			return false
		}
		return s.begin(b)
	case fieldStart:
		return s.begin(b)
	case bare:
		return b != '"' && s.inside(b)
	case quoted:
		if b == '"' {
			s.state = quoteInQuoted
		}
		return true
	case quoteInQuoted:
		if b == '"' {
			s.state = quoted
			return true
		}
		return (b == ',' || b == '\r') && s.inside(b)
	default:
		return b == '\n' && s.endRecord()
	}
}

func (s *csvScanner) begin(b byte) bool {
	if b == '"' {
		s.state = quoted
		return true
	}
	return s.inside(b)
}

// inside takes a byte that is neither quoted nor a quote.
func (s *csvScanner) inside(b byte) bool {
	switch b {
	case '\n':
		return false
	case '\r':
		s.state = afterCR
	case ',':
		s.fields++
		s.state = fieldStart
	default:
		s.state = bare
	}
	return true
}

func (s *csvScanner) endRecord() bool {
	if s.records == 0 {
		s.width = s.fields
	}
	if s.fields != s.width {
		s.state = tooFewOrMany
		return false
	}
	s.records++
	s.fields, s.state = 0, lineStart
	return true
}

func (s *csvScanner) end() (int64, error) {
	if s.records == 0 || s.state != lineStart {
		return 0, fmt.Errorf("%w: the file ends in record %d, which is not complete", ErrDamaged, s.records)
	}
	return s.records - 1, nil
}

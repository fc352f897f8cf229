package audience

import (
	"fmt"
	"io"
	"strings"
)

// CountJSONL reads a written file of JSON lines again and counts its lines. It
// shares nothing with the encoder and takes nothing but one object a line, of
// texts, numbers, bools and nulls, without white space, in valid UTF-8 and with
// the keys of the first line in their order: anything else, or a file that ends
// inside a line, is ErrDamaged.
func CountJSONL(r io.Reader) (int64, error) {
	s := jsonScanner{state: objectStart}
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		for _, b := range buffer[:n] {
			if !s.take(b) {
				return 0, fmt.Errorf("%w: line %d, member %d: %q stands where %s", ErrDamaged, s.lines+1, s.members+1, b, s.state)
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

// jsonScanner is an automaton over the bytes of a file of JSON lines.
type jsonScanner struct {
	state   jsonState
	lines   int64  // complete ones
	members int    // complete ones of the open line
	inKey   bool   // whether the open text is a key
	keys    uint64 // hash of the keys of the open line
	first   uint64 // that of the first line
	rest    string // of an open true, false or null
	hex     int    // digits that an open \u still wants
	utf8    utf8Scanner
}

type jsonState uint8

const (
	objectStart jsonState = iota
	keyStart
	afterKey
	valueStart
	inText
	inEscape
	inHex
	inWord
	numberSign
	numberZero
	numberWhole
	numberPoint
	numberFraction
	numberE
	numberESign
	numberExponent
	afterValue
	afterObject
	otherKeys
)

func (s jsonState) String() string {
	return [...]string{
		"an object must begin", "a key must begin", "a colon must follow a key", "a value must begin",
		"a text goes on", "an escape goes on", "an escape wants a hexadecimal digit", "true, false or null goes on",
		"a number goes on", "a number that began with 0 goes on", "a number goes on", "a fraction must begin", "a fraction goes on",
		"an exponent must begin", "an exponent must begin", "an exponent goes on",
		"a comma or the end of the object must follow a value", "the line must end", "a line ends whose keys are not those of the first line",
	}[s]
}

// take moves on by one byte; false when it may not stand here.
func (s *jsonScanner) take(b byte) bool {
	if s.inKey {
		s.keys = (s.keys ^ uint64(b)) * 1099511628211 // FNV-1a
	}
	switch s.state {
	case objectStart:
		return b == '{' && s.become(keyStart)
	case keyStart:
		s.inKey = true
		return b == '"' && s.become(inText)
	case afterKey:
		return b == ':' && s.become(valueStart)
	case valueStart:
		return s.begin(b)
	case inText:
		return s.text(b)
	case inEscape:
		return s.escape(b)
	case inHex:
		return s.digit(b)
	case inWord:
		return s.word(b)
	case afterValue:
		return s.after(b)
	case afterObject:
		return b == '\n' && s.endLine()
	default:
		return s.number(b)
	}
}

func (s *jsonScanner) become(next jsonState) bool {
	s.state = next
	return true
}

// begin takes the first byte of a value.
func (s *jsonScanner) begin(b byte) bool {
	switch b {
	case '"':
		return s.become(inText)
	case '-':
		return s.become(numberSign)
	case 't':
		s.rest = "true"[1:]
	case 'f':
		s.rest = "false"[1:]
	case 'n':
		s.rest = "null"[1:]
	default:
		return s.whole(b)
	}
	return s.become(inWord)
}

func (s *jsonScanner) word(b byte) bool {
	if b != s.rest[0] {
		return false
	}
	s.rest = s.rest[1:]
	if s.rest == "" {
		s.state = afterValue
	}
	return true
}

// text takes a byte between the quotes of a key or a value.
func (s *jsonScanner) text(b byte) bool {
	switch {
	case s.utf8.open() || b >= 0x80:
		return s.utf8.take(b)
	case b == '\\':
		return s.become(inEscape)
	case b != '"':
		return b >= ' '
	case s.inKey:
		s.inKey = false
		return s.become(afterKey)
	}
	return s.become(afterValue)
}

func (s *jsonScanner) escape(b byte) bool {
	if b == 'u' {
		s.hex = 4
		return s.become(inHex)
	}
	return strings.IndexByte(`"\/bfnrt`, b) >= 0 && s.become(inText)
}

func (s *jsonScanner) digit(b byte) bool {
	s.hex--
	if s.hex == 0 {
		s.state = inText
	}
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

// after takes what follows a value.
func (s *jsonScanner) after(b byte) bool {
	s.members++
	return b == ',' && s.become(keyStart) || b == '}' && s.become(afterObject)
}

func (s *jsonScanner) endLine() bool {
	if s.lines == 0 {
		s.first = s.keys
	}
	if s.keys != s.first {
		s.state = otherKeys
		return false
	}
	s.lines++
	s.members, s.keys, s.state = 0, 0, objectStart
	return true
}

func (s *jsonScanner) end() (int64, error) {
	if s.state != objectStart {
		return 0, fmt.Errorf("%w: the file ends in line %d, which is not complete", ErrDamaged, s.lines+1)
	}
	return s.lines, nil
}

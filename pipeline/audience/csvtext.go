package audience

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// csvText writes texts as CSV fields.
type csvText struct {
	quoteFormulas bool
	keepFormulas  bool // wins
}

// append adds s to dst as one field. A text that a spreadsheet would run is
// ErrFormula, unless it is to be quoted or kept.
func (w csvText) append(dst []byte, s string) ([]byte, error) {
	switch {
	case s == "":
		return append(dst, `""`...), nil
	case isBareField(s):
		return append(dst, s...), nil
	case !utf8.ValidString(s):
		return dst, ErrText
	case isFormula(s) && !w.keepFormulas:
		if !w.quoteFormulas {
			return dst, fmt.Errorf("%w: it begins with %q: set formula: quote, or leave the column or the row out", ErrFormula, s[0])
		}
		return appendQuoted(dst, "'", s), nil
	case needsQuotes(s):
		return appendQuoted(dst, "", s), nil
	}
	return append(dst, s...), nil
}

// isBareField says for certain that a text is a field as it is, under every rule of
// formulas.
func isBareField(s string) bool {
	return isBare(s) && s != "" && s[0] != '-' && s[0] != '=' && s[0] != '@'
}

// isBare says whether all bytes of s are ASCII above the comma: these need no quotes.
func isBare(s string) bool {
	const highest = 0x8080808080808080
	var odd uint64 // in the highest bit of a byte: the byte is another one
	if len(s) < 8 {
		for i := range len(s) {
			odd |= uint64(s[i]-bareFrom) | uint64(s[i])
		}
		return odd&highest == 0
	}
	last := s[len(s)-8:]
	for ; len(s) > 8; s = s[8:] {
		odd |= oddBytes(s)
	}
	return (odd|oddBytes(last))&highest == 0
}

// bareFrom is the first byte above the comma.
const bareFrom = ',' + 1

// oddBytes looks at eight bytes.
func oddBytes(s string) uint64 {
	b := binary.LittleEndian.Uint64([]byte(s[:8]))
	return (b - bareFrom*0x0101010101010101) | b
}

func isFormula(s string) bool {
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r':
		return true
	}
	return false
}

// needsQuotes says whether a field of s would be read back as something else.
func needsQuotes(s string) bool {
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return true
	}
	for i := range len(s) {
		switch s[i] {
		case ',', '"', '\r', '\n':
			return true
		}
	}
	return false
}

func appendQuoted(dst []byte, prefix, s string) []byte {
	dst = append(append(dst, '"'), prefix...)
	for {
		before, after, found := strings.Cut(s, `"`)
		dst = append(dst, before...)
		if !found {
			return append(dst, '"')
		}
		dst = append(dst, `""`...)
		s = after
	}
}

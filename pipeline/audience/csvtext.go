package audience

import (
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

package audience

import (
	"strings"
	"unicode"
)

// Forms of the names that Meta matches people by: in lower case, without
// punctuation and symbols, white space around them left out; PlaceName has none
// within either. Letters keep their accents. A text of which nothing is left is
// null.
const (
	PersonName Normalise = "person-name" // first and last names
	PlaceName  Normalise = "place-name"  // cities, states, countries
)

func appendPersonName(dst []byte, s string) ([]byte, bool) {
	return appendWithout(dst, s, func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) })
}

func appendPlaceName(dst []byte, s string) ([]byte, bool) {
	return appendWithout(dst, s, func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.IsSpace(r) })
}

// appendWithout adds s without some characters, trimmed and in lower case.
func appendWithout(dst []byte, s string, out func(rune) bool) ([]byte, bool) {
	return appendLowerTrim(dst, strings.Map(func(r rune) rune {
		if out(r) {
			return -1
		}
		return r
	}, s))
}

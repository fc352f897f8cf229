package forest

import (
	"math"
	"strconv"
)

// tokens gives a JSON-like document piece by piece. Both spellings of an
// XGBoost file are read through it.
type tokens interface {
	// next gives the next token, and one of kind endOfFile after the document's
	// only value. It refuses what breaks the grammar, nesting above maxNesting,
	// and lengths beyond the end of the file.
	next() (token, error)
}

// maxNesting bounds the objects and arrays around a value; XGBoost needs 8.
const maxNesting = 64

type tokenKind uint8

const (
	endOfFile tokenKind = iota
	objectStart
	objectEnd
	arrayStart
	arrayEnd
	key
	text
	number
	boolean
	null
)

var tokenNames = [...]string{"the end of the file", "an object", "the end of an object", "an array", "the end of an array",
	"a key", "a text", "a number", "a boolean", "null"}

func (k tokenKind) String() string { return tokenNames[k] }

// token is one piece of a document.
type token struct {
	kind tokenKind
	// text of a key or a text, and the spelling of a JSON number. It is valid
	// until the next token is asked for.
	text []byte
	// A number without a spelling is whole, or real where isReal says so.
	// whole of a boolean is 0 or 1.
	whole  int64
	real   float64
	isReal bool
}

// float32 gives a number rounded once.
func (t token) float32() (float32, error) {
	switch {
	case t.kind != number:
		return 0, broken("%v where a number belongs", t.kind)
	case t.text != nil:
		f, err := strconv.ParseFloat(string(t.text), 32)
		if err != nil {
			return 0, broken("%q is not a number that float32 can hold", clip(t.text))
		}
		return float32(f), nil
	case t.isReal:
		return float32(t.real), nil
	}
	return float32(t.whole), nil
}

// int64 gives a whole number, or 0 and 1 for false and true.
func (t token) int64() (int64, error) {
	switch {
	case t.kind == boolean:
		return t.whole, nil
	case t.kind != number:
		return 0, broken("%v where a whole number belongs", t.kind)
	case t.text != nil:
		n, err := strconv.ParseInt(string(t.text), 10, 64)
		if err != nil {
			return 0, broken("%q is not a whole number", clip(t.text))
		}
		return n, nil
	case t.isReal:
		return 0, broken("%v where a whole number belongs", t.real)
	}
	return t.whole, nil
}

func (t token) int32() (int32, error) {
	n, err := t.int64()
	if err == nil && (n < math.MinInt32 || n > math.MaxInt32) {
		return 0, broken("%d does not fit 32 bits", n)
	}
	return int32(n), err
}

// spelling gives the text of a text, a number or a boolean.
func (t token) spelling() (string, error) {
	switch {
	case t.kind == text, t.kind == number && t.text != nil:
		return string(t.text), nil
	case t.kind == number && t.isReal:
		return strconv.FormatFloat(t.real, 'g', -1, 64), nil
	case t.kind == boolean:
		return strconv.FormatBool(t.whole != 0), nil
	case t.kind == number:
		return strconv.FormatInt(t.whole, 10), nil
	}
	return "", broken("%v where a text belongs", t.kind)
}

package filter

import (
	"errors"
	"math"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// textRelations are the functions of two texts by CEL's names, and of a text and a
// fixed one as a loop.
var textRelations = map[string]struct {
	holds func(s, other string) bool
	with  func(fixed string) textTest
}{
	"startsWith": {strings.HasPrefix, func(fixed string) textTest {
		return func(dst []Truth, values []string) {
			for i, s := range values {
				dst[i] = truthOf(strings.HasPrefix(s, fixed))
			}
		}
	}},
	"endsWith": {strings.HasSuffix, func(fixed string) textTest {
		return func(dst []Truth, values []string) {
			for i, s := range values {
				dst[i] = truthOf(strings.HasSuffix(s, fixed))
			}
		}
	}},
	"contains": {strings.Contains, func(fixed string) textTest {
		return func(dst []Truth, values []string) {
			for i, s := range values {
				dst[i] = truthOf(strings.Contains(s, fixed))
			}
		}
	}},
}

// relateTexts applies a function of two texts row by row.
func relateTexts(holds func(s, other string) bool, x, y vectors[string]) conditions {
	return func(b *batch, dst []Truth) {
		v, w := x(b), y(b)
		for i, s := range v.values {
			dst[i] = truthOf(holds(s, w.values[i]))
		}
		mask(dst, v.unknown)
		mask(dst, w.unknown)
		give(b, v)
		give(b, w)
	}
}

// codePoints counts the code points of texts; a byte that is no UTF-8 is one.
func codePoints(x vectors[string]) vectors[int64] {
	return func(b *batch) vector[int64] {
		v := x(b)
		out := take[int64](b, len(v.values))
		for i, s := range v.values {
			out.values[i] = int64(utf8.RuneCountInString(s))
		}
		out.unknown = v.unknown
		giveValues(b, v)
		return out
	}
}

var errTooLong = errors.New("the joined texts of one batch are longer than 2 GiB")

// join appends the texts of y to those of x.
func join(x, y vectors[string]) vectors[string] {
	return func(b *batch) vector[string] {
		v, w := x(b), y(b)
		unknown := b.either(v.unknown, w.unknown)
		length := 0
		for i, s := range v.values {
			length += len(s) + len(w.values[i])
		}
		if len(b.letters)+length > math.MaxInt32 {
			b.fail(errTooLong)
			length = 0
		}
		if cap(b.letters)-len(b.letters) < length {
			b.letters = make([]byte, 0, max(length, 2*cap(b.letters)))
		}
		if b.err == nil {
			b.letters = joinInto(b.letters, v.values, w.values)
		}
		giveValues(b, w)
		return vector[string]{values: v.values, unknown: unknown, owned: v.owned}
	}
}

// joinInto replaces each text of x by itself and that of y, written to letters.
func joinInto(letters []byte, x, y []string) []byte {
	for i, s := range x {
		start := len(letters)
		letters = append(append(letters, s...), y[i]...)
		x[i] = unsafe.String(unsafe.SliceData(letters[start:]), len(letters)-start)
	}
	return letters
}

package identity

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Normalise appends the form in which contacts are compared: without Unicode's
// white space at either end, and each letter in its lower case. It is what
// strings.ToLower(strings.TrimSpace(text)) gives.
func Normalise(dst, text []byte) []byte {
	text = bytes.TrimSpace(text)
	if printable(text) {
		return appendLower(dst, text)
	}
	for len(text) > 0 {
		letter, size := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, unicode.ToLower(letter))
		text = text[size:]
	}
	return dst
}

// appendLower appends ASCII in lower case.
func appendLower(dst, text []byte) []byte {
	start := len(dst)
	dst = append(dst, text...)
	lowerASCII(dst[start:])
	return dst
}

// lowerASCII turns capitals into small letters, eight bytes at a time; the last
// eight may overlap those before.
func lowerASCII(text []byte) {
	n := len(text)
	if n < 8 {
		for i, b := range text {
			if 'A' <= b && b <= 'Z' {
				text[i] = b + ('a' - 'A')
			}
		}
		return
	}
	for i := 0; i < n-8; i += 8 {
		lowerWord(text[i:])
	}
	lowerWord(text[n-8:])
}

// lowerWord does so with eight bytes below 0x80: adding 0x80-'A' sets the high
// bit of a byte from A on, adding 0x7f-'Z' that of one beyond Z.
func lowerWord(text []byte) {
	const each, high = 0x0101010101010101, 0x8080808080808080
	w := binary.LittleEndian.Uint64(text)
	capitals := (w + each*(0x80-'A')) &^ (w + each*(0x7f-'Z')) & high
	binary.LittleEndian.PutUint64(text, w|capitals>>2)
}

// LoadContacts takes a column's rows as Load does, but as contacts: At gives them
// as Normalise does, and Reason judges them in that form, so that white space
// alone is Empty. Only whether a text is UTF-8 is judged before. A row without a
// contact, whose Reason is not Good, has no bytes.
func (v *IDs) LoadContacts(arr arrow.Array) error {
	if err := v.Load(arr); err != nil || arrow.IsInteger(arr.DataType().ID()) {
		return err
	}
	v.own = v.own[:0]
	if d, ok := arr.(*array.Dictionary); ok {
		v.normaliseEntries(d)
	} else {
		v.normaliseRows()
	}
	v.text = v.own
	return nil
}

func (v *IDs) normaliseRows() {
	for i := range v.spans {
		if v.reasons[i] != Null {
			v.normalise(i)
		}
	}
}

// normaliseEntries normalises each entry that rows refer to once. What users says
// of an entry holds only if that row, of those before, does refer to it: so it
// need not be cleared, which would take as long as the dictionary is.
func (v *IDs) normaliseEntries(arr *array.Dictionary) {
	n := arr.Dictionary().Len()
	v.users = slices.Grow(v.users[:0], n)[:n]
	for i := range v.spans {
		if v.reasons[i] == Null {
			continue
		}
		k := arr.GetValueIndex(i)
		if u := v.users[k]; u < i && v.reasons[u] != Null && arr.GetValueIndex(u) == k {
			v.spans[i], v.reasons[i] = v.spans[u], v.reasons[u]
			continue
		}
		v.users[k] = i
		v.normalise(i)
	}
}

// normalise moves the text of row i into v's own; most is plain.
func (v *IDs) normalise(i int) {
	text, start := bytes.TrimSpace(v.At(i)), len(v.own)
	if n := len(text); n > 0 && n <= MaxID && printable(text) {
		v.own = appendLower(v.own, text)
		v.reasons[i] = Good
	} else {
		v.reasons[i] = v.appendOdd(text)
	}
	v.spans[i] = span{int64(start), int64(len(v.own))}
}

// appendOdd appends the normal form of a text to v's own if it is a contact.
func (v *IDs) appendOdd(text []byte) Reason {
	if !utf8.Valid(text) {
		return NotUTF8
	}
	start := len(v.own)
	v.own = Normalise(v.own, text)
	reason := reasonOf(v.own[start:])
	if reason != Good {
		v.own = v.own[:start]
	}
	return reason
}

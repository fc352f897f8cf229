package identity

import (
	"encoding/binary"
	"unicode/utf8"
)

// MaxID is the length in bytes of the longest valid id.
const MaxID = 1 << 10

// Reason says why an id is no valid id: the first that holds.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	Good        Reason = iota
	Null               // no value
	Empty              // no bytes
	TooLong            // more than MaxID bytes
	NotUTF8            // not valid UTF-8
	ControlChar        // a character of Unicode's Cc: U+0000-U+001F, U+007F-U+009F
	reasons     = iota
)

var reasonNames = [reasons]string{"", "id_null", "id_empty", "id_too_long", "id_not_utf8", "id_control_char"}

// String gives the reason that the rejected table shows; "" for Good.
func (r Reason) String() string { return reasonNames[r] }

// reasonOf judges the bytes of an id that is not null.
func reasonOf(id []byte) Reason {
	switch {
	case len(id) == 0:
		return Empty
	case len(id) > MaxID:
		return TooLong
	case printable(id):
		return Good
	case !utf8.Valid(id):
		return NotUTF8
	case hasControl(id):
		return ControlChar
	}
	return Good
}

// printable says whether all bytes are ASCII without control characters, eight
// at a time: of a byte below 0x80, b-0x20 sets the high bit when b is below
// 0x20, b+1 when b is 0x7f. A borrow or a carry comes only out of a byte that
// has set a high bit itself.
func printable(text []byte) bool {
	const low, space, high = 0x0101010101010101, 0x2020202020202020, 0x8080808080808080
	var found uint64
	for len(text) >= 8 {
		w := binary.LittleEndian.Uint64(text)
		found |= w | (w - space) | (w + low)
		text = text[8:]
	}
	for _, b := range text {
		if b < 0x20 || b >= 0x7f {
			return false
		}
	}
	return found&high == 0
}

// hasControl looks for control characters in valid UTF-8. Those from U+0080 on
// are 0xC2 and their own low byte; 0xC2 is never inside another character.
func hasControl(id []byte) bool {
	previous := byte(0)
	for _, b := range id {
		if b < 0x20 || b == 0x7f || (previous == 0xC2 && b < 0xA0) {
			return true
		}
		previous = b
	}
	return false
}

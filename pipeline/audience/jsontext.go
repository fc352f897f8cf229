package audience

import (
	"encoding/binary"
	"unicode/utf8"
)

// appendJSON adds s to dst as a JSON string. Escaped is what RFC 8259 says must
// be, and the three characters that Unicode takes for ends of a line: a reader
// that splits by them finds none within a line.
func appendJSON(dst []byte, s string) ([]byte, error) {
	if isPlainJSON(s) {
		return append(append(append(dst, '"'), s...), '"'), nil
	}
	if !utf8.ValidString(s) {
		return dst, ErrText
	}
	dst = append(dst, '"')
	plain := 0 // start of what is not written yet
	for i := 0; i < len(s); {
		n, escape := escaped(s[i:])
		if escape != "" {
			dst = append(append(dst, s[plain:i]...), escape...)
			plain = i + n
		}
		i += n
	}
	return append(append(dst, s[plain:]...), '"'), nil
}

// isPlainJSON says for certain that s is ASCII of which nothing is escaped, eight
// bytes at a time.
func isPlainJSON(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if !isPlainWord(binary.LittleEndian.Uint64([]byte(s[:8]))) {
			return false
		}
	}
	rest := [8]byte{' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '}
	copy(rest[:], s)
	return isPlainWord(binary.LittleEndian.Uint64(rest[:]))
}

// isPlainWord finds bytes below 0x20 or above 0x7F, quotes and backslashes: the first of
// them sets the highest bit of its place.
func isPlainWord(v uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := v^(ones*'"'), v^(ones*'\\')
	return (v|(v-ones*0x20)|(quote-ones)|(slash-ones))&highs == 0
}

// escaped gives the length of the first character or byte of s, and what is
// written in its stead; "" where it is written as it is.
func escaped(s string) (n int, escape string) {
	switch b := s[0]; {
	case b < 0x20:
		return 1, controls[b]
	case b == '"':
		return 1, `\"`
	case b == '\\':
		return 1, `\\`
	case b == 0xC2 && s[1] == 0x85:
		return 2, `\u0085`
	case b == 0xE2 && s[1] == 0x80 && s[2] == 0xA8:
		return 3, `\u2028`
	case b == 0xE2 && s[1] == 0x80 && s[2] == 0xA9:
		return 3, `\u2029`
	}
	return 1, ""
}

// controls are the escapes of the bytes below 0x20, the short ones where there are.
var controls = [0x20]string{
	`\u0000`, `\u0001`, `\u0002`, `\u0003`, `\u0004`, `\u0005`, `\u0006`, `\u0007`,
	`\b`, `\t`, `\n`, `\u000b`, `\f`, `\r`, `\u000e`, `\u000f`,
	`\u0010`, `\u0011`, `\u0012`, `\u0013`, `\u0014`, `\u0015`, `\u0016`, `\u0017`,
	`\u0018`, `\u0019`, `\u001a`, `\u001b`, `\u001c`, `\u001d`, `\u001e`, `\u001f`,
}

package audience

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hash names what is written in place of a text so that a tool can match it
// without learning it. A hash is personal data still.
type Hash string

// SHA256LowerTrim is the SHA-256 of a text without the white space around it, in
// lower case, as 64 lower-case hexadecimal digits. White space is what Unicode
// calls so: a no-break space is, a zero-width space is not. Lower case is that of
// each character by itself, in no language in particular. A text of white space
// alone is null, as null is. It is what Google, Meta and others ask for addresses,
// but for what each of them does to dots and +tags, which stay.
const SHA256LowerTrim Hash = "sha256-lower-trim"

// SHA256Once is SHA256LowerTrim, or the SHA-256 of the text as it was normalised,
// but for a text that is the SHA-256 of something already: 64 hexadecimal digits
// stay, in lower case. No address, phone number or name looks like that.
const SHA256Once Hash = "sha256-once"

// isSHA256 says whether s is 64 hexadecimal digits.
func isSHA256(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == hex.EncodedLen(sha256.Size)
}

// appendLowerTrim adds s to dst as SHA256LowerTrim hashes it, false when nothing
// is left of it.
func appendLowerTrim(dst []byte, s string) ([]byte, bool) {
	s = strings.TrimSpace(s)
	for _, r := range s {
		dst = utf8.AppendRune(dst, unicode.ToLower(r))
	}
	return dst, s != ""
}

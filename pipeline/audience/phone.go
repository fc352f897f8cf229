package audience

import "strings"

// Normalise names the form in which a text is written, or hashed.
type Normalise string

// E164 is a phone number in international form: + and 8 to 15 digits, of which
// the first is not 0. It is made from one that begins with + or 00 by leaving out
// spaces, no-break spaces, dots, hyphens, slashes and parentheses; anything else
// is null:
//
//   - national numbers: no country is the default one, so none of them can be
//     told apart from another country's;
//   - parentheses that begin with 0 after the country code, as in +44 (0)20...:
//     whether that 0 is part of the number depends on the country;
//   - letters, extensions, two numbers in one text, digits that are not ASCII.
//
// Hashed, it is hashed with the +, as Google does.
//
// That a number exists is not checked. A library that knows the numbering plans
// of all countries, github.com/nyaruka/phonenumbers, would add 7 MiB to the
// program and 15 us a number, needs a default country for what is null here, and
// gives other results as its tables are revised, so that the same night could no
// longer be published with the same bytes.
const E164 Normalise = "e164"

// E164Digits is E164 without the +, as Meta hashes it.
const E164Digits Normalise = "e164-digits"

// What is left out wherever it stands.
const (
	phoneSpaces     = " \u00A0\u202F"
	phoneSeparators = phoneSpaces + ".-/()"
)

// appendE164Digits adds the digits of the international form.
func appendE164Digits(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, ok := appendE164(dst, s)
	if ok {
		dst = append(dst[:start], dst[start+1:]...)
	}
	return dst, ok
}

// appendE164 adds the international form of s to dst, false where there is none.
func appendE164(dst []byte, s string) ([]byte, bool) {
	s = strings.TrimSpace(s)
	start := len(dst)
	plus, opened := false, false // whether + came, and whether a parenthesis was opened just before
	for _, r := range s {
		first := len(dst) == start
		switch {
		case r == '+' && first && !plus:
			plus = true
		case opened && r == '0' && !first:
			return dst[:start], false
		case r >= '0' && r <= '9':
			dst = append(dst, byte(r))
		case !strings.ContainsRune(phoneSeparators, r):
			return dst[:start], false
		}
		opened = r == '(' || opened && strings.ContainsRune(phoneSpaces, r)
	}
	digits := string(dst[start:])
	if !plus {
		digits, plus = strings.CutPrefix(digits, "00")
	}
	if !plus || len(digits) < 8 || len(digits) > 15 || digits[0] == '0' {
		return dst[:start], false
	}
	return append(append(dst[:start], '+'), digits...), true
}

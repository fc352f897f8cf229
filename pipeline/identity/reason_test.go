package identity

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// reasonByRunes is DESIGN's rule, rune by rune with the standard library.
func reasonByRunes(id string) Reason {
	switch {
	case id == "":
		return Empty
	case len(id) > 1024:
		return TooLong
	case !utf8.ValidString(id):
		return NotUTF8
	case strings.ContainsFunc(id, unicode.IsControl):
		return ControlChar
	}
	return Good
}

func TestReasonOf(t *testing.T) {
	cases := map[string]Reason{
		"user-1": Good, "a b": Good, "=1+1": Good, "Zoë": Good, "日本": Good, "\u00a0": Good, "Â": Good, "~": Good, "€": Good,
		"":                        Empty,
		strings.Repeat("x", 1024): Good, strings.Repeat("x", 1025): TooLong, strings.Repeat("\xff", 1025): TooLong,
		"a\xff": NotUTF8, "\xc2": NotUTF8, "\n\xff": NotUTF8, "\xed\xa0\x80": NotUTF8,
		"a\nb": ControlChar, "\x00": ControlChar, "1234567\x1f": ControlChar, "123456789\x7f": ControlChar,
		"é\u0080": ControlChar, "\u009f": ControlChar, "abcdefgh\u0085": ControlChar,
	}
	for id, want := range cases {
		if got := reasonOf([]byte(id)); got != want || reasonByRunes(id) != want {
			t.Errorf("%.20q: got %q, by runes %q, want %q", id, got, reasonByRunes(id), want)
		}
	}
}

func TestReasonOfAgreesWithTheStandardLibrary(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"a", "Z", "~", "\x7f", "\x80", " ", "\x1f", "é", "\u0085", "\u00a0", "Â", "\xc2", "日", "12345678", "\xff"})
	rapid.Check(t, func(t *rapid.T) {
		id := strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(t, "id"), "")
		if got, want := reasonOf([]byte(id)), reasonByRunes(id); got != want {
			t.Fatalf("%q: got %q, want %q", id, got, want)
		}
	})
	for c := range rune(0x300) {
		id := "1234567" + string(c)
		if got, want := reasonOf([]byte(id)), reasonByRunes(id); got != want {
			t.Fatalf("%q: got %q, want %q", id, got, want)
		}
	}
}

func TestNamesForTheRejectedTable(t *testing.T) {
	want := []string{"", "id_null", "id_empty", "id_too_long", "id_not_utf8", "id_control_char"}
	for i, name := range want {
		if got := Reason(i).String(); got != name {
			t.Errorf("reason %d: got %q, want %q", i, got, name)
		}
	}
	want = []string{"", "excluded", "duplicate_id", "duplicate_copy", "duplicate_conflict", "duplicate_older", "crowded"}
	for i, name := range want {
		if got := Fate(i).String(); got != name {
			t.Errorf("fate %d: got %q, want %q", i, got, name)
		}
		if Fate(i).IsDuplicate() != strings.HasPrefix(name, "duplicate") {
			t.Errorf("fate %q: IsDuplicate is %v", name, Fate(i).IsDuplicate())
		}
	}
}

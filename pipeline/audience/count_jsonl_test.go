package audience_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/churntier/churntier/pipeline/audience"
)

func TestCountJSONL(t *testing.T) {
	for _, test := range []struct {
		in   string
		want int64 // -1 where the file is damaged
	}{
		{"", 0},
		{`{"a":1}` + "\n", 1},
		{`{"a":-0.5e-07,"b":"\u00e9\"\\\/\b\f\n\r\t"}` + "\n" + `{"a":null,"b":true}` + "\n" + `{"a":1e+21,"b":false}` + "\n", 3},
		{`{"é😀":"` + "é\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff\x7f" + `"}` + "\n", 1},
		{`{"a":0}` + "\n" + `{"a":10}` + "\n" + `{"a":0.1}` + "\n" + `{"a":0e1}` + "\n" + `{"a":1E5}` + "\n", 5},
		{`{"a":1}`, -1},
		{`{"a":1`, -1},
		{"\n", -1},
		{"{}\n", -1},
		{`{"a":1}` + "\r\n", -1},
		{`{"a":1}` + "\n\n", -1},
		{` {"a":1}` + "\n", -1},
		{`{"a": 1}` + "\n", -1},
		{`{"a":1}{"a":1}` + "\n", -1},
		{`{"a":1},` + "\n", -1},
		{`{"a":1,}` + "\n", -1},
		{`{"a"}` + "\n", -1},
		{`{a:1}` + "\n", -1},
		{`{"a":}` + "\n", -1},
		{`[1]` + "\n", -1},
		{`{"a":[1]}` + "\n", -1},
		{`{"a":{"b":1}}` + "\n", -1},
		{`{"a":01}` + "\n", -1},
		{`{"a":+1}` + "\n", -1},
		{`{"a":-}` + "\n", -1},
		{`{"a":.5}` + "\n", -1},
		{`{"a":1.}` + "\n", -1},
		{`{"a":1.e5}` + "\n", -1},
		{`{"a":1e}` + "\n", -1},
		{`{"a":1e+}` + "\n", -1},
		{`{"a":NaN}` + "\n", -1},
		{`{"a":nul}` + "\n", -1},
		{`{"a":nulll}` + "\n", -1},
		{`{"a":"` + "\t" + `"}` + "\n", -1},
		{`{"a":"` + "\n" + `"}` + "\n", -1},
		{`{"a":"\x"}` + "\n", -1},
		{`{"a":"\u00g0"}` + "\n", -1},
		{`{"a":"\"}` + "\n", -1},
		{`{"a":"` + "\xff" + `"}` + "\n", -1},
		{`{"a":"` + "\xc3" + `"}` + "\n", -1},
		{`{"a":"` + "\xc0\x80" + `"}` + "\n", -1},
		{`{"a":"` + "\xe0\x80\x80" + `"}` + "\n", -1},
		{`{"a":"` + "\xed\xa0\x80" + `"}` + "\n", -1},
		{`{"a":"` + "\xf0\x80\x80\x80" + `"}` + "\n", -1},
		{`{"a":"` + "\xf4\x90\x80\x80" + `"}` + "\n", -1},
		{`{"a":1}` + "\n" + `{"b":1}` + "\n", -1},
		{`{"a":1}` + "\n" + `{"a":1,"b":1}` + "\n", -1},
		{`{"a":1,"b":1}` + "\n" + `{"b":1,"a":1}` + "\n", -1},
		{`{"ab":1,"c":1}` + "\n" + `{"a":1,"bc":1}` + "\n", -1},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
			got, err := audience.CountJSONL(r)
			if test.want < 0 && !errors.Is(err, audience.ErrDamaged) || test.want >= 0 && (err != nil || got != test.want) {
				t.Errorf("%q: %d, %v; want %d", test.in, got, err, test.want)
			}
		}
	}
	if _, err := audience.CountJSONL(iotest.ErrReader(errFull)); !errors.Is(err, errFull) {
		t.Errorf("a reader that fails: error %v", err)
	}
}

// FuzzCountJSONL holds the automaton against encoding/json, a line at a time.
func FuzzCountJSONL(f *testing.F) {
	for _, seed := range []string{
		`{"a":-0.5e-07,"b":"\u00e9\"\\\/é😀"}`, `{"a":null,"b":true,"c":false}`, `{"a":1e+21}`, `{"a":0}`, `{"":""}`,
		`{"a":01}`, `{"a":"\u12"}`, `{"a":"` + "\xed\xa0\x80" + `"}`, `{"a":"\ud800"}`, `{"a":1}}`, `{"a":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		n, err := audience.CountJSONL(bytes.NewReader(append(bytes.Clone(line), '\n')))
		if want := isLine(line); (err == nil) != want || want && n != 1 {
			t.Errorf("%q: %d, %v; a line of the form that is written: %v", line, n, err, want)
		}
	})
}

// isLine says whether a line is one object of scalars as it is written: in valid
// UTF-8, with at least one member, and without white space outside of texts.
func isLine(line []byte) bool {
	var compact bytes.Buffer
	var members map[string]json.RawMessage
	if !utf8.Valid(line) || json.Compact(&compact, line) != nil || !bytes.Equal(compact.Bytes(), line) || json.Unmarshal(line, &members) != nil {
		return false
	}
	for _, m := range members {
		if m[0] == '{' || m[0] == '[' {
			return false
		}
	}
	return len(members) > 0
}

func TestEveryFlippedByteOfAJSONLineIsFoundOrHarmless(t *testing.T) {
	line := []byte(`{"id":"u1","score":95.42,"plan":null,"ok":true}` + "\n")
	file := bytes.Repeat(line, 3)
	for at := range file {
		for bit := range 8 {
			damaged := bytes.Clone(file)
			damaged[at] ^= 1 << bit
			if n, err := audience.CountJSONL(bytes.NewReader(damaged)); err == nil {
				if n != 3 {
					t.Errorf("byte %d, bit %d: %d lines and no error", at, bit, n)
				}
				for _, l := range linesOf(t, damaged) {
					for i, m := range members(t, l) {
						if want := []string{"id", "score", "plan", "ok"}[i]; m.key != want {
							t.Errorf("byte %d, bit %d: key %q and no error", at, bit, m.key)
						}
					}
				}
			}
		}
	}
}

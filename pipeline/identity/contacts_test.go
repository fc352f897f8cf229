package identity

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// contactByStrings is the contract of contacts in the words of the standard
// library: the normal form, or the reason why there is none.
func contactByStrings(text string) string {
	normal := strings.ToLower(strings.TrimSpace(text))
	switch reason := reasonByRunes(normal); {
	case !utf8.ValidString(text):
		return NotUTF8.String()
	case reason != Good:
		return reason.String()
	}
	return normal
}

// viewContacts gives what IDs shows of contacts: the text of good ones, the
// reason of others.
func viewContacts(t fataler, ids *IDs, arr arrow.Array) []string {
	if err := ids.LoadContacts(arr); err != nil {
		t.Fatal(err)
	}
	seen := []string{}
	for i := range ids.Len() {
		text := string(ids.At(i))
		if r := ids.Reason(i); r != Good {
			text += r.String()
		}
		seen = append(seen, text)
	}
	return seen
}

// contactTexts are pieces that white space, case and length have been got wrong with.
var contactTexts = rapid.Custom(func(t *rapid.T) string {
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", " ", "\t", "\n", "\u0085", "\u00a0", "\u2003", "\u3000", "\ufeff", "a", "Z", "@", "[", "`", "{", "A.B@EXAMPLE.Com", "12345678", "\x00", "\x7f", "\u0080",
		"İ", "I", "ı", "ß", "ẞ", "Σ", "ς", "K", "Ⱥ", "ＡＢ", "é", "e\u0301", "Ǆ", "Ж", "\xff", "\xc2", "\ufffd",
	}))
	return strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
})

func TestNormaliseAgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := contactTexts.Draw(t, "text")
		want := "before" + strings.ToLower(strings.TrimSpace(text))
		if got := string(Normalise([]byte("before"), []byte(text))); got != want {
			t.Fatalf("%q: got %q, want %q", text, got, want)
		}
	})
	for c := range rune(utf8.MaxRune + 1) {
		text := " 1234567" + string(c)
		if got, want := string(Normalise(nil, []byte(text))), strings.ToLower(strings.TrimSpace(text)); got != want {
			t.Fatalf("%q: got %q, want %q", text, got, want)
		}
	}
	for length := range 20 { // every byte at every place of a word
		for at := range length {
			for b := range 256 {
				text := []byte(strings.Repeat("x", length))
				text[at] = byte(b)
				if got, want := string(Normalise(nil, text)), strings.ToLower(strings.TrimSpace(string(text))); got != want {
					t.Fatalf("%q: got %q, want %q", text, got, want)
				}
			}
		}
	}
}

func TestWhatIsNoContact(t *testing.T) {
	long := strings.Repeat("x", MaxID)
	cases := map[string]string{
		"": "id_empty", " \t\u3000\u0085": "id_empty", " " + strings.ToUpper(long) + "\n": long, long + "x": "id_too_long",
		strings.Repeat("Ⱥ", 512): "id_too_long" /* of three bytes each in lower case */, strings.Repeat("ẞ", 512): strings.Repeat("ß", 512),
		"a\xff": "id_not_utf8", long + "\xff": "id_not_utf8", "a\tb": "id_control_char", "a\u0080": "id_control_char", " \nAnn@X.org ": "ann@x.org",
		"İ@x": "i@x", "Straße": "straße", "ＡＮＮ＠Ｘ": "ａｎｎ＠ｘ", "\ufffd": "\ufffd",
	}
	for text, want := range cases {
		builder := array.NewStringBuilder(memory.DefaultAllocator)
		builder.Append(text)
		if got := viewContacts(t, new(IDs), builder.NewStringArray()); got[0] != want || contactByStrings(text) != want {
			t.Errorf("%.30q: got %.30q, by strings %.30q, want %.30q", text, got[0], contactByStrings(text), want)
		}
	}
}

// drawTexts draws the values of a column, nulls as nil.
func drawTexts(t *rapid.T, label string) []*string {
	return rapid.SliceOfN(rapid.Ptr(contactTexts, true), 0, 40).Draw(t, label)
}

type textBuilder interface {
	array.Builder
	Append(string)
}

// textColumn builds a text array, and what its contacts are.
func textColumn(b textBuilder, texts []*string) (arrow.Array, []string) {
	want := make([]string, len(texts))
	for i, text := range texts {
		if text == nil {
			b.AppendNull()
			want[i] = Null.String()
		} else {
			b.Append(*text)
			want[i] = contactByStrings(*text)
		}
	}
	return b.NewArray(), want
}

func TestContactsOfTextColumns(t *testing.T) {
	var ids IDs // shared: buffers are reused
	rapid.Check(t, func(t *rapid.T) {
		texts := drawTexts(t, "texts")
		from := rapid.IntRange(0, len(texts)).Draw(t, "from")
		to := rapid.IntRange(from, len(texts)).Draw(t, "to")
		for _, b := range []textBuilder{array.NewStringBuilder(memory.DefaultAllocator), array.NewLargeStringBuilder(memory.DefaultAllocator)} {
			arr, want := textColumn(b, texts)
			got := viewContacts(t, &ids, array.NewSlice(arr, int64(from), int64(to)))
			if diff := cmp.Diff(want[from:to], got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestContactsOfDictionaries(t *testing.T) {
	var ids IDs // shared: what is remembered of another dictionary must not matter
	rapid.Check(t, func(t *rapid.T) {
		values, entries := textColumn(array.NewStringBuilder(memory.DefaultAllocator), drawTexts(t, "entries"))
		index := array.NewInt16Builder(memory.DefaultAllocator)
		var want []string
		for range rapid.IntRange(0, 60).Draw(t, "rows") {
			k := rapid.IntRange(-1, len(entries)-1).Draw(t, "entry")
			if k < 0 {
				index.AppendNull()
				want = append(want, Null.String())
			} else {
				index.Append(int16(k))
				want = append(want, entries[k])
			}
		}
		from := rapid.IntRange(0, len(want)).Draw(t, "from")
		arr := array.NewDictionaryArray(dictionaryOf(arrow.PrimitiveTypes.Int16, values.DataType()), index.NewArray(), values)
		got := viewContacts(t, &ids, array.NewSlice(arr, int64(from), int64(len(want))))
		if diff := cmp.Diff(append([]string{}, want[from:]...), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestContactsOfOtherColumns(t *testing.T) {
	phones := column(t, arrow.PrimitiveTypes.Int64, `[4915112345678, null, -7, 0]`)
	var ids IDs
	if diff := cmp.Diff([]string{"id_null", "-7", "0"}, viewContacts(t, &ids, array.NewSlice(phones, 1, 4))); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprint(viewContacts(t, &ids, phones)); got != "[4915112345678 id_null -7 0]" {
		t.Error(got)
	}
	if err := ids.LoadContacts(column(t, arrow.PrimitiveTypes.Float64, `[1]`)); !errors.Is(err, ErrType) {
		t.Errorf("a float: %v", err)
	}
}

func TestContactsTakeNoMemoryByTheRow(t *testing.T) {
	for name, arr := range map[string]arrow.Array{"text": contactBatch(), "dictionary": pairsOf(contactBatch())} {
		var ids IDs
		load := func() {
			if err := ids.LoadContacts(arr); err != nil {
				t.Fatal(err)
			}
		}
		load()
		if n := testing.AllocsPerRun(10, load); n > 2 {
			t.Errorf("%s: %v allocations a batch of %d rows", name, n, arr.Len())
		}
	}
}

// contactBatch is a batch of addresses, some with capitals, some with a space.
func contactBatch() *array.String {
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range 16 << 10 {
		switch name := fmt.Sprint("user.", i); i % 8 {
		case 0:
			builder.Append("First." + name + "@Example.COM")
		case 1:
			builder.Append(name + "@example.com ")
		default:
			builder.Append(name + "@mail.example.com")
		}
	}
	return builder.NewStringArray()
}

// pairsOf gives a dictionary column that takes every other value twice.
func pairsOf(values *array.String) arrow.Array {
	index := array.NewInt32Builder(memory.DefaultAllocator)
	for i := range values.Len() {
		index.Append(int32(i &^ 1))
	}
	return array.NewDictionaryArray(dictionaryOf(arrow.PrimitiveTypes.Int32, values.DataType()), index.NewArray(), values)
}

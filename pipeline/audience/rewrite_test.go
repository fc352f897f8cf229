package audience_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
)

var coded = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// texts is an array of one of the types of text; nil is null.
func texts(typ arrow.DataType, values []any) arrow.Array {
	add := func(b array.Builder, s func(string)) {
		for _, v := range values {
			if v == nil {
				b.AppendNull()
			} else {
				s(v.(string))
			}
		}
	}
	b := array.NewBuilder(memory.DefaultAllocator, typ)
	switch b := b.(type) {
	case *array.StringBuilder:
		add(b, b.Append)
	case *array.LargeStringBuilder:
		add(b, b.Append)
	case *array.BinaryDictionaryBuilder:
		add(b, func(s string) { _ = b.AppendString(s) })
	}
	return b.NewArray()
}

// rewritten gives the values that each format holds for a column of texts.
func rewritten(t *testing.T, c audience.Column, values ...any) []any {
	t.Helper()
	c.Name, c.Column = "out", "x"
	var first []any
	for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, coded} {
		arr := texts(typ, values)
		s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil)
		b := &audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{arr}, int64(arr.Len()))}
		text, err := jsonlOf(t, b, s, "", c)
		if err != nil {
			t.Fatal(err)
		}
		var got []any
		for _, line := range linesOf(t, []byte(text)) {
			got = append(got, members(t, line)[0].value)
		}
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("%s: %s", typ, diff)
		}
	}
	return first
}

// The digests are those that the vendors' documentation prints beside the texts,
// and those of sha256sum where it says so.
func TestSHA256LowerTrim(t *testing.T) {
	const (
		mary = "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79" // Meta, Custom Audiences
		user = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514" // UID2, normalisation and encoding
	)
	for _, test := range []struct{ in, want any }{
		{"mary@example.com", mary},
		{" \t\r\n\v\fMary@Example.COM\u0085\u00a0\u2003\u2028\u3000", mary},
		{"USER@example.com", user},
		{"janedoe@gmail.com", "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69"},       // TikTok, customer file
		{"ADSAPI", "49e0be2aeccfb51a8dee4c945c8a70a9ac500cf6f5cb08112575f74db9b1470d"},                  // X, Custom Audiences user data
		{"John_Smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"},    // Meta, customer information parameters
		{"VALÉRY", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"},                  // the same, of valéry
		{"정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"},                       // the same
		{"mary@example.com\u200b", "8f60e585616bd1fb333371ae96c6d92b6e11b509c5425b15b85662ddd2547096"},  // sha256sum, the zero-width space kept
		{"İSTANBUL", "751c59fe1fa734e61bec7c142171bfcbca97ff8223171b4bd63d8165a67a4d74"},                // sha256sum of istanbul
		{"ΣΑΣ", "54727c9d3baefbcb4d3824f184a8a46ee56b248263d22ca41127a7282d586318"},                     // sha256sum of σασ
		{"A B", "c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65"},                     // sha256sum of "a b"
		{"Jane.Doe+news@gmail.com", "f41439c944a763c9812d700a779941cec169de13c9ccd13aaf9424ba5231620a"}, // sha256sum of jane.doe+news@gmail.com
		{"", nil},
		{" \u00a0\t", nil},
		{nil, nil},
	} {
		if got := rewritten(t, audience.Column{Hash: audience.SHA256LowerTrim}, test.in); got[0] != test.want {
			t.Errorf("%q gives %v, want %v", test.in, got[0], test.want)
		}
	}
}

func TestE164(t *testing.T) {
	for _, test := range []struct{ in, want any }{
		{"+33612345678", "+33612345678"},
		{" +33 6 12 34 56 78\n", "+33612345678"},
		{"+33\u00a06\u202f12.34-56/78", "+33612345678"},
		{"0033 612345678", "+33612345678"},
		{"(+33) 612345678", "+33612345678"},
		{"(0033) 612345678", "+33612345678"},
		{"(00)33 612345678", "+33612345678"},
		{"+1 (415) 555-2671", "+14155552671"},
		{"+12345678", "+12345678"},
		{"+123456789012345", "+123456789012345"},
		{"+39 06 69812345", "+390669812345"},

		{"+1234567", nil},
		{"+1234567890123456", nil},
		{"0612345678", nil},
		{"612345678", nil},
		{"33612345678", nil},
		{"011 33 612345678", nil},
		{"+0033612345678", nil},
		{"00033612345678", nil},
		{"+44 (0)20 7946 0958", nil},
		{"+44 ( 0 ) 20 7946 0958", nil},
		{"+44 (020) 7946 0958", nil},
		{"0044 (0)20 7946 0958", nil},
		{"++33612345678", nil},
		{"+33+612345678", nil},
		{"00+33612345678", nil},
		{"+1-800-FLOWERS", nil},
		{"+14155552671x123", nil},
		{"+14155552671 ext. 9", nil},
		{"+14155552671#9", nil},
		{"tel:+14155552671", nil},
		{"+33612345678, +33612345679", nil},
		{"+33612\t345678", nil},
		{"+33612\n345678", nil},
		{"＋33612345678", nil},
		{"+３３６１２３４５６７８", nil},
		{"+٣٣٦١٢٣٤٥٦٧٨", nil},
		{"+33–612345678", nil},
		{"+", nil},
		{"00", nil},
		{"", nil},
		{" ", nil},
		{nil, nil},
	} {
		if got := rewritten(t, audience.Column{Normalise: audience.E164}, test.in); got[0] != test.want {
			t.Errorf("%q gives %v, want %v", test.in, got[0], test.want)
		}
	}
}

// A phone number is hashed in its international form, with the +, as Google and
// UID2 ask: the digest is the one that UID2's documentation prints.
func TestHashOfANormalisedPhone(t *testing.T) {
	c := audience.Column{Normalise: audience.E164, Hash: audience.SHA256LowerTrim}
	got := rewritten(t, c, "+1 (234) 567-8901", "0012345678901", "(234) 567-8901", nil)
	const want = "10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee"
	if diff := cmp.Diff([]any{want, want, nil, nil}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The phone number is that of Meta's customer information parameters, with the
// country code that they demand.
func TestE164Digits(t *testing.T) {
	c := audience.Column{Normalise: audience.E164Digits, Hash: audience.SHA256LowerTrim}
	got := rewritten(t, c, "+1 (650)555-1212", "(650)555-1212", nil)
	if diff := cmp.Diff([]any{"e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176", nil, nil}, got); diff != "" {
		t.Errorf("hashed (-want +got):\n%s", diff)
	}
	got = rewritten(t, audience.Column{Normalise: audience.E164Digits}, "00 1 650 555 1212")
	if diff := cmp.Diff([]any{"16505551212"}, got); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct{ in, person, place any }{
		{" Valéry\n", "valéry", "valéry"},
		{"O'Neill-Smith Jr.", "oneillsmith jr", "oneillsmithjr"},
		{"New York", "new york", "newyork"},
		{"정", "정", "정"},
		{"x+y=$1", "xy1", "xy1"},
		{" .- ", nil, nil},
		{"", nil, nil},
		{nil, nil, nil},
	} {
		got := []any{rewritten(t, audience.Column{Normalise: audience.PersonName}, test.in)[0], rewritten(t, audience.Column{Normalise: audience.PlaceName}, test.in)[0]}
		if diff := cmp.Diff([]any{test.person, test.place}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.in, diff)
		}
	}
}

// What is a digest already is not hashed a second time, whatever its form would be.
func TestSHA256Once(t *testing.T) {
	const digest = "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"
	for _, form := range []audience.Normalise{"", audience.E164Digits} {
		c := audience.Column{Normalise: form, Hash: audience.SHA256Once}
		got := rewritten(t, c, digest, strings.ToUpper(digest), "+1 650 555 1212", digest[:63]+"x")
		if got[0] != any(digest) || got[1] != any(digest) || got[3] == any(digest[:63]+"x") {
			t.Errorf("%q: %v", form, got)
		}
		if form == audience.E164Digits && got[2] != any(digest) {
			t.Errorf("%q: %v", form, got)
		}
	}
}

// A phone number begins with + and refuses no CSV file; other texts of the same
// column do, and a number that was not normalised.
func TestPhonesAreNoFormulas(t *testing.T) {
	b, s := one(t, arrow.BinaryTypes.String, `["+33 6 12 34 56 78", "=1+1"]`)
	phone := audience.Column{Name: "phone", Column: "x", Normalise: audience.E164}
	for _, o := range []audience.CSVOptions{{Formula: "refuse"}, {Formula: "quote"}} {
		got, err := csvOf(t, b, s, o, phone)
		if want := "phone\r\n+33612345678\r\n\"\"\r\n"; err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", o.Formula, got, err, want)
		}
	}
	if _, err := csvOf(t, b, s, audience.CSVOptions{}, phone, audience.Column{Name: "x", Column: "x"}); !errors.Is(err, audience.ErrFormula) {
		t.Errorf("error %v, want ErrFormula of the column as it is", err)
	}
}

// Every user has the same new texts in every format, however the blocks are cut.
func TestEveryFormatHoldsTheSameNewTexts(t *testing.T) {
	addresses := rapid.OneOf(text, rapid.SampledFrom([]string{"A@B.example", " a@b.example", "+33 6 12 34 56 78", "0033612345678", "0612345678", "\u00a0"}))
	rapid.Check(t, func(t *rapid.T) {
		u := users{schema: arrow.NewSchema([]arrow.Field{
			{Name: "c0", Type: arrow.BinaryTypes.String},
			{Name: "c1", Type: arrow.BinaryTypes.String, Nullable: true},
			{Name: "c2", Type: arrow.BinaryTypes.LargeString, Nullable: true},
		}, nil)}
		add := func(s string) value {
			return value{func(b array.Builder) { b.(interface{ Append(string) }).Append(s) }, s, s}
		}
		for range rapid.IntRange(0, 40).Draw(t, "rows") {
			row := []value{add(addresses.Draw(t, "id")), {}, {}}
			for i := 1; i < 3; i++ {
				if rapid.IntRange(0, 3).Draw(t, "null") > 0 {
					row[i] = add(addresses.Draw(t, "text"))
				}
			}
			u.values = append(u.values, row)
			u.block.Hundredths = append(u.block.Hundredths, 0)
			u.block.Probability = append(u.block.Probability, 0)
			u.block.Category = append(u.block.Category, 0)
		}
		l := audience.Layout{ID: "c0", Columns: []audience.Column{
			{Name: "id", Column: "c0"}, {Name: "hashed_id", Column: "c0", Hash: audience.SHA256LowerTrim},
			{Name: "hash", Column: "c1", Hash: audience.SHA256LowerTrim}, {Name: "phone", Column: "c1", Normalise: audience.E164},
			{Name: "large", Column: "c2", Hash: audience.SHA256LowerTrim},
		}}
		chosen := u.drawRows(t)
		write := func(open opener) []byte {
			var out bytes.Buffer
			e, err := open(&out, l, u.schema)
			if err != nil {
				t.Fatal(err)
			}
			u.write(t, e, chosen)
			return out.Bytes()
		}
		var want [][]any
		for _, r := range chosen {
			v := u.values[r]
			phone := any(nil)
			if v[1].csv == "+33 6 12 34 56 78" || v[1].csv == "0033612345678" {
				phone = "+33612345678"
			}
			want = append(want, []any{v[0].csv, digest(v[0]), digest(v[1]), phone, digest(v[2])})
		}
		_, parquet := readBack(t, write(formats["parquet"]))
		var lines [][]any
		for _, line := range linesOf(t, write(formats["jsonl"])) {
			var row []any
			for _, m := range members(t, line) {
				row = append(row, m.value)
			}
			lines = append(lines, row)
		}
		records, err := csv.NewReader(bytes.NewReader(write(quoting))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i := range chosen {
			if diff := cmp.Diff(fields(want[i]), records[i+1]); diff != "" {
				t.Fatalf("CSV, row %d (-want +got):\n%s", i, diff)
			}
			if diff := cmp.Diff(want[i], parquet[i]); diff != "" {
				t.Fatalf("Parquet, row %d (-want +got):\n%s", i, diff)
			}
			if diff := cmp.Diff(want[i], lines[i]); diff != "" {
				t.Fatalf("JSON lines, row %d (-want +got):\n%s", i, diff)
			}
		}
	})
}

// fields are values as a reader of CSV sees them.
func fields(row []any) []string {
	all := make([]string, len(row))
	for i, v := range row {
		if s, ok := v.(string); ok {
			all[i] = strings.ReplaceAll(s, "\r\n", "\n")
		}
		if strings.HasPrefix(all[i], "+") && i == 0 {
			all[i] = "'" + all[i] // the id is quoted, a phone number is not
		}
	}
	return all
}

// digest is the hash of a value by its definition; null where nothing is left.
func digest(v value) any {
	s := strings.ToLower(strings.TrimSpace(v.csv))
	if s == "" {
		return nil
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))
}

func TestRewritingThatCannotBe(t *testing.T) {
	number := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	text := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.BinaryTypes.String}}, nil)
	for _, test := range []struct {
		name   string
		schema *arrow.Schema
		column audience.Column
		kind   error
		said   string
	}{
		{"a hash of numbers", number, audience.Column{Hash: audience.SHA256LowerTrim}, audience.ErrColumn, "only text can be hashed"},
		{"numbers as phones", number, audience.Column{Normalise: audience.E164, Hash: audience.SHA256LowerTrim}, audience.ErrColumn, "country code"},
		{"another hash", text, audience.Column{Hash: "md5"}, audience.ErrOption, `"md5"`},
		{"another form", text, audience.Column{Normalise: "e123"}, audience.ErrOption, `"e123"`},
	} {
		c := test.column
		c.Name, c.Column = "out", "x"
		eachFormat(t, func(t *testing.T, open opener) {
			_, err := open(io.Discard, audience.Layout{Columns: []audience.Column{c}}, test.schema)
			if !errors.Is(err, test.kind) || !errors.Is(err, audience.ErrColumn) || !strings.Contains(err.Error(), test.said) {
				t.Errorf("%s: error %v, want %v that says %s", test.name, err, test.kind, test.said)
			}
		})
	}
}

// Rows may come in any order, and more than once.
func TestRewritingRowsInAnyOrder(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, coded} {
		arr := texts(typ, []any{"+10000000", "+20000000", nil, "+20000000"})
		s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil)
		var out bytes.Buffer
		e, err := audience.NewJSONL(&out, audience.Layout{Columns: []audience.Column{{Name: "x", Column: "x", Normalise: audience.E164}}}, s)
		if err != nil {
			t.Fatal(err)
		}
		b := &audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{arr}, 4)}
		if err := errors.Join(e.Write(b, []int32{3, 0, 2, 0}), e.Close()); err != nil {
			t.Fatal(err)
		}
		want := `{"x":"+20000000"}` + "\n" + `{"x":"+10000000"}` + "\n" + `{"x":null}` + "\n" + `{"x":"+10000000"}` + "\n"
		if out.String() != want {
			t.Errorf("%s: %q, want %q", typ, out.String(), want)
		}
	}
}

// A text that is not UTF-8 refuses the night, hashed or not, but only in a row
// that is written.
func TestRewritingWhatIsNotUTF8(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, coded} {
		arr := texts(typ, []any{"fine", "bad\xff"})
		s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ}}, nil)
		b := &audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{arr}, 2)}
		for _, c := range []audience.Column{{Hash: audience.SHA256LowerTrim}, {Normalise: audience.E164}} {
			c.Name, c.Column = "out", "x"
			eachFormat(t, func(t *testing.T, open opener) {
				e, err := open(io.Discard, audience.Layout{Columns: []audience.Column{c}}, s)
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Write(b, []int32{0, 0}); err != nil {
					t.Fatalf("row 0: %v", err)
				}
				var row *audience.RowError
				if err := e.Write(b, []int32{0, 1}); !errors.Is(err, audience.ErrText) || !errors.As(err, &row) || row.Row != 1 || row.Column != "out" {
					t.Errorf("error %v, want ErrText at row 1 of column out", err)
				}
			})
		}
	}
}

func TestRewritingADictionaryWithANullWord(t *testing.T) {
	arr := array.NewDictionaryArray(coded, fromJSON(t, arrow.PrimitiveTypes.Int32, `[0, 1]`), fromJSON(t, arrow.BinaryTypes.String, `["a", null]`))
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: coded}}, nil)
	b := &audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{arr}, 2)}
	_, err := jsonlOf(t, b, s, "", audience.Column{Name: "x", Column: "x", Hash: audience.SHA256LowerTrim})
	if err == nil || !strings.Contains(err.Error(), "null words") {
		t.Errorf("error %v", err)
	}
}

package audience_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
)

// member is a key of a JSON object and its value: nil, bool, string or
// json.Number.
type member struct {
	key   string
	value any
}

// members gives the members of an object in order. It takes valid UTF-8, keys
// that are there once, and nothing nested or behind the object.
func members(t failer, line []byte) []member {
	t.Helper()
	if !json.Valid(line) || !utf8.Valid(line) {
		t.Fatal(fmt.Sprintf("not JSON in UTF-8: %q", line))
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	next := func() json.Token {
		token, err := d.Token()
		if err != nil {
			t.Fatal(fmt.Sprintf("%q: %v", line, err))
		}
		return token
	}
	if begin := next(); begin != json.Delim('{') {
		t.Fatal(fmt.Sprintf("%q is no object", line))
	}
	var all []member
	seen := map[string]bool{}
	for d.More() {
		m := member{key: next().(string), value: next()}
		if _, nested := m.value.(json.Delim); nested || seen[m.key] {
			t.Fatal(fmt.Sprintf("%q: key %q is nested or there twice", line, m.key))
		}
		seen[m.key] = true
		all = append(all, m)
	}
	next()
	return all
}

// linesOf cuts a file into lines, the last of which must be complete.
func linesOf(t failer, data []byte) [][]byte {
	t.Helper()
	if len(data) == 0 {
		return nil
	}
	whole, ok := bytes.CutSuffix(data, []byte("\n"))
	if !ok {
		t.Fatal("the last line has no end")
	}
	return bytes.Split(whole, []byte("\n"))
}

func writeJSONL(t *rapid.T, u users, chosen []int32) []byte {
	var out bytes.Buffer
	e, err := audience.NewJSONL(&out, u.layout(), u.schema)
	if err != nil {
		t.Fatal(err)
	}
	u.write(t, e, chosen)
	return out.Bytes()
}

func (u users) checkJSONL(t *rapid.T, data []byte, chosen []int32) {
	lines := linesOf(t, data)
	if len(lines) != len(chosen) {
		t.Fatalf("%d lines for %d rows", len(lines), len(chosen))
	}
	for i, r := range chosen {
		u.checkObject(t, members(t, lines[i]), int(r))
	}
	if n, err := audience.CountJSONL(bytes.NewReader(data)); err != nil || n != int64(len(chosen)) {
		t.Fatalf("CountJSONL = %d, %v for %d rows", n, err, len(chosen))
	}
}

func (u users) checkObject(t *rapid.T, got []member, row int) {
	h := int(u.block.Hundredths[row])
	for i, c := range u.layout().Columns {
		if got[i].key != c.Name {
			t.Fatalf("row %d: key %d is %q, want %q", row, i, got[i].key, c.Name)
		}
	}
	if p, err := got[1].value.(json.Number).Float64(); err != nil || p != float64(h)/10_000 {
		t.Fatalf("row %d: probability %v of %d hundredths", row, got[1], h)
	}
	want := []any{json.Number(strconv.FormatFloat(float64(h)/100, 'f', 2, 64)), categories[h%3], "2026-11-22"}
	if diff := cmp.Diff(want, []any{got[2].value, got[3].value, got[4].value}); diff != "" {
		t.Fatalf("row %d (-want +got):\n%s", row, diff)
	}
	values := append([]member{got[0]}, got[5:]...)
	for i, v := range u.values[row] {
		typ := u.schema.Field(i).Type
		if !sameJSON(typ, values[i].value, v) {
			t.Fatalf("row %d, column %d (%s): %#v, want %q", row, i, typ, values[i].value, v.csv)
		}
	}
}

// sameJSON says whether a value stands as the JSON type it should and holds what
// CSV should hold.
func sameJSON(typ arrow.DataType, got any, v value) bool {
	if v.add == nil {
		return got == nil
	}
	switch typ.ID() {
	case arrow.BOOL:
		b, ok := got.(bool)
		return ok && strconv.FormatBool(b) == v.csv
	case arrow.STRING, arrow.LARGE_STRING, arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return got == v.csv
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		if word, ok := got.(string); ok {
			return strings.Contains("NaN Inf -Inf", word) && sameField(typ, word, v.csv)
		}
	}
	n, ok := got.(json.Number)
	return ok && sameField(typ, n.String(), v.csv)
}

func TestJSONLHoldsTheChosenRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 30)
		chosen := u.drawRows(t)
		u.checkJSONL(t, writeJSONL(t, u, chosen), chosen)
	})
}

func TestJSONLBytesDependOnTheRowsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 30)
		chosen := u.drawRows(t)
		if !bytes.Equal(writeJSONL(t, u, chosen), writeJSONL(t, u, chosen)) {
			t.Fatal("other blocks or dictionaries gave other bytes")
		}
	})
}

func jsonlOf(t *testing.T, b *audience.Block, s *arrow.Schema, id string, columns ...audience.Column) (string, error) {
	t.Helper()
	var out bytes.Buffer
	e, err := audience.NewJSONL(&out, audience.Layout{ID: id, Columns: columns}, s)
	if err != nil {
		return "", err
	}
	err = errors.Join(e.Write(b, ascending(int(b.Batch.NumRows()))), e.Close())
	return out.String(), err
}

func TestJSONLForm(t *testing.T) {
	x := audience.Column{Name: "x", Column: "x"}
	for _, test := range []struct {
		name, values, id, want string
		typ                    arrow.DataType
		columns                []audience.Column
	}{
		{"no rows", `[]`, "", "", arrow.BinaryTypes.String, []audience.Column{x}},
		{"null and empty text", `[null, ""]`, "", `{"x":null,"y":null}` + "\n" + `{"x":"","y":""}` + "\n", arrow.BinaryTypes.String, []audience.Column{x, {Name: "y", Column: "x"}}},
		{"short escapes", `["\"\\/\b\f\n\r\t"]`, "", `{"x":"\"\\/\b\f\n\r\t"}` + "\n", arrow.BinaryTypes.String, []audience.Column{x}},
		{"other escapes", `["\u0000\u001f\u007f\u0085\u0084\u2028\u2029\u2027"]`, "", `{"x":"\u0000\u001f` + "\x7f" + `\u0085` + "\u0084" + `\u2028\u2029` + "\u2027" + `"}` + "\n", arrow.BinaryTypes.String, []audience.Column{x}},
		{"what a spreadsheet would run", `["=1+1", "<&>", "é😀"]`, "", `{"x":"=1+1"}` + "\n" + `{"x":"<&>"}` + "\n" + `{"x":"é😀"}` + "\n", arrow.BinaryTypes.String, []audience.Column{x}},
		{"a key that is escaped", `["a"]`, "", `{"a \"b\"":"a"}` + "\n", arrow.BinaryTypes.String, []audience.Column{{Name: `a "b"`, Column: "x"}}},
		{"an integer", `[9223372036854775807]`, "", `{"x":9223372036854775807}` + "\n", arrow.PrimitiveTypes.Int64, []audience.Column{x}},
		{"an integer id is text", `[-7]`, "x", `{"x":"-7","y":"-7"}` + "\n", arrow.PrimitiveTypes.Int64, []audience.Column{x, {Name: "y", Column: "x"}}},
		{"a text id", `["u-7"]`, "x", `{"x":"u-7"}` + "\n", arrow.BinaryTypes.String, []audience.Column{x}},
		{"floats", `[0.1, -2, 1e-7, 1e21, "NaN", "+Inf", "-Inf"]`, "",
			`{"x":0.1}` + "\n" + `{"x":-2}` + "\n" + `{"x":1e-07}` + "\n" + `{"x":1e+21}` + "\n" + `{"x":"NaN"}` + "\n" + `{"x":"Inf"}` + "\n" + `{"x":"-Inf"}` + "\n", arrow.PrimitiveTypes.Float64, []audience.Column{x}},
		{"decimals", `["-0.05", "12.30"]`, "", `{"x":-0.05}` + "\n" + `{"x":12.30}` + "\n", &arrow.Decimal128Type{Precision: 20, Scale: 2}, []audience.Column{x}},
		{"bools", `[true, false, null]`, "", `{"x":true}` + "\n" + `{"x":false}` + "\n" + `{"x":null}` + "\n", arrow.FixedWidthTypes.Boolean, []audience.Column{x}},
		{"dates", `["2026-11-22"]`, "", `{"x":"2026-11-22"}` + "\n", arrow.FixedWidthTypes.Date32, []audience.Column{x}},
		{"timestamps", `["2026-11-22T01:02:03.4567899Z"]`, "", `{"x":"2026-11-22T01:02:03.456789Z"}` + "\n", arrow.FixedWidthTypes.Timestamp_ns, []audience.Column{x}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, s := one(t, test.typ, test.values)
			got, err := jsonlOf(t, b, s, test.id, test.columns...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Every score is a number of two decimals.
func TestJSONLScores(t *testing.T) {
	b, s := one(t, arrow.BinaryTypes.String, `["a", "b", "c"]`)
	b.Hundredths = []uint16{0, 9542, 10_000}
	got, err := jsonlOf(t, b, s, "x", audience.Column{Name: "s", Source: audience.FromScore})
	if want := `{"s":0.00}` + "\n" + `{"s":95.42}` + "\n" + `{"s":100.00}` + "\n"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestJSONLKeyThatIsNotUTF8(t *testing.T) {
	b, s := one(t, arrow.BinaryTypes.String, `[]`)
	if _, err := jsonlOf(t, b, s, "", audience.Column{Name: "a\xff", Column: "x"}); !errors.Is(err, audience.ErrText) {
		t.Errorf("error %v, want ErrText", err)
	}
}

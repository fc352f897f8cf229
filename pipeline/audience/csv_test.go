package audience_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
)

func writeCSV(t *rapid.T, u users, chosen []int32) []byte {
	var out bytes.Buffer
	e, err := audience.NewCSV(&out, u.layout(), u.schema, audience.CSVOptions{Formula: "quote"})
	if err != nil {
		t.Fatal(err)
	}
	u.write(t, e, chosen)
	return out.Bytes()
}

func TestCSVHoldsTheChosenRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 30)
		chosen := u.drawRows(t)
		u.checkCSV(t, writeCSV(t, u, chosen), chosen)
	})
}

func (u users) checkCSV(t *rapid.T, data []byte, chosen []int32) {
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(chosen)+1 {
		t.Fatalf("%d records for %d rows and a header", len(records), len(chosen))
	}
	for i, r := range chosen {
		u.checkRecord(t, records[i+1], int(r))
	}
	if n, err := audience.CountCSV(bytes.NewReader(data)); err != nil || n != int64(len(chosen)) {
		t.Fatalf("CountCSV = %d, %v for %d rows", n, err, len(chosen))
	}
}

func (u users) checkRecord(t *rapid.T, got []string, row int) {
	h := int(u.block.Hundredths[row])
	score := strconv.FormatFloat(float64(h)/100, 'f', 2, 64)
	if probability, err := strconv.ParseFloat(got[1], 64); err != nil || probability != float64(h)/10_000 {
		t.Fatalf("row %d: probability %q of %d hundredths", row, got[1], h)
	}
	if diff := cmp.Diff([]string{score, categories[h%3], "2026-11-22"}, got[2:5]); diff != "" {
		t.Fatalf("row %d (-want +got):\n%s", row, diff)
	}
	fields := append([]string{got[0]}, got[5:]...)
	for i, v := range u.values[row] {
		want := strings.ReplaceAll(v.csv, "\r\n", "\n") // as encoding/csv reads it
		if !sameField(u.schema.Field(i).Type, fields[i], want) {
			t.Fatalf("row %d, column %d (%s): %q, want %q", row, i, u.schema.Field(i).Type, fields[i], want)
		}
	}
}

// sameField compares floats by their value and anything else by its text.
func sameField(typ arrow.DataType, got, want string) bool {
	size := 64
	switch typ.ID() {
	case arrow.FLOAT16, arrow.FLOAT32:
		size = 32
	case arrow.FLOAT64:
	default:
		return got == want
	}
	if got == "" || want == "" {
		return got == want
	}
	g, errGot := strconv.ParseFloat(got, size)
	w, errWant := strconv.ParseFloat(want, size)
	return errGot == nil && errWant == nil && (g == w || g != g && w != w)
}

func TestCSVBytesDependOnTheRowsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 30)
		chosen := u.drawRows(t)
		if !bytes.Equal(writeCSV(t, u, chosen), writeCSV(t, u, chosen)) {
			t.Fatal("other blocks or dictionaries gave other bytes")
		}
	})
}

// one makes a block of one column from JSON, "id" in front of it if asked.
func one(t *testing.T, typ arrow.DataType, values string) (*audience.Block, *arrow.Schema) {
	t.Helper()
	arr, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil)
	return &audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{arr}, int64(arr.Len()))}, s
}

func csvOf(t *testing.T, b *audience.Block, s *arrow.Schema, o audience.CSVOptions, columns ...audience.Column) (string, error) {
	t.Helper()
	var out bytes.Buffer
	e, err := audience.NewCSV(&out, audience.Layout{ID: "id", Columns: columns}, s, o)
	if err != nil {
		return "", err
	}
	if err := e.Write(b, ascending(int(b.Batch.NumRows()))); err != nil {
		return "", err
	}
	err = e.Close()
	return out.String(), err
}

func TestCSVForm(t *testing.T) {
	x, y := audience.Column{Name: "x", Column: "x"}, audience.Column{Name: "y", Column: "x"}
	for _, test := range []struct {
		name, values, want string
		typ                arrow.DataType
		columns            []audience.Column
	}{
		{"null and empty text", `[null, "", "a"]`, "x,y\r\n,\r\n\"\",\"\"\r\na,a\r\n", arrow.BinaryTypes.String, []audience.Column{x, y}},
		{"null alone on its line", `[null, "a"]`, "x\r\n\"\"\r\na\r\n", arrow.BinaryTypes.String, []audience.Column{x}},
		{"quotes where needed", `["a,b", "a\"b", "a\nb", "a\rb", " a", "a ", "a b", "é'"]`,
			"x\r\n\"a,b\"\r\n\"a\"\"b\"\r\n\"a\nb\"\r\n\"a\rb\"\r\n\" a\"\r\n\"a \"\r\na b\r\né'\r\n", arrow.BinaryTypes.String, []audience.Column{x}},
		{"a header that needs quotes", `[]`, "\"a, b\"\r\n", arrow.BinaryTypes.String, []audience.Column{{Name: "a, b", Column: "x"}}},
		{"negative numbers are no formulas", `[-5, 0]`, "x\r\n-5\r\n0\r\n", arrow.PrimitiveTypes.Int8, []audience.Column{x}},
		{"floats", `[0.1, -2, 1e-7, 0.000001, 1e21, 123456789012, "NaN", "+Inf", "-Inf"]`,
			"x\r\n0.1\r\n-2\r\n1e-07\r\n0.000001\r\n1e+21\r\n123456789012\r\nNaN\r\nInf\r\n-Inf\r\n", arrow.PrimitiveTypes.Float64, []audience.Column{x}},
		{"short floats", `[0.1, 16777216]`, "x\r\n0.1\r\n16777216\r\n", arrow.PrimitiveTypes.Float32, []audience.Column{x}},
		{"decimals", `["-0.05", "12.30", "0"]`, "x\r\n-0.05\r\n12.30\r\n0.00\r\n", &arrow.Decimal128Type{Precision: 20, Scale: 2}, []audience.Column{x}},
		{"timestamps", `["2026-11-22T01:02:03.4567899Z", "1969-12-31T23:59:59.9999999Z", "2026-11-22T00:00:00Z"]`,
			"x\r\n2026-11-22T01:02:03.456789Z\r\n1969-12-31T23:59:59.999999Z\r\n2026-11-22T00:00:00Z\r\n", arrow.FixedWidthTypes.Timestamp_ns, []audience.Column{x}},
		{"bools and dates", `[true, false, null]`, "x,y\r\ntrue,true\r\nfalse,false\r\n,\r\n", arrow.FixedWidthTypes.Boolean, []audience.Column{x, y}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, s := one(t, test.typ, test.values)
			got, err := csvOf(t, b, s, audience.CSVOptions{}, test.columns...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFormulas(t *testing.T) {
	column := audience.Column{Name: "note", Column: "x"}
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	for _, formula := range []string{"=secret()", "+secret", "-secret", "@secret", "\tsecret", "\rsecret", `=secret("a")`} {
		for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, coded} {
			b, s := one(t, typ, `["fine", `+strconv.Quote(formula)+`]`)
			_, err := csvOf(t, b, s, audience.CSVOptions{}, column)
			var row *audience.RowError
			if !errors.Is(err, audience.ErrFormula) || !errors.As(err, &row) || row.Column != "note" || row.Row != 1 {
				t.Errorf("%q: error %v, want ErrFormula at row 1 of column note", formula, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the value: %v", err)
			}
			got, err := csvOf(t, b, s, audience.CSVOptions{Formula: "quote"}, column)
			want := "note\r\nfine\r\n\"'" + strings.ReplaceAll(formula, `"`, `""`) + "\"\r\n"
			if err != nil || got != want {
				t.Errorf("%q quoted: %q, %v, want %q", formula, got, err, want)
			}
		}
	}
}

func TestFormulaInTheHeader(t *testing.T) {
	b, s := one(t, arrow.BinaryTypes.String, `[]`)
	if _, err := csvOf(t, b, s, audience.CSVOptions{Formula: "refuse"}, audience.Column{Name: "=x", Column: "x"}); !errors.Is(err, audience.ErrFormula) {
		t.Errorf("error %v, want ErrFormula", err)
	}
}

func TestCSVOptions(t *testing.T) {
	b, s := one(t, arrow.BinaryTypes.String, `[]`)
	if _, err := csvOf(t, b, s, audience.CSVOptions{Formula: "strip"}, audience.Column{Name: "x", Column: "x"}); !errors.Is(err, audience.ErrOption) {
		t.Errorf("error %v, want ErrOption", err)
	}
}

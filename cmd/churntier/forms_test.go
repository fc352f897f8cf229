package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
)

// everyForm writes the audience all with the same columns in each form.
func everyForm(more string) []string {
	const columns = "columns: {user_id: user_id, risk: category, score: score, mail: {from: email, hash: sha256-lower-trim}, " +
		"tel: {from: phone, normalise: e164}, tel_hash: {from: phone, normalise: e164, hash: sha256-lower-trim}}"
	forms := []string{"format: parquet", "format: csv", "format: csv, gzip: true", "format: jsonl", "format: jsonl, gzip: true"}
	for i, f := range forms {
		forms[i] = "{" + f + ", " + columns + "}"
	}
	return []string{"--set", "audiences=[{name: all, " + more + "files: [" + strings.Join(forms, ", ") + "]}]"}
}

// contacts is a night of four users; some lack an address or have a phone number
// that is no international one.
func contacts(p *place) {
	text := func(s string) *string { return &s }
	p.part(night22, "a.parquet",
		column{"user_id", []string{"u1", "u2", "u3", "u4"}},
		column{"churn_score", []float64{10, 95.42, 55, 100}},
		column{"email", []*string{text(" Mary@Example.com "), nil, text(""), text("user@example.com")}},
		column{"phone", []*string{text("+1 (234) 567-8901"), text("0012345678901"), text("234-567-8901"), nil}})
}

// The digests are those that Meta and UID2 print in their documentation.
var contactRows = [][]any{
	{"u1", "low", "10.00", "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79", "+12345678901", "10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee"},
	{"u2", "high", "95.42", nil, "+12345678901", "10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee"},
	{"u3", "medium", "55.00", nil, nil, nil},
	{"u4", "high", "100.00", "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514", nil, nil},
}

var contactNames = []string{"user_id", "risk", "score", "mail", "tel", "tel_hash"}

func TestEveryFormHoldsTheSameUsers(t *testing.T) {
	p := newPlace(t)
	contacts(p)
	out, r := p.runJSON(everyForm("")...)
	r.expect(t, exitDone)
	var extensions []string
	for _, f := range out.Manifest.Audiences[0].Files {
		name := path.Base(f.Key)
		extension := strings.TrimPrefix(name, "part-00000.")
		extensions = append(extensions, f.Format+" "+extension)
		if f.Rows != 4 {
			t.Errorf("%s: %d rows", f.Key, f.Rows)
		}
		names, rows := readForm(t, p.path("out", f.Key))
		if diff := cmp.Diff(contactNames, names); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(inForm(extension, contactRows), rows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"parquet parquet", "csv csv", "csv csv.gz", "jsonl jsonl", "jsonl jsonl.gz"}, extensions); diff != "" {
		t.Errorf("formats and extensions: %s", diff)
	}
}

// inForm gives rows as a form can tell them: CSV has no null.
func inForm(extension string, rows [][]any) [][]any {
	if !strings.HasPrefix(extension, "csv") {
		return rows
	}
	var all [][]any
	for _, row := range rows {
		row = slices.Clone(row)
		for i, v := range row {
			if v == nil {
				row[i] = ""
			}
		}
		all = append(all, row)
	}
	return all
}

// readForm gives the names and the rows of a file; numbers by their digits.
func readForm(t *testing.T, name string) (names []string, rows [][]any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if rest, ok := strings.CutSuffix(name, ".gz"); ok {
		name = rest
		gz, err := gzip.NewReader(bytes.NewReader(data))
		if err == nil {
			data, err = io.ReadAll(gz)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	switch filepath.Ext(name) {
	case ".parquet":
		return readParquet(t, data)
	case ".csv":
		records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			row := make([]any, len(record))
			for i, field := range record {
				row[i] = field
			}
			rows = append(rows, row)
		}
		return records[0], rows
	}
	for line := range strings.Lines(string(data)) {
		var row []any
		names, row = readObject(t, line)
		rows = append(rows, row)
	}
	return names, rows
}

// readObject gives keys and values of a flat JSON object in their order.
func readObject(t *testing.T, line string) (keys []string, values []any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return keys, values
		case err != nil:
			t.Fatalf("%s: %v", line, err)
		}
		if _, brace := token.(json.Delim); brace {
			continue
		}
		if n, ok := token.(json.Number); ok {
			token = n.String()
		}
		if len(keys) == len(values) {
			keys = append(keys, token.(string))
		} else {
			values = append(values, token)
		}
	}
}

func readParquet(t *testing.T, data []byte) (names []string, rows [][]any) {
	t.Helper()
	table, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(data), parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	rows = make([][]any, table.NumRows())
	for c := range int(table.NumCols()) {
		names = append(names, table.Column(c).Name())
		row := 0
		for _, chunk := range table.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				var v any
				switch {
				case chunk.IsNull(i):
				case names[c] == "score":
					v = chunk.(*array.Decimal128).Value(i).ToString(2)
				default:
					v = chunk.(*array.String).Value(i)
				}
				rows[row] = append(rows[row], v)
				row++
			}
		}
	}
	return names, rows
}

// An audience of nobody has a header, nothing, or a gzip member of either; with
// empty: skip it has the members file alone.
func TestEveryFormOfAnEmptyAudience(t *testing.T) {
	p := newPlace(t)
	contacts(p)
	out, r := p.runJSON(everyForm("score: [1, 2], ")...)
	r.expect(t, exitDone)
	files := out.Manifest.Audiences[0].Files
	if len(files) != 5 {
		t.Fatalf("files %+v", files)
	}
	for _, f := range files {
		if f.Rows != 0 || f.Bytes == 0 != (path.Base(f.Key) == "part-00000.jsonl") {
			t.Errorf("%s: %d rows in %d bytes", f.Key, f.Rows, f.Bytes)
		}
		if names, rows := readForm(t, p.path("out", f.Key)); len(rows) != 0 || f.Format == "csv" && !slices.Equal(names, contactNames) {
			t.Errorf("%s reads as %v of %v", f.Key, rows, names)
		}
	}
	out, r = p.runJSON(append(everyForm("score: [1, 2], empty: skip, "), "--force")...)
	r.expect(t, exitDone)
	if files := out.Manifest.Audiences[0].Files; len(files) != 1 || files[0].Format != "parquet" {
		t.Errorf("files %+v, want the members file alone", files)
	}
}

func TestFormsAsPeopleSeeThem(t *testing.T) {
	p := newPlace(t)
	contacts(p)
	set := everyForm("")
	p.night(set...).expect(t, exitDone, "parquet, csv, jsonl")
	files := p.churntier(append([]string{"files", "-c", p.path("churntier.yaml"), "--audience", "all"}, set...)...)
	files.expect(t, exitDone, "part-00000.parquet\n", "part-00000.csv\n", "part-00000.csv.gz\n", "part-00000.jsonl\n", "part-00000.jsonl.gz\n")
	p.churntier(append([]string{"check", "-c", p.path("churntier.yaml")}, set...)...).expect(t, exitDone, "email", "phone", "audience all")
}

// What cannot be hashed or normalised is told before a row is read.
func TestNumbersAreNoPhones(t *testing.T) {
	p := newPlace(t)
	p.part(night22, "a.parquet", column{"user_id", []string{"u1"}}, column{"churn_score", []float64{10}}, column{"phone", []int64{12345678901}})
	tel := func(how string) []string {
		return []string{"--set", "audiences=[{name: all, files: [{format: jsonl, columns: {tel: {from: phone, " + how + "}}}]}]"}
	}
	p.night(tel("normalise: e164")...).expect(t, exitRefused, `"tel"`, "country code")
	p.night(tel("hash: sha256-lower-trim")...).expect(t, exitRefused, `"tel"`, "only text can be hashed")
	p.night(tel("hash: md5")...).expect(t, exitUsage, "sha256-lower-trim")
}

// An integer id is text in JSON lines.
func TestIntegerIDInJSONLines(t *testing.T) {
	p := newPlace(t)
	p.part(night22, "a.parquet", column{"user_id", []int64{7, 9007199254740993}}, column{"churn_score", []float64{10, 80}})
	out, r := p.runJSON("--set", "audiences=[{name: all, files: [{format: jsonl}]}]")
	r.expect(t, exitDone)
	text, err := os.ReadFile(p.path("out", out.Manifest.Audiences[0].Files[1].Key))
	const want = `{"user_id":"7","score":10.00,"category":"low"}` + "\n" + `{"user_id":"9007199254740993","score":80.00,"category":"high"}` + "\n"
	if err != nil || string(text) != want {
		t.Errorf("%s, %v, want\n%s", text, err, want)
	}
}

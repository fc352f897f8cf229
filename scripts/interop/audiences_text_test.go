package interop_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// holdTexts holds that Go's own readers of CSV and JSON find in the files what
// DuckDB finds in the Parquet files of the members, in their order.
func (c *trial) holdTexts(t *testing.T) {
	t.Helper()
	members := map[string][][]string{}
	for _, r := range sql(t, `SELECT split_part(filename, '/', -2) AS audience, `+c.id+` AS id, CAST(score AS VARCHAR) AS score, category
		FROM read_parquet('`+c.path("audiences", "*", "part-*.parquet")+`', filename = true, file_row_number = true) ORDER BY filename, file_row_number`) {
		name := r["audience"].(string)
		members[name] = append(members[name], []string{r["id"].(string), r["score"].(string), r["category"].(string)})
	}
	for _, a := range c.audiences {
		want := append([][]string{{c.id, "score", "category"}}, members[a.name]...)
		if diff := cmp.Diff(want, readCSV(t, c.path("audiences", a.name, "part-*.csv"))); diff != "" {
			t.Errorf("%s, CSV: %s", a.name, diff)
		}
		if got := readLines(t, c.path("audiences", a.name, "part-*.jsonl.gz"), c.id); !slices.EqualFunc(want[1:], got, slices.Equal) {
			t.Errorf("%s, JSON lines: %s", a.name, cmp.Diff(want[1:], got))
		}
	}
}

func only(t *testing.T, pattern string) []byte {
	t.Helper()
	files := glob(t, pattern)
	if len(files) != 1 {
		t.Fatalf("%d files match %s", len(files), pattern)
	}
	return content(t, filepath.Clean(files[0]))
}

func readCSV(t *testing.T, pattern string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(only(t, pattern))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// readLines reads gzipped JSON lines, each with these columns and no other.
func readLines(t *testing.T, pattern, id string) (rows [][]string) {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(only(t, pattern)))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(plain)
	decoder.UseNumber()
	for {
		var r row
		if err := decoder.Decode(&r); err == io.EOF {
			return rows
		} else if err != nil {
			t.Fatal(err)
		}
		score, isNumber := r["score"].(json.Number)
		if !isNumber || len(r) != 3 {
			t.Fatalf("a line holds %v", r)
		}
		rows = append(rows, []string{r[id].(string), twoDecimals(score.String()), r["category"].(string)})
	}
}

// twoDecimals gives a number the two decimals that CSV and DuckDB write.
func twoDecimals(number string) string {
	whole, decimals, _ := strings.Cut(number, ".")
	return whole + "." + (decimals + "00")[:2]
}

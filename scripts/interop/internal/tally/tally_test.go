package tally

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tallied(t *testing.T, tables ...*Table) map[string]any {
	t.Helper()
	total := New("")
	for _, table := range tables {
		if err := total.Add(table); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(total)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestATallySumsEveryKindOfColumn(t *testing.T) {
	a, b := New("a"), New("b")
	a.Rows, b.Rows = 2, 3
	a.Column("n").Int(40)
	a.Column("n").Null()
	b.Column("n").Int(-2)
	a.Column("price").Decimal(big.NewInt(7501), 2)
	b.Column("price").Decimal(big.NewInt(-10002), 2)
	a.Column("flag").Bool(true)
	b.Column("flag").Bool(false)
	a.Column("p").Float(1e16)
	a.Column("p").Float(1)
	b.Column("p").Float(-1e16)
	b.Column("p").Float(math.NaN())
	b.Column("p").Float(math.Inf(1))
	a.Column("empty").Null()

	want := map[string]any{"rows": 5.0, "columns": map[string]any{
		"n":     map[string]any{"nulls": 1.0, "sum": 38.0},
		"price": map[string]any{"nulls": 0.0, "sum": -25.01},
		"flag":  map[string]any{"nulls": 0.0, "sum": 1.0},
		"p":     map[string]any{"nulls": 0.0, "sum": 1.0, "not_finite": 2.0},
		"empty": map[string]any{"nulls": 1.0},
	}}
	if diff := cmp.Diff(want, tallied(t, a, b)); diff != "" {
		t.Error(diff)
	}
	if a.Column("n").Seen() != 2 {
		t.Errorf("column n saw %d values and nulls, want 2", a.Column("n").Seen())
	}
}

// The expected sums are DuckDB's, by the statement in the package's comment.
func TestTheChecksumOfTextsIsThatOfSQLInAnyOrder(t *testing.T) {
	texts := func(values ...string) *Table {
		table := New("")
		for _, v := range values {
			table.Column("t").Text(v)
		}
		return table
	}
	want := map[string]any{"nulls": 0.0, "checksum": "17485234302884586682"}
	for _, tables := range [][]*Table{
		{texts("a", "", "żółć")},
		{texts("żółć"), texts("", "a")},
	} {
		got := tallied(t, tables...)["columns"].(map[string]any)["t"]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFilesThatDisagreeOnATypeDoNotAddUp(t *testing.T) {
	a, b := New("a"), New("b")
	a.Column("x").Int(1)
	b.Column("x").Text("1")
	if err := a.Add(b); err == nil {
		t.Error("an integer and a text were added up")
	}
}

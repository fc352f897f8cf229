package interop_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// shared holds reference models and data sets beside the checkout, where they are.
const shared = "../../../shared"

func needsShared(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the reference models and data sets are not beside the checkout")
	}
}

// Each logistic case as a snapshot through the real binary: every user's
// probability against what the library that trained the model gave.
func TestReferenceModels(t *testing.T) {
	needsShared(t)
	needsDuckDB(t)
	cases, err := filepath.Glob(filepath.Join(shared, "models", "sk121_*"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no case: %v", err)
	}
	for _, c := range cases {
		t.Run(filepath.Base(c), func(t *testing.T) {
			dir := t.TempDir()
			run(t, "../cases/snapshot", c, dir)
			run(t, program("churntier"), "run", "-c", filepath.Join(dir, "config.yaml"), "--quiet")
			got := map[string]float64{}
			for _, r := range sql(t, `SELECT CAST(id AS VARCHAR) AS id, churn_probability AS p
				FROM read_parquet('`+filepath.Join(dir, "out", "runs", "*", "*", "scores", "*.parquet")+`')`) {
				got[r["id"].(string)] = r["p"].(float64)
			}
			want := expected(t, filepath.Join(c, "expected.csv"))
			if len(got) != len(want) {
				t.Errorf("%d users scored, want %d", len(got), len(want))
			}
			worst := 0.0
			for id, p := range want {
				worst = math.Max(worst, math.Abs(got[id]-p))
			}
			if !(worst <= 1e-12) {
				t.Errorf("a probability is off by %g", worst)
			}
			t.Logf("%d users, largest difference %.3g", len(got), worst)
		})
	}
}

func expected(t *testing.T, name string) map[string]float64 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for _, r := range rows[1:] {
		if want[r[0]], err = strconv.ParseFloat(r[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	return want
}

// The whole public telco table from its raw columns: 11 customers have no total
// charges, which the model has a rule for.
func TestTelco(t *testing.T) {
	needsShared(t)
	needsDuckDB(t)
	dir := t.TempDir()
	model, err := filepath.Abs(filepath.Join(shared, "models", "sk121_telco_lr_pipeline", "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, "node", "../telco/telco.js", filepath.Join(shared, "datasets", "telco.csv"), dir, model)
	run(t, program("churntier"), "run", "-c", filepath.Join(dir, "config.yaml"), "--quiet")
	m := manifestOf(t, dir)
	equal(t, "rows", row{"read": 7043.0, "rejected": 0.0, "excluded": 0.0, "duplicates": 0.0, "ineligible": 0.0, "scored": 7043.0, "suppressed": 0.0}, m.Rows)
	total := 0.0
	for _, c := range m.Categories {
		total += c.Count
	}
	if total != 7043 {
		t.Errorf("%g users have a category", total)
	}
}

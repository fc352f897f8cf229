package interop_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// tolerances are those of the libraries themselves: XGBoost's float32 exponential
// differs between builds by one or two units in the last place.
var tolerances = map[string]float64{"xgb": 2e-7, "lgb": 1e-15, "sk1": 1e-12}

// modelCase is one spelling of a reference case: a model file and the rows in one
// form.
type modelCase struct{ folder, model, input, dir string }

// Each reference case as a snapshot through the real binary, in every spelling of
// the model and of the rows: every user's probability against what the library
// that trained the model gave.
func TestReferenceModels(t *testing.T) {
	needsShared(t)
	needsDuckDB(t)
	root := t.TempDir()
	cases := modelCases(t, root)
	for _, c := range cases {
		run(t, "../cases/snapshot", c.folder, c.dir, c.model, c.input)
		run(t, program("churntier"), "run", "-c", filepath.Join(c.dir, "config.yaml"), "--quiet")
	}
	scored := published(t, root, "scores", "churn_probability", "true")
	rejected := published(t, root, "rejected", "0.0", "reason = 'score_out_of_range'")
	for _, c := range cases {
		t.Run(filepath.Base(c.dir), func(t *testing.T) {
			c.compare(t, scored[filepath.Base(c.dir)], rejected[filepath.Base(c.dir)])
		})
	}
}

func modelCases(t *testing.T, root string) (all []modelCase) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(shared, "models", "*_*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no case: %v", err)
	}
	for _, folder := range folders {
		for _, model := range namesIn(t, folder, "model.*") {
			for _, input := range namesIn(t, folder, "input*.parquet") {
				name := strings.Join([]string{filepath.Base(folder), model, input}, " ")
				all = append(all, modelCase{folder, model, input, filepath.Join(root, name)})
			}
		}
	}
	return all
}

func namesIn(t *testing.T, folder, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no %s: %v", folder, pattern, err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

// published reads a table of all cases: a value of each user, by case and id.
func published(t *testing.T, root, table, value, where string) map[string]map[string]float64 {
	t.Helper()
	values := map[string]map[string]float64{}
	for _, r := range sql(t, "SELECT split_part(filename, '/out/', 1) AS dir, CAST(id AS VARCHAR) AS id, CAST("+value+" AS DOUBLE) AS v"+
		" FROM read_parquet('"+filepath.Join(root, "*", "out", "runs", "*", "*", table, "*.parquet")+"', filename = true, union_by_name = true)"+
		" WHERE "+where) {
		name := filepath.Base(r["dir"].(string))
		if values[name] == nil {
			values[name] = map[string]float64{}
		}
		values[name][r["id"].(string)] = r["v"].(float64)
	}
	return values
}

// compare holds that the users whose expected value is outside [0, 1] are rejected
// for it, and that all others have their probability.
func (c modelCase) compare(t *testing.T, scored, rejected map[string]float64) {
	want := expected(t, filepath.Join(c.folder, "expected.csv"), strings.Contains(c.folder, "logitraw"))
	worst := 0.0
	for id, p := range want {
		got, isScored := scored[id]
		_, isRejected := rejected[id]
		if outside := p < 0 || p > 1; isScored == outside || isRejected != outside {
			t.Errorf("%s, whose value is %g: scored %v, rejected %v", id, p, isScored, isRejected)
		} else if isScored {
			worst = math.Max(worst, math.Abs(got-p))
		}
	}
	if len(scored)+len(rejected) != len(want) {
		t.Errorf("%d users scored and %d rejected, want %d together", len(scored), len(rejected), len(want))
	}
	if limit := tolerances[filepath.Base(c.folder)[:3]]; !(worst <= limit) {
		t.Errorf("a probability is off by %g, at most %g is allowed", worst, limit)
	}
	t.Logf("%d users scored, %d rejected, largest difference %.3g", len(scored), len(rejected), worst)
}

// expected reads the library's probabilities. That of binary:logitraw is its
// margin; the logistic of it is the probability.
func expected(t *testing.T, name string, isMargin bool) map[string]float64 {
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
		p, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if isMargin {
			p = 1 / (1 + math.Exp(-p))
		}
		want[r[0]] = p
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

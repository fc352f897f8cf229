package score

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/score/forest"
)

// smallBoosted is a model of XGBoost, a regression, whose trees add thousandths:
// "x", a number, 1 from 1.5 on and 2 where it is missing; "d_a" and "d_b" 10 and 20
// from 0.5 on; "c", whose categories are "a", "b" and "c", 100 for "b" and "c", and
// 200 where it is missing.
const smallBoosted = `{"version":[3,4,1],"learner":{"attributes":{},
"feature_names":["x","d_a","d_b","c"],"feature_types":["float","float","float","c"],
"learner_model_param":{"base_score":"[0]","num_class":"0","num_feature":"4","num_target":"1"},
"objective":{"name":"reg:squarederror"},
"gradient_booster":{"name":"gbtree","model":{"gbtree_model_param":{"num_parallel_tree":"1"},"tree_info":[0,0,0,0],
"cats":{"enc":[{"offsets":[],"values":[]},{"offsets":[],"values":[]},{"offsets":[],"values":[]},{"offsets":[0,1,2,3],"values":[97,98,99]}]},
"trees":[
{"left_children":[1,-1,3,-1,-1],"right_children":[2,-1,4,-1,-1],"split_indices":[0,0,0,0,0],"split_conditions":[-1000,0.002,1.5,0,0.001],
"default_left":[1,0,0,0,0],"split_type":[0,0,0,0,0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]},
{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[1,0,0],"split_conditions":[0.5,0,0.01],
"default_left":[1,0,0],"split_type":[0,0,0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]},
{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[2,0,0],"split_conditions":[0.5,0,0.02],
"default_left":[1,0,0],"split_type":[0,0,0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]},
{"left_children":[1,3,-1,-1,-1],"right_children":[2,4,-1,-1,-1],"split_indices":[3,3,0,0,0],"split_conditions":[0,0,0.1,0,0.2],
"default_left":[1,0,0,0,0],"split_type":[1,1,0,0,0],"categories":[1,2,9],"categories_nodes":[0,1],"categories_segments":[0,2],"categories_sizes":[2,1]}
]}}}}`

func mustBoosted(t *testing.T, o Options) *Scorer {
	t.Helper()
	s, err := ReadModel("small.json", []byte(smallBoosted), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// thousands gives the sum of the leaves that a row reached.
func thousands(out *Result) []float64 {
	var sums []float64
	for _, p := range out.Probability {
		sums = append(sums, math.Round(p*1000))
	}
	return sums
}

func checkSums(t *testing.T, got *Result, want ...float64) {
	t.Helper()
	if diff := cmp.Diff(want, thousands(got)); diff != "" {
		t.Errorf("sums of leaves (-want +got):\n%s", diff)
	}
}

func TestBoostedTakesColumnsByName(t *testing.T) {
	out := mustScore(t, mustBoosted(t, Options{}), batchOf(
		columnOf("d_b", arrow.FixedWidthTypes.Boolean, true, false, true, nil, false),
		columnOf("c", arrow.BinaryTypes.String, "a", "b", "c", nil, "never seen"),
		columnOf("d_a", arrow.PrimitiveTypes.Int8, 1, 0, nil, 1, 0),
		columnOf("x", arrow.PrimitiveTypes.Float64, 1.5, 1.25, nil, "NaN", 3)))
	checkSums(t, out, 1+10+20, 100, 2+20+100, 2+10+200, 1+200)
	want := []InputCount{{Missing: 2}, {Missing: 1}, {Missing: 1}, {Missing: 1, Unseen: 1}}
	if diff := cmp.Diff(want, out.Inputs); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestBoostedCategoryCodes(t *testing.T) {
	scorer := mustBoosted(t, Options{})
	for _, dt := range []arrow.DataType{arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Uint8} {
		out := mustScore(t, scorer, batchOf(
			columnOf("x", dt, 0, 0, 0, 0), columnOf("d_a", dt, 0, 0, 0, 0), columnOf("d_b", dt, 0, 0, 0, 0), columnOf("c", dt, 0, 2, nil, 77)))
		checkSums(t, out, 0, 100, 200, 0)
	}
}

// Dummies come from one column, whatever its type; a null has none.
func TestBoostedOneHot(t *testing.T) {
	scorer := mustBoosted(t, Options{OneHot: OneHot{Columns: []string{"d"}, Separator: "_"}})
	zeros := func(name string) namedColumn { return columnOf(name, arrow.PrimitiveTypes.Int8, 0, 0, 0, 0) }
	c := columnOf("c", arrow.BinaryTypes.String, "a", "a", "a", "a")
	for _, d := range []namedColumn{
		columnOf("d", arrow.BinaryTypes.String, "a", "b", nil, "z"),
		columnOf("d", dictionary(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), "a", "b", nil, "z"),
	} {
		out := mustScore(t, scorer, batchOf(zeros("x"), d, c))
		checkSums(t, out, 10, 20, 0, 0)
		if want := (InputCount{Missing: 1, Unseen: 1}); out.Inputs[1] != want || out.Inputs[2] != want {
			t.Errorf("counts %v, want a null and the z in both dummies", out.Inputs)
		}
	}
	renamed := strings.NewReplacer(`"d_a"`, `"d=True"`, `"d_b"`, `"d=2.0"`).Replace(smallBoosted)
	numbers, err := ReadModel("m", []byte(renamed), Options{OneHot: OneHot{Columns: []string{"d"}, Separator: "="}})
	if err != nil {
		t.Fatal(err)
	}
	out := mustScore(t, numbers, batchOf(zeros("x"), columnOf("d", arrow.PrimitiveTypes.Int64, 1, 2, nil, 3), c))
	checkSums(t, out, 0, 20, 0, 0)
	bools := mustScore(t, numbers, batchOf(zeros("x"), columnOf("d", arrow.FixedWidthTypes.Boolean, true, false, nil, true), c))
	checkSums(t, bools, 10, 0, 0, 10)
}

// Expressions give numbers, bools and texts; one that is unknown is missing.
func TestBoostedExpressions(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	scorer := mustBoosted(t, Options{Features: map[string]string{
		"x": "a - b", "d_a": `plan == "pro"`, "d_b": "now - seen > duration('48h')", "c": `plan + ""`,
	}})
	batch := batchOf(
		columnOf("a", arrow.PrimitiveTypes.Int64, 3, 2, nil, 2),
		columnOf("b", arrow.PrimitiveTypes.Int64, 1, 1, 1, 1),
		columnOf("plan", arrow.BinaryTypes.String, "pro", "b", "a", nil),
		columnOf("seen", arrow.FixedWidthTypes.Date32, "2026-11-20", "2026-11-22", "2026-11-01", nil))
	bound, err := scorer.Bind(batch.Schema(), now)
	if err != nil {
		t.Fatal(err)
	}
	out := new(Result)
	if err := bound.Score(batch, out); err != nil {
		t.Fatal(err)
	}
	checkSums(t, out, 1+10+20+200, 0+0+0+100, 2+0+20+0, 0+0+0+200)
	if diff := cmp.Diff([]InputCount{{Missing: 1}, {Missing: 1}, {Missing: 1}, {Missing: 1, Unseen: 1}}, out.Inputs); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got, want := scorer.Columns(batch.Schema()), []string{"a", "b", "plan", "seen"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

// A text that is the name of a column is that column, whatever else it could be.
func TestAColumnGoesBeforeAnExpression(t *testing.T) {
	scorer := mustBoosted(t, Options{Features: map[string]string{"x": "a - b", "d_a": "a", "d_b": "a"}})
	out := mustScore(t, scorer, batchOf(columnOf("a", arrow.PrimitiveTypes.Int8, 0), columnOf("b", arrow.PrimitiveTypes.Int8, 0),
		columnOf("a - b", arrow.PrimitiveTypes.Float64, 1.5), columnOf("c", arrow.BinaryTypes.String, "a")))
	checkSums(t, out, 1)
}

// A sentinel is missing in every number, and leaves the batch as it was.
func TestMissingSentinels(t *testing.T) {
	scorer := mustBoosted(t, Options{Missing: []float64{-999, -1}})
	x := columnOf("x", arrow.PrimitiveTypes.Float64, -999, 3, -1, 0)
	out := mustScore(t, scorer, batchOf(x, columnOf("d_a", arrow.PrimitiveTypes.Int32, 0, 0, 0, -999),
		columnOf("d_b", arrow.PrimitiveTypes.Float64, 0, 0, 0, 1), columnOf("c", arrow.PrimitiveTypes.Int8, 0, 0, 0, -1)))
	checkSums(t, out, 2, 1, 2, 20+200)
	if got := x.values.ValueStr(0); got != "-999" {
		t.Errorf("the batch now holds %s, want -999", got)
	}
	plain, err := ReadModel("m", []byte(plainModel), Options{Missing: []float64{-999}})
	if err != nil {
		t.Fatal(err)
	}
	bad := mustScore(t, plain, batchOf(columnOf("x", arrow.PrimitiveTypes.Float64, -999), columnOf("y", arrow.PrimitiveTypes.Int8, 1), columnOf("z", arrow.PrimitiveTypes.Int8, 1)))
	if want := []BadRow{{0, FeatureNull, "x"}}; !slices.Equal(bad.Bad, want) {
		t.Errorf("bad rows %v, want %v", bad.Bad, want)
	}
}

func TestBoostedRefusesInfinity(t *testing.T) {
	batch := batchOf(columnOf("x", arrow.PrimitiveTypes.Float64, "Inf", "-Inf", 1e39, 3e38),
		columnOf("d_a", arrow.PrimitiveTypes.Int8, 0, 0, 0, 0), columnOf("d_b", arrow.PrimitiveTypes.Int8, 0, 0, 0, 0),
		columnOf("c", arrow.PrimitiveTypes.Int8, 0, 0, 0, 0))
	want := []BadRow{{0, FeatureNotFinite, "x"}, {1, FeatureNotFinite, "x"}, {2, FeatureNotFinite, "x"}}
	if got := mustScore(t, mustBoosted(t, Options{}), batch); !slices.Equal(got.Bad, want) {
		t.Errorf("bad rows %v, want %v: no float32 holds them", got.Bad, want)
	}
}

func TestModelOptionsThatDoNotFit(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{Features: map[string]string{"X": "a"}}, `features: the model has no feature "X" (did you mean "x"?)`},
		{Options{Features: map[string]string{"revenue": "a"}}, `features: the model has no feature "revenue"`},
		{Options{OneHot: OneHot{Columns: []string{"d", "plan"}, Separator: "_"}}, `one_hot: the model has no feature whose name begins with "plan_"`},
		{Options{Iterations: 5}, "iterations: 5 rounds were asked for and the model has 4: ask for best or all"},
	} {
		_, err := ReadModel("m", []byte(smallBoosted), test.o)
		if want := "model m: the options do not fit the model: " + test.want; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if _, err := ReadModel("m", []byte(plainModel), Options{Iterations: forest.All}); err == nil || !strings.Contains(err.Error(), "a logistic regression has none") {
		t.Errorf("error %v, want one about iterations", err)
	}
}

func TestBindNamesExpressionsThatDoNotFit(t *testing.T) {
	scorer := mustBoosted(t, Options{Features: map[string]string{"x": "plan", "d_a": "plan > 1", "d_b": `col("gone") * 2`, "c": "not a column"}})
	_, err := scorer.Bind(schemaOf(field("plan", arrow.BinaryTypes.String)), time.Time{})
	for _, want := range []string{
		`column "plan": found utf8, want a number, bool, date or timestamp`,
		`column "not a column": missing`,
		`feature "d_a"`, `feature "d_b"`, `"gone"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to hold %s", err, want)
		}
	}
}

func TestCategoryCodesWithoutNames(t *testing.T) {
	nameless := strings.Replace(smallBoosted, `{"offsets":[0,1,2,3],"values":[97,98,99]}`, `{"offsets":[],"values":[]}`, 1)
	scorer, err := ReadModel("m", []byte(nameless), Options{})
	if err != nil {
		t.Fatal(err)
	}
	number := arrow.PrimitiveTypes.Float64
	_, err = scorer.Bind(schemaOf(field("x", number), field("d_a", number), field("d_b", number), field("c", arrow.BinaryTypes.String)), time.Time{})
	want := `column "c": found utf8, want a number, the code of a category, as the model file holds no names of categories`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Categories that were numbers in training are told by their values: they are not
// their codes.
func TestCategoriesThatWereNumbers(t *testing.T) {
	typed := strings.Replace(smallBoosted, `{"offsets":[0,1,2,3],"values":[97,98,99]}`, `{"type":5,"values":[2015,2016,2017]}`, 1)
	scorer, err := ReadModel("m", []byte(typed), Options{})
	if err != nil {
		t.Fatal(err)
	}
	zero := func(name string) namedColumn { return columnOf(name, arrow.PrimitiveTypes.Int8, 0, 0, 0, 0) }
	for _, c := range []namedColumn{
		columnOf("c", arrow.PrimitiveTypes.Int64, 2015, 2016, nil, 1),
		columnOf("c", arrow.PrimitiveTypes.Float64, 2015, 2017, "NaN", 0),
		columnOf("c", arrow.BinaryTypes.String, "2015", "2016", nil, "1"),
	} {
		out := mustScore(t, scorer, batchOf(zero("x"), zero("d_a"), zero("d_b"), c))
		if want := (InputCount{Missing: 1, Unseen: 1}); out.Inputs[3] != want {
			t.Errorf("%s: counts %v, want %v", c.values.DataType(), out.Inputs[3], want)
		}
		checkSums(t, out, 0, 100, 200, 200)
	}
}

// LightGBM writes an underscore for a blank; features without names are f0, f1..
func TestNamesOfFeatures(t *testing.T) {
	folder := filepath.Join(referenceModels, "lgb460_iranian_regression")
	data, err := os.ReadFile(filepath.Join(folder, "model.txt"))
	if err != nil {
		t.Skip("the reference models are not beside the checkout")
	}
	scorer, err := ReadModel("m", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	batch := readParquet(t, filepath.Join(folder, "input.parquet"))
	if _, err := scorer.Bind(batch.Schema(), time.Time{}); err != nil {
		t.Error(err)
	}
	nameless := strings.NewReplacer(`"feature_names":["x","d_a","d_b","c"]`, `"feature_names":[]`, `"feature_types":["float","float","float","c"]`, `"feature_types":[]`).Replace(smallBoosted)
	bare, err := ReadModel("m", []byte(nameless), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bare.Columns(nil), []string{"f0", "f1", "f2", "f3"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

// Every boosted reference model on its own rows, categories as codes and as texts.
func TestBoostedReferenceModels(t *testing.T) {
	tolerance := map[string]float64{"xgboost": 2e-7, "lightgbm": 1e-15}
	folders, _ := filepath.Glob(filepath.Join(referenceModels, "[xl]gb*"))
	if len(folders) == 0 {
		t.Skip("the reference models are not beside the checkout")
	}
	for _, folder := range folders {
		inputs, _ := filepath.Glob(filepath.Join(folder, "input*.parquet"))
		models, _ := filepath.Glob(filepath.Join(folder, "model.*"))
		expected := readExpected(t, filepath.Join(folder, "expected.csv"))
		for _, model := range models {
			scorer := readReference(t, model)
			for _, input := range inputs {
				worst := checkReference(t, scorer, readParquet(t, input), expected, strings.Contains(folder, "logitraw"))
				t.Logf("%-45s %-10s %-22s within %.2g", filepath.Base(folder), filepath.Base(model), filepath.Base(input), worst)
				if !(worst <= tolerance[scorer.Kind()]) {
					t.Errorf("%s: a probability is %g off", model, worst)
				}
			}
		}
	}
}

func readReference(t *testing.T, path string) *Scorer {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var o Options
	if strings.Contains(path, "_early_all") {
		o.Iterations = forest.All
	}
	scorer, err := ReadModel(path, data, o)
	if err != nil {
		t.Fatal(err)
	}
	return scorer
}

// checkReference gives the largest difference of a probability. A row whose
// expected one is outside [0, 1] must be bad, and no other.
func checkReference(t *testing.T, scorer *Scorer, batch arrow.RecordBatch, expected []expectedRow, isMargin bool) (worst float64) {
	t.Helper()
	out := mustScore(t, scorer, batch)
	var bad []BadRow
	for row, want := range expected {
		p := want.prob
		if isMargin {
			p = 1 / (1 + math.Exp(-want.margin))
		}
		if p < 0 || p > 1 {
			bad = append(bad, BadRow{Row: row, Reason: ScoreOutOfRange})
			continue
		}
		worst = max(worst, math.Abs(out.Probability[row]-p))
	}
	if !slices.Equal(bad, out.Bad) {
		t.Errorf("%d bad rows, want %d: those outside [0, 1]", len(out.Bad), len(bad))
	}
	return worst
}

func TestSummaryTellsTheRounds(t *testing.T) {
	var file map[string]any
	if err := json.Unmarshal([]byte(smallBoosted), &file); err != nil {
		t.Fatal(err)
	}
	file["learner"].(map[string]any)["attributes"] = map[string]any{"best_iteration": "1"}
	early, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		data string
		o    Options
		want string
	}{
		{smallBoosted, Options{}, "xgboost, 4 rounds, 4 trees, 4 features"},
		{string(early), Options{}, "xgboost, 2 of 4 rounds (the best is 2), 2 trees, 4 features"},
		{string(early), Options{Iterations: forest.All}, "xgboost, 4 rounds (the best is 2), 4 trees, 4 features"},
		{string(early), Options{Iterations: 1}, "xgboost, 1 of 4 rounds (the best is 2), 1 tree, 4 features"},
		{plainModel, Options{}, "logistic_regression, 3 features"},
	} {
		s, err := ReadModel("m", []byte(test.data), test.o)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Summary(); got != test.want {
			t.Errorf("summary %q, want %q", got, test.want)
		}
	}
}

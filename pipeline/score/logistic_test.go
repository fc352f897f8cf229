package score

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func mustModel(t testing.TB, data string) *Scorer {
	t.Helper()
	scorer, err := ReadModel("test.json", []byte(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return scorer
}

func mustScore(t testing.TB, scorer *Scorer, batch arrow.RecordBatch) *Result {
	t.Helper()
	bound, err := scorer.Bind(batch.Schema(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	out := new(Result)
	if err := bound.Score(batch, out); err != nil {
		t.Fatal(err)
	}
	return out
}

const pipelineModel = `{"kind": "logistic_regression_pipeline", "intercept": -0.5,
	"numeric": [
		{"name": "x", "median": 2.5, "mean": 1.1, "scale": 3.3, "coef": 0.7},
		{"name": "y", "median": -1, "mean": 100, "scale": 1e4, "coef": -1.3}],
	"categorical": [
		{"name": "plan", "missing": "missing", "coef": {"a": 0.1, "b": -0.2, "true": 0.3, "7": 1, "élan": 3, "missing": 0.4}},
		{"name": "team", "missing": "nowhere", "coef": {"missing": 9, "false": 0.25, "-1": -2, "": 0.5}}]}`

const plainModel = `{"features": ["x", "y", "z"], "coefficients": [0.25, -1e-3, 1e-6], "intercept": 0.125}`

func pointer(x float64) *float64 { return &x }

var (
	pipelineReference = referenceModel{
		intercept: -0.5,
		numbers: []referenceNumber{
			{"x", pointer(2.5), 1.1, 3.3, 0.7},
			{"y", pointer(-1), 100, 1e4, -1.3},
		},
		texts: []referenceText{
			{"plan", "missing", map[string]float64{"a": 0.1, "b": -0.2, "true": 0.3, "7": 1, "élan": 3, "missing": 0.4}},
			{"team", "nowhere", map[string]float64{"missing": 9, "false": 0.25, "-1": -2, "": 0.5}},
		},
	}
	plainReference = referenceModel{
		intercept: 0.125,
		numbers:   []referenceNumber{{"x", nil, 0, 1, 0.25}, {"y", nil, 0, 1, -1e-3}, {"z", nil, 0, 1, 1e-6}},
	}
)

var inputTypes = map[string][]arrow.DataType{
	"x": featureTypes, "y": featureTypes, "z": featureTypes, "plan": categoryTypes, "team": categoryTypes,
	"id": {arrow.PrimitiveTypes.Int64},
}

// checkAgainst scores a batch and compares every row with the reference, bit by bit.
func checkAgainst(t *rapid.T, reference referenceModel, bound *Bound, batch arrow.RecordBatch, out *Result) {
	if err := bound.Score(batch, out); err != nil {
		t.Fatal(err)
	}
	var wantBad []BadRow
	for row := range int(batch.NumRows()) {
		p, bad := reference.score(t, batch, row)
		h := NoScore
		if bad.Reason != Scored {
			wantBad = append(wantBad, bad)
		} else {
			h = uint16(math.Round(p * 10000))
		}
		if math.Float64bits(out.Probability[row]) != math.Float64bits(p) && !(math.IsNaN(p) && math.IsNaN(out.Probability[row])) {
			t.Fatalf("row %d: probability %v, want %v", row, out.Probability[row], p)
		}
		if out.Hundredths[row] != h {
			t.Fatalf("row %d: score %d, want %d", row, out.Hundredths[row], h)
		}
	}
	if diff := cmp.Diff(wantBad, out.Bad, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("bad rows (-want +got):\n%s", diff)
	}
	for i, in := range bound.batch.names {
		checkCount(t, reference, in, batch, out.Inputs[i])
	}
}

func checkCount(t *rapid.T, reference referenceModel, in Input, batch arrow.RecordBatch, got InputCount) {
	a := batch.Column(batch.Schema().FieldIndices(in.Column)[0])
	var want InputCount
	for row := range a.Len() {
		if in.Kind == Number {
			if _, there := numberAt(t, a, row); !there {
				want.Missing++
			}
			continue
		}
		text, there := textAt(a, row)
		for _, f := range reference.texts {
			if _, known := f.coef[text]; f.name == in.Feature && there && !known {
				want.Unseen++
			}
		}
		if !there {
			want.Missing++
		}
	}
	if got != want {
		t.Fatalf("%s: counted %+v, want %+v", in.Column, got, want)
	}
}

func TestLogisticEqualsTheScalarReference(t *testing.T) {
	for _, test := range []struct {
		name, model string
		reference   referenceModel
		columns     []string
	}{
		{"plain", plainModel, plainReference, []string{"z", "id", "y", "x"}},
		{"pipeline", pipelineModel, pipelineReference, []string{"team", "x", "id", "plan", "y"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			scorer := mustModel(t, test.model)
			rapid.Check(t, func(t *rapid.T) {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				defer mem.AssertSize(t, 0)
				var bound *Bound
				out := new(Result)
				for range 3 { // the same working memory again, other types, other lengths
					batch := randomBatch(t, mem, inputTypes, test.columns)
					if bound == nil {
						bound, _ = scorer.Bind(batch.Schema(), time.Time{})
					}
					checkAgainst(t, test.reference, bound, batch, out)
					batch.Release()
				}
			})
		})
	}
}

func TestMissingAndUnseenInThePipeline(t *testing.T) {
	batch := batchOf(
		columnOf("x", arrow.PrimitiveTypes.Float64, nil, 2.5, "NaN", "Inf"),
		columnOf("y", arrow.PrimitiveTypes.Int32, 0, 0, 0, 0),
		columnOf("plan", arrow.BinaryTypes.String, "a", "a", "gold", nil),
		columnOf("team", arrow.BinaryTypes.String, nil, "nowhere", "missing", ""),
	)
	got := mustScore(t, mustModel(t, pipelineModel), batch)
	if got.Probability[0] != got.Probability[1] {
		t.Errorf("null gives %v, its stand-in %v, want them equal", got.Probability[0], got.Probability[1])
	}
	want := []InputCount{{Missing: 2}, {}, {Missing: 1, Unseen: 1}, {Missing: 1, Unseen: 1}}
	if diff := cmp.Diff(want, got.Inputs); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]BadRow{{3, FeatureNotFinite, "x"}}, got.Bad); diff != "" {
		t.Errorf("bad rows (-want +got):\n%s", diff)
	}
}

func TestFirstBadInputInModelOrderIsBlamed(t *testing.T) {
	batch := batchOf(
		columnOf("z", arrow.PrimitiveTypes.Float64, nil, nil, 1, 1e300),
		columnOf("y", arrow.PrimitiveTypes.Float64, "NaN", 0, "-Inf", 1e308),
		columnOf("x", arrow.PrimitiveTypes.Float64, 1, "+Inf", 1, 1e308),
	)
	got := mustScore(t, mustModel(t, plainModel), batch)
	want := []BadRow{{0, FeatureNull, "y"}, {1, FeatureNotFinite, "x"}, {2, FeatureNotFinite, "y"}}
	if diff := cmp.Diff(want, got.Bad); diff != "" {
		t.Errorf("bad rows (-want +got):\n%s", diff)
	}
}

func TestMarginThatIsNotANumber(t *testing.T) {
	scorer := mustModel(t, `{"features": ["a", "b"], "coefficients": [1e308, -1e308], "intercept": 0}`)
	batch := batchOf(
		columnOf("a", arrow.PrimitiveTypes.Int64, 100, 100, 0),
		columnOf("b", arrow.PrimitiveTypes.Int64, 100, 0, 100),
	)
	got := mustScore(t, scorer, batch)
	if diff := cmp.Diff([]BadRow{{Row: 0, Reason: ScoreNaN}}, got.Bad); diff != "" {
		t.Errorf("bad rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint16{NoScore, Top, 0}, got.Hundredths); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
}

// A null may stand in the dictionary itself, and the index of a null row may be
// anything.
func TestOddDictionaries(t *testing.T) {
	texts := columnOf("", arrow.BinaryTypes.LargeString, "a", nil, "b").values
	numbers := columnOf("", arrow.PrimitiveTypes.Float64, 4, nil, 5).values
	indices := func(valid []bool) arrow.Array {
		b := array.NewInt32Builder(memory.DefaultAllocator)
		defer b.Release()
		b.AppendValues([]int32{0, 1, 99, 2, -7}, valid)
		return b.NewArray()
	}
	batch := func(valid []bool) arrow.RecordBatch {
		return batchOf(
			namedColumn{"x", array.NewDictionaryArray(dictionary(arrow.PrimitiveTypes.Int32, numbers.DataType()), indices(valid), numbers)},
			columnOf("y", arrow.PrimitiveTypes.Int64, 0, 0, 0, 0, 0),
			namedColumn{"plan", array.NewDictionaryArray(dictionary(arrow.PrimitiveTypes.Int32, texts.DataType()), indices(valid), texts)},
			columnOf("team", arrow.BinaryTypes.String, "x", "x", "x", "x", "x"),
		)
	}
	scorer := mustModel(t, pipelineModel)
	got := mustScore(t, scorer, batch([]bool{true, true, false, true, false}))
	plain := mustScore(t, scorer, batchOf(
		columnOf("x", arrow.PrimitiveTypes.Float64, 4, nil, nil, 5, nil),
		columnOf("y", arrow.PrimitiveTypes.Int64, 0, 0, 0, 0, 0),
		columnOf("plan", arrow.BinaryTypes.String, "a", nil, nil, "b", nil),
		columnOf("team", arrow.BinaryTypes.String, "x", "x", "x", "x", "x"),
	))
	if diff := cmp.Diff(plain, got); diff != "" {
		t.Errorf("dictionaries against plain values (-plain +dictionary):\n%s", diff)
	}

	broken := batch([]bool{true, true, true, true, false})
	for column, model := range map[string]string{
		"x":    `{"features": ["x"], "coefficients": [1], "intercept": 0}`,
		"plan": `{"kind": "logistic_regression_pipeline", "intercept": 0, "categorical": [{"name": "plan", "missing": "", "coef": {}}]}`,
	} {
		bound, err := mustModel(t, model).Bind(broken.Schema(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		err = bound.Score(broken, new(Result))
		want := `model test.json: column "` + column + `": row 2 of the batch: its index is outside the dictionary of 3 values`
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// fixed is a scorer without features that gives the same to every row.
type fixed float64

func (f fixed) kind() string        { return "fixed" }
func (f fixed) features() []feature { return nil }
func (f fixed) newFormula() formula { return f }

func (f fixed) evaluate(_ *inputs, probability []float64) error {
	for row := range probability {
		probability[row] = float64(f)
	}
	return nil
}

// Whatever a formula computes, only [0, 1] is a probability.
func TestProbabilityOutsideItsRange(t *testing.T) {
	batch := batchOf(columnOf("id", arrow.PrimitiveTypes.Int8, 1))
	for _, p := range []fixed{-0.001, 1.001, fixed(math.Inf(1))} {
		bound, err := (&Scorer{title: "fixed", core: p}).Bind(batch.Schema(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		out := new(Result)
		if err := bound.Score(batch, out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]BadRow{{Row: 0, Reason: ScoreOutOfRange}}, out.Bad); diff != "" || !math.IsNaN(out.Probability[0]) {
			t.Errorf("%v gives probability %v, bad rows (-want +got):\n%s", p, out.Probability[0], diff)
		}
	}
}

// A wide model written by encoding/json is read back to the same order.
func TestColumnsAreInModelOrder(t *testing.T) {
	var file struct {
		Features     []string  `json:"features"`
		Coefficients []float64 `json:"coefficients"`
		Intercept    float64   `json:"intercept"`
	}
	var want []string
	for i := range 1000 {
		name := "f" + strconv.Itoa(i*7919%1000)
		file.Features = append(file.Features, name)
		file.Coefficients = append(file.Coefficients, float64(i))
		want = append(want, name)
	}
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, mustModel(t, string(data)).Columns(nil)); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

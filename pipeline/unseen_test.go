package pipeline_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/score"
)

const proOnly = `{"kind": "logistic_regression_pipeline",
"numeric": [{"name": "churn_score", "median": 50, "mean": 50, "scale": 20, "coef": 1}],
"categorical": [{"name": "plan", "missing": "pro", "coef": {"pro": 0.5}}], "intercept": 0}`

// Of 700 rows every second one has the plan free, which the model does not know:
// duplicates and excluded users are rows too.
func TestUnseenCategoriesAreCountedOnAnyWorkers(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		w := crowded(t)
		var err error
		if w.night.Rules.Scorer, err = score.ReadModel("m.json", []byte(proOnly), score.Options{}); err != nil {
			t.Fatal(err)
		}
		w.night.Rules.Column, w.night.Rules.Model = nil, &pipeline.Model{Name: "m.json", SHA256: "5e", Kind: w.night.Rules.Scorer.Kind()}
		w.night.Gates.UnseenShare = 0.5
		out, err := pipeline.Run(t.Context(), w.night, localrun.Engine{Workers: workers, Memory: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		var report struct{ Inputs json.RawMessage }
		data, _, err := w.night.Output.Read(t.Context(), out.Manifest.Prefix()+"/distribution.json", 1<<20)
		if err = errors.Join(err, json.Unmarshal(data, &report)); err != nil {
			t.Fatal(err)
		}
		if want := `[{"name":"churn_score","nulls":0,"rows":700},{"name":"plan","nulls":0,"unseen":350,"rows":700}]`; string(report.Inputs) != want {
			t.Errorf("%d workers: %s; want %s", workers, report.Inputs, want)
		}
		for _, g := range out.Manifest.Gates {
			if want := `Feature "plan" holds a category that the model does not know in 350 of 700 rows: 50 %, at most 50 % is allowed.`; g.Name == "features" && g.Message != want {
				t.Errorf("%s", fmt.Sprint(g))
			}
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
)

// boostedModel is an XGBoost model of two rounds on two features: the first adds
// 2 to the margin where "recent" is 1, the second 1 where "contract_Monthly" is;
// early stopping found the first round best.
const boostedModel = `{"version":[2,0,0],"learner":{"attributes":{"best_iteration":"0"},
"feature_names":["recent","contract_Monthly"],"feature_types":["float","float"],
"learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},
"objective":{"name":"binary:logistic"},"gradient_booster":{"name":"gbtree","model":{
"gbtree_model_param":{"num_parallel_tree":"1"},"tree_info":[0,0],"trees":[
{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[0,0,0],"split_conditions":[0.5,0,2],"default_left":[1,0,0]},
{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[1,0,0],"split_conditions":[0.5,0,1],"default_left":[1,0,0]}]}}}}`

const boostedConfig = `prediction: churn-test
snapshot:
  url: snapshots
  id: user_id
score:
  model: churn.json
  features:
    recent: 'days_idle < 7'
  one_hot: {columns: [contract]}
publish:
  url: out
gates:
  constant: {max_share: 1}
`

func boostedPlace(t *testing.T) *place {
	p := newPlace(t)
	p.write("churntier.yaml", boostedConfig)
	p.write("churn.json", boostedModel)
	monthly, yearly := "Monthly", "Yearly"
	p.part("2026-11-22", "part-00000.parquet",
		column{"user_id", []string{"a", "b", "c", "d"}},
		column{"days_idle", []int32{3, 30, 3, 30}},
		column{"contract", []*string{&monthly, &monthly, &yearly, nil}})
	return p
}

// scoresOf gives the published counts by score.
func scoresOf(t *testing.T, p *place) map[int]int64 {
	t.Helper()
	files := p.churntier("files", "-c", p.path("churntier.yaml"), "--table", "distribution")
	var report struct{ Counts []int64 }
	for _, url := range strings.Fields(files.stdout) {
		if strings.HasSuffix(url, ".json") {
			data, err := os.ReadFile(strings.TrimPrefix(url, "file://"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &report); err != nil {
				t.Fatal(err)
			}
		}
	}
	counts := map[int]int64{}
	for score, n := range report.Counts {
		if n > 0 {
			counts[score] = n
		}
	}
	return counts
}

// The logistic function of 0, 1, 2 and 3 in hundredths.
const (
	atZero  = 5000
	atOne   = 7311
	atTwo   = 8808
	atThree = 9526
)

func TestRunWithABoostedModel(t *testing.T) {
	p := boostedPlace(t)
	p.night("--set", "score.iterations=all").expect(t, exitDone, "published", "4 scored")
	want := map[int]int64{atThree: 1, atOne: 1, atTwo: 1, atZero: 1}
	if got := scoresOf(t, p); !maps.Equal(got, want) {
		t.Errorf("users by score %v, want %v", got, want)
	}
	// Other rounds are other inputs: what is published stands until it is replaced.
	p.night().expect(t, exitDone, "other inputs")
	p.night("--force").expect(t, exitDone, "published")
	want = map[int]int64{atTwo: 2, atZero: 2}
	if got := scoresOf(t, p); !maps.Equal(got, want) {
		t.Errorf("users by score of the best round %v, want %v", got, want)
	}
}

// The model has a dummy for Monthly alone, as one whose encoder dropped Yearly has:
// a share of other contracts is usual, and more of them are not.
func TestOneHotValuesThatTheModelDoesNotState(t *testing.T) {
	p := boostedPlace(t)
	contracts := func(day string, others int) {
		ids, idle, values := make([]string, 1000), make([]int32, 1000), make([]*string, 1000)
		for i := range ids {
			value := "Monthly"
			if i%10 < others {
				value = "Yearly"
			}
			ids[i], idle[i], values[i] = fmt.Sprint(day, i), int32(i%20), &value
		}
		p.part(day, "part-00000.parquet", column{"user_id", ids}, column{"days_idle", idle}, column{"contract", values})
	}
	contracts("2026-11-22", 3)
	p.night().expect(t, exitDone, "published")
	contracts("2026-11-23", 3)
	p.night().expect(t, exitDone, "published")
	contracts("2026-11-24", 5)
	p.night().expect(t, exitRefused,
		`Feature "one-hot contract" is of a category that the model file does not state in 50 % of the rows, 30 % on 2026-11-23: a difference of 20 % of the rows, at most 10 % is allowed.`)
}

func TestCheckPrintsTheMapping(t *testing.T) {
	p := boostedPlace(t)
	p.churntier("check", "-c", p.path("churntier.yaml")).expect(t, exitDone,
		"model churn.json: xgboost, 1 of 2 rounds (the best is 1), 1 tree, 2 features",
		"recent            days_idle < 7          bool  -",
		`contract_Monthly  contract is "Monthly"  utf8  25.0%`,
		"days_idle  int32  score input recent")
	r := p.churntier("check", "-c", p.path("churntier.yaml"), "--json")
	r.expect(t, exitDone)
	var checked struct {
		Features []struct {
			Feature, Source, Type string
			NullShare             *float64 `json:"null_share"`
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &checked); err != nil {
		t.Fatal(err)
	}
	if f := checked.Features; len(f) != 2 || f[0].NullShare != nil || f[1].NullShare == nil || *f[1].NullShare != 0.25 {
		t.Errorf("features %+v, want null shares of none and 0.25", f)
	}
}

func TestModelsThatDoNotFit(t *testing.T) {
	p := boostedPlace(t)
	for _, test := range []struct {
		set  []string
		code int
		said []string
	}{
		{[]string{"score.features.recnt=days_idle"}, exitUsage, []string{`the model has no feature "recnt" (did you mean "recent"?)`}},
		{[]string{"score.one_hot.columns=[plan]"}, exitUsage, []string{`no feature whose name begins with "plan_"`}},
		{[]string{"score.iterations=3"}, exitUsage, []string{"3 rounds were asked for and the model has 2"}},
		{[]string{"score.features.recent=days_idel < 7"}, exitRefused, []string{`feature "recent"`, `"days_idel" (did you mean "days_idle"?)`}},
		{[]string{"score.features.recent=contract < 7"}, exitRefused, []string{`feature "recent"`, "1:10"}},
		{[]string{"score.features.recent=contract"}, exitRefused, []string{`column "contract": found utf8, want a number`}},
		{[]string{"score.features.recent=days_idle <"}, exitUsage, []string{"something is missing at the end"}},
	} {
		args := []string{"--force"}
		for _, s := range test.set {
			args = append(args, "--set", s)
		}
		p.night(args...).expect(t, test.code, test.said...)
	}
	if visible := p.visible(); len(visible) > 0 {
		t.Errorf("%q is visible", visible)
	}
	p.write("churn.json", strings.Replace(boostedModel, "binary:logistic", "multi:softprob", 1))
	p.night().expect(t, exitUsage, `the objective "multi:softprob" is a model of several classes: train with binary:logistic`)
	p.write("churn.json", boostedModel[:len(boostedModel)-200])
	p.night().expect(t, exitUsage, "XGBoost JSON", "cut off at byte")
	if visible := p.visible(); len(visible) > 0 {
		t.Errorf("%q is visible", visible)
	}
}

package gate_test

import (
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/gate"
)

// dated gives a night of many users in two buckets.
func dated(day string, low, high int64) gate.Night {
	n := halves(low*1000, high*1000)
	n.Date = on(day)
	return n
}

func TestTheWorseOfPreviousAndBaselineCounts(t *testing.T) {
	pinned := dated("2026-10-01", 70, 30)
	for name, c := range map[string]struct {
		past    []gate.Night
		low     int64 // of 100
		status  gate.Status
		message string
	}{
		"crept away from the baseline": {[]gate.Night{dated("2026-11-21", 42, 58)}, 40, gate.Refuse,
			"moved by a population stability index of 0.3758 since the baseline 2026-10-01 (0.0017 since 2026-11-21), warned above 0.1 and refused above 0.25."},
		"back at the baseline": {[]gate.Night{dated("2026-11-21", 40, 60)}, 70, gate.Refuse,
			"moved by a population stability index of 0.3758 since 2026-11-21 (0.0000 since the baseline 2026-10-01), warned above 0.1 and refused above 0.25."},
		"near both": {[]gate.Night{dated("2026-11-21", 69, 31)}, 68, gate.Pass, "since the baseline 2026-10-01 (0.0005 since 2026-11-21)"},
		"nothing before but the baseline": {nil, 40, gate.Refuse,
			"0.3758 since the baseline 2026-10-01, warned"},
	} {
		n := dated("2026-11-22", c.low, 100-c.low)
		n.Baseline = &pinned
		r := must(t, judge(n, c.past), "psi")
		if r.Status != c.status || !strings.Contains(r.Message, c.message) {
			t.Errorf("%s: got %+v, expected %s: %s", name, r, c.status, c.message)
		}
	}
}

// Few users of the previous night tell less than many of the baseline.
func TestTheDriftThatIsNoChanceIsTold(t *testing.T) {
	pinned, few := dated("2026-10-01", 60, 40), halves(6, 4)
	n := dated("2026-11-22", 25, 75)
	n.Baseline, few.Date = &pinned, on("2026-11-21")
	few.Counts = counts(0, 8, 10000, 2)
	if r := must(t, judge(n, []gate.Night{few}), "psi"); r.Status != gate.Refuse || !strings.Contains(r.Message, "since the baseline") {
		t.Errorf("got %+v", r)
	}
	n.Baseline.Counts = counts()
	if r := must(t, judge(n, []gate.Night{few}), "psi"); strings.Contains(r.Message, "baseline") {
		t.Errorf("a baseline without users: got %+v", r)
	}
}

func TestChangedCutsAreToldAndRefuseNothing(t *testing.T) {
	n := night(tonight)
	n.Categories = []gate.Share{{Name: "hot", From: 9000, Count: 100}, {Name: "cold", Count: 900}}
	yesterday := history(1)
	yesterday[0].Categories = []gate.Share{{Name: "high", From: 3000, Count: 200}, {Name: "low", Count: 800}}
	r := must(t, judge(n, yesterday), "category_shift")
	want := " The categories changed since 2026-11-21: tonight hot 100, cold 900; by the cuts of then it would be high 200, low 800."
	if r.Status != gate.Pass || r.Value != 0 || !strings.HasSuffix(r.Message, want) {
		t.Errorf("got %+v", r)
	}
}

// Cuts at shares move with the scores every night; that is no change of a rule.
func TestCutsByShareMoveByThemselves(t *testing.T) {
	n := night(tonight)
	n.ByShare = true
	n.Categories = []gate.Share{{Name: "high", From: 9900, Count: 100}, {Name: "low", Count: 900}}
	yesterday := history(1)
	yesterday[0].Categories[0].From = 9899
	if r := must(t, judge(n, yesterday), "category_shift"); r.Status != gate.Pass || strings.Contains(r.Message, "changed since") {
		t.Errorf("got %+v", r)
	}
	yesterday[0].Counts = counts(9899, 100, 100, 900) // everybody had a little less: nobody reached tonight's cut
	if r := must(t, judge(n, yesterday), "category_shift"); r.Status != gate.Refuse {
		t.Errorf("shifted scores: got %+v", r)
	}
}

func TestAdviceAboutAnotherModel(t *testing.T) {
	one, two := gate.Model{Name: "churn-v1.json", SHA256: "11111111aa"}, gate.Model{Name: "churn-v2.json", SHA256: "22222222bb"}
	refused := []gate.Result{{Name: "psi"}, {Name: "category_shift"}}
	for name, c := range map[string]struct {
		then, now gate.Model
		refused   []gate.Result
		want      string
	}{
		"another model": {one, two, refused, "The model changed since 2026-11-21 (churn-v2.json, sha256 22222222; it was churn-v1.json, sha256 11111111): " +
			"look at the night with churntier run --dry-run, and if its scores are right let it pass once with --accept psi,category_shift --reason TEXT."},
		"a column before":        {gate.Model{}, two, refused[:1], "it was a score column): "},
		"the same model":         {one, one, refused, ""},
		"no fault of the scores": {one, two, []gate.Result{{Name: "rows"}}, ""},
	} {
		past, n := history(2), night(tonight)
		past[0].Model, n.Model = c.then, c.now
		if got := gate.Advice(n, past, c.refused); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if got := gate.Advice(night(tonight), nil, refused); got != "" {
		t.Errorf("the first night: got %s", got)
	}
}

func TestEveryGateHasANextStep(t *testing.T) {
	for _, name := range strings.Fields("rows rejected duplicates category_shift psi constant features expect empty stale") {
		if step := gate.NextStep(name); !strings.HasSuffix(step, ".") {
			t.Errorf("%s: %q", name, step)
		}
	}
}

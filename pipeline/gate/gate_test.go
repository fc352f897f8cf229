package gate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/gate"
)

func on(s string) date.Date {
	d, err := date.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

var tonight = on("2026-11-22")

// counts gives counts by score from pairs of score and count.
func counts(pairs ...int64) []int64 {
	c := make([]int64, 10001)
	for i := 0; i < len(pairs); i += 2 {
		c[pairs[i]] += pairs[i+1]
	}
	return c
}

// night gives a night of 1,000 rows that all gates pass: 100 users in category
// high, 900 in low, five scores.
func night(d date.Date) gate.Night {
	return gate.Night{
		Date: d, Read: 1000, Scored: 1000,
		Counts:     counts(9900, 100, 100, 300, 1000, 300, 2000, 200, 3000, 100),
		Categories: []gate.Share{{Name: "high", From: 7500, Count: 100}, {Name: "low", From: 0, Count: 900}},
		Features:   []gate.Feature{{Name: "tenure", Nulls: 10, Rows: 1000}},
	}
}

// times gives a night of k times as many rows and users.
func times(k int64, n gate.Night) gate.Night {
	n.Read, n.Rejected, n.Duplicates, n.Scored = k*n.Read, k*n.Rejected, k*n.Duplicates, k*n.Scored
	n.Counts, n.Categories, n.Features = slices.Clone(n.Counts), slices.Clone(n.Categories), slices.Clone(n.Features)
	for i := range n.Counts {
		n.Counts[i] *= k
	}
	for i := range n.Categories {
		n.Categories[i].Count *= k
	}
	for i := range n.Features {
		n.Features[i].Nulls, n.Features[i].Rows = k*n.Features[i].Nulls, k*n.Features[i].Rows
	}
	return n
}

// many gives history of k times as many rows and users.
func many(k int64, past []gate.Night) []gate.Night {
	for i := range past {
		past[i] = times(k, past[i])
	}
	return past
}

// history gives n nights before tonight, newest first.
func history(n int) []gate.Night {
	var nights []gate.Night
	for i := range n {
		nights = append(nights, night(tonight.AddDays(-1-i)))
	}
	return nights
}

// judged gives the one result of a gate and whether there is one.
func judged(results []gate.Result, name string) (gate.Result, bool) {
	i := slices.IndexFunc(results, func(r gate.Result) bool { return r.Name == name })
	if i < 0 {
		return gate.Result{}, false
	}
	return results[i], true
}

func must(t *testing.T, results []gate.Result, name string) gate.Result {
	t.Helper()
	r, ok := judged(results, name)
	if !ok {
		t.Fatalf("no result of gate %s in %+v", name, results)
	}
	return r
}

func statuses(results []gate.Result) string {
	var all []string
	for _, r := range results {
		all = append(all, r.Name+"="+string(r.Status))
	}
	return strings.Join(all, " ")
}

func judge(n gate.Night, past []gate.Night) []gate.Result {
	return gate.Judge(n, past, gate.DefaultLimits(), nil)
}

func TestAnOrdinaryNightPasses(t *testing.T) {
	got := statuses(judge(night(tonight), history(7)))
	want := "rows=pass rejected=pass duplicates=pass category_shift=pass psi=pass constant=pass features=pass empty=pass stale=pass"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheFirstNightIsNotRefused(t *testing.T) {
	results := judge(night(tonight), nil)
	want := "rows=no-history rejected=pass duplicates=pass category_shift=no-history psi=no-history constant=pass features=no-history empty=pass stale=no-history"
	if got := statuses(results); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if refused := gate.Refused(results); len(refused) > 0 {
		t.Errorf("refused: %+v", refused)
	}
	for _, r := range results {
		if r.Status == gate.NoHistory && !strings.HasSuffix(r.Message, "; there is no earlier publication to compare with.") {
			t.Errorf("%s: %q", r.Name, r.Message)
		}
	}
}

func TestDefaultLimits(t *testing.T) {
	want := gate.Limits{
		Rows: gate.Ratio{Min: 0.5, Max: 2}, Rejected: 0.001, Duplicates: 0.001,
		CategoryShift: gate.Band{Warn: 0.2, Refuse: 0.5}, PSI: gate.Band{Warn: 0.1, Refuse: 0.25},
		Constant: 0.99, NullShift: 0.1, UnseenShare: 0.01,
	}
	if diff := cmp.Diff(want, gate.DefaultLimits()); diff != "" {
		t.Error(diff)
	}
}

func TestAcceptedGatesDoNotRefuse(t *testing.T) {
	n := night(tonight)
	n.Rejected, n.Duplicates, n.Read = 500, 500, 2000
	accept := map[string]string{"rejected": "known bad export", "rows": "not even refused"}
	results := gate.Judge(n, history(7), gate.DefaultLimits(), accept)
	if got := must(t, results, "rejected").Status; got != gate.Accepted {
		t.Errorf("rejected: %s", got)
	}
	if got := must(t, results, "rows").Status; got != gate.Pass {
		t.Errorf("rows: %s", got)
	}
	refused := gate.Refused(results)
	if len(refused) != 1 || refused[0].Name != "duplicates" {
		t.Errorf("refused: %+v", refused)
	}
}

func TestAcceptLeavesWarnings(t *testing.T) {
	n := night(tonight)
	n.Categories[0].Count, n.Categories[1].Count = 125, 875 // 12.5 % after 10 %: a change by 25 %
	accept := map[string]string{"category_shift": "campaign"}
	if got := must(t, gate.Judge(times(100, n), many(100, history(1)), gate.DefaultLimits(), accept), "category_shift").Status; got != gate.Warn {
		t.Errorf("got %s", got)
	}
}

func TestAnEmptyNightCanBeAccepted(t *testing.T) {
	n := gate.Night{Date: tonight, Counts: counts()}
	if got := statuses(gate.Refused(judge(n, history(7)))); got != "empty=refuse" {
		t.Errorf("refused: %s", got)
	}
	results := gate.Judge(n, history(7), gate.DefaultLimits(), map[string]string{"empty": "closed"})
	if refused := gate.Refused(results); len(refused) > 0 {
		t.Errorf("refused: %+v", refused)
	}
	if got := must(t, results, "empty").Status; got != gate.Accepted {
		t.Errorf("got %s", got)
	}
}

func TestCheckAccept(t *testing.T) {
	all := []string{"rows", "rejected", "duplicates", "category_shift", "psi", "constant", "features", "expect", "empty", "stale"}
	if err := gate.CheckAccept(all); err != nil {
		t.Error(err)
	}
	if err := gate.CheckAccept(nil); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"suppression", "suppress", "Rows", "", "rows,psi"} {
		err := gate.CheckAccept([]string{"rows", name})
		if err == nil || !strings.Contains(err.Error(), "category_shift, psi") {
			t.Errorf("%q: got %v, expected an error that lists the gates", name, err)
		}
	}
}

func TestResultsAsJSON(t *testing.T) {
	n := night(tonight)
	n.Rejected = 1
	got, err := json.Marshal(must(t, judge(n, nil), "rejected"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"rejected","value":0.001,"warn":null,"refuse":0.001,"status":"pass",` +
		`"message":"1 of 1,000 rows could not be scored: 0.1 %, at most 0.1 % is allowed."}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

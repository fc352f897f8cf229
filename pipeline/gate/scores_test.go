package gate_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/gate"
)

// split gives a night with so many users of 1,000 in category high from 75 on.
func split(high int64) gate.Night {
	n := night(tonight)
	n.Categories = []gate.Share{{Name: "high", From: 7500, Count: high}, {Name: "low", From: 0, Count: 1000 - high}}
	return n
}

func TestCategoryShift(t *testing.T) {
	for name, c := range map[string]struct {
		high   int64 // of 1,000; it was 100
		value  float64
		status gate.Status
	}{
		"none":            {100, 0, gate.Pass},
		"equal to warn":   {120, 0.2, gate.Pass},
		"just above warn": {121, 0.21, gate.Warn},
		"equal to refuse": {150, 0.5, gate.Warn},
		"above refuse":    {151, 0.51, gate.Refuse},
		"down to warn":    {80, 0.2, gate.Pass},
		"down to refuse":  {50, 0.5, gate.Warn},
		"below that":      {49, 0.51, gate.Refuse},
		"gone":            {0, 1, gate.Refuse},
	} {
		r := must(t, judge(times(100, split(c.high)), many(100, history(1))), "category_shift")
		if r.Status != c.status || r.Value != c.value || *r.Warn != 0.2 || *r.Refuse != 0.5 {
			t.Errorf("%s: got %+v, expected %+v", name, r, c)
		}
	}
}

func TestCategoryShiftTellsTheWorst(t *testing.T) {
	want := `Category "high" holds 15.1 % of the users, 10 % on 2026-11-21: a change by 51 %, warned above 20 % and refused above 50 %.`
	if got := must(t, judge(times(100, split(151)), many(100, history(1))), "category_shift").Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A new cut is no shift: yesterday's users are counted under tonight's cuts.
func TestCategoryShiftRecutsYesterday(t *testing.T) {
	yesterday := night(tonight.AddDays(-1))
	yesterday.Counts = counts(10000, 50, 9000, 50, 8999, 300, 0, 600)
	n := night(tonight)
	n.Categories = []gate.Share{
		{Name: "top", From: 10000, Count: 50}, {Name: "high", From: 9000, Count: 50},
		{Name: "medium", From: 8999, Count: 300}, {Name: "low", From: 0, Count: 600},
	}
	r := must(t, judge(n, []gate.Night{yesterday}), "category_shift")
	if r.Value != 0 || r.Status != gate.Pass {
		t.Errorf("got %+v, expected no shift", r)
	}
}

func TestCategoryShiftFromNothing(t *testing.T) {
	for name, c := range map[string]struct {
		top    int64
		value  float64
		status gate.Status
	}{
		"still empty": {0, 0, gate.Pass},
		"one user":    {1, 0, gate.Pass},
		"two users":   {2, 1, gate.Pass},
		"nineteen":    {19, 18, gate.Pass},
		"twenty":      {20, 19, gate.Refuse}, // z = sqrt(20) / sqrt(1 - 20/2000) = 4.49 above 4.42
		"many":        {500, 499, gate.Refuse},
	} {
		n := night(tonight) // nobody had a score of 99.50 or more
		n.Categories = []gate.Share{{Name: "top", From: 9950, Count: c.top}, {Name: "low", From: 0, Count: 1000}}
		n.Scored = 1000
		r := must(t, judge(n, history(1)), "category_shift")
		if r.Value != c.value || r.Status != c.status {
			t.Errorf("%s: got %+v, expected %+v", name, r, c)
		}
	}
}

// A cut by share can lie above the highest score; its category is empty.
func TestCategoryAboveTheHighestScore(t *testing.T) {
	n := night(tonight)
	n.Categories = []gate.Share{{Name: "top", From: 10001, Count: 0}, {Name: "low", From: 0, Count: 1000}}
	if r := must(t, judge(n, history(1)), "category_shift"); r.Value != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestComparedWithTheNewestNightThatHasScores(t *testing.T) {
	past := history(3)
	past[0].Counts, past[1].Counts = nil, counts() // one accepted as empty, one not known
	past[2].Features[0].Nulls = 900
	results := judge(night(tonight), past)
	for _, name := range []string{"category_shift", "psi"} {
		if r := must(t, results, name); r.Status != gate.Pass || r.Value != 0 {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	if r := must(t, results, "features"); r.Value != 0.89 {
		t.Errorf("features: got %+v, expected the night of %s", r, past[2].Date)
	}
}

// halves gives a night with a users in the lowest bucket and b in the highest.
func halves(a, b int64) gate.Night {
	n := gate.Night{Date: tonight, Read: a + b, Scored: a + b, Counts: counts(0, a, 10000, b)}
	return n
}

// Worked by hand: shares 0.5, 0.5 after 0.4, 0.6 give
// 0.1 ln(0.5/0.4) + (-0.1) ln(0.5/0.6) = 0.1 ln 1.5 = 0.0405465108108164.
func TestPSI(t *testing.T) {
	for name, c := range map[string]struct {
		now, before gate.Night
		want        float64
		status      gate.Status
	}{
		"unchanged":              {halves(4, 6), halves(400, 600), 0, gate.Pass},
		"a little":               {halves(50, 50), halves(40, 60), 0.0405465108108164, gate.Pass},
		"warned":                 {halves(60, 40), halves(40, 60), 0.2 * 2 * 0.405465108108164, gate.Warn},                     // 0.2 ln 1.5 twice
		"refused":                {halves(70, 30), halves(40, 60), 0.3*0.559615787935423 + 0.3*0.693147180559945, gate.Refuse}, // ln 1.75, ln 2
		"a bucket became empty":  {halves(100, 0), halves(90, 10), 0.1*0.105360515657826 + 0.0999*6.907755278982137, gate.Refuse},
		"below the least share":  {halves(99999, 1), halves(100000, 0), 0, gate.Pass},                         // but for 0.00001 in the lowest bucket
		"everybody moved across": {halves(10, 0), halves(0, 10), 2 * 0.9999 * 9.210340371976182, gate.Refuse}, // ln 10000
	} {
		r := must(t, judge(times(1000, c.now), []gate.Night{times(1000, c.before)}), "psi")
		if math.Abs(r.Value-c.want) > 1e-9 || r.Status != c.status || *r.Warn != 0.1 || *r.Refuse != 0.25 {
			t.Errorf("%s: got %+v, expected %v and %s", name, r, c.want, c.status)
		}
	}
}

func TestPSIMessage(t *testing.T) {
	before := halves(40, 60)
	before.Date = tonight.AddDays(-1)
	want := "The distribution of the scores moved by a population stability index of 0.0405 since 2026-11-21, warned above 0.1 and refused above 0.25."
	if got := must(t, judge(halves(50, 50), []gate.Night{before}), "psi").Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Scores move only between buckets of width 5, the last of which holds 100.
func TestPSIBuckets(t *testing.T) {
	one := gate.Night{Date: tonight, Read: 4, Scored: 4, Counts: counts(0, 1, 500, 1, 9499, 1, 9500, 1)}
	same := gate.Night{Date: tonight, Read: 4, Scored: 4, Counts: counts(499, 1, 999, 1, 9000, 1, 10000, 1)}
	if r := must(t, judge(one, []gate.Night{same}), "psi"); r.Value != 0 {
		t.Errorf("got %+v, expected the same buckets", r)
	}
}

func TestPSIIsSymmetricAndNotNegative(t *testing.T) {
	some := rapid.Custom(func(t *rapid.T) gate.Night {
		n := gate.Night{Date: tonight, Read: 1, Counts: counts(rapid.Int64Range(0, 10000).Draw(t, "score"), 1)}
		for range rapid.IntRange(0, 30).Draw(t, "scores") {
			n.Counts[rapid.IntRange(0, 10000).Draw(t, "score")] += rapid.Int64Range(0, 1e9).Draw(t, "count")
		}
		return n
	})
	value := func(now, before gate.Night) float64 {
		r, _ := judged(judge(now, []gate.Night{before}), "psi")
		return r.Value
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := some.Draw(t, "a"), some.Draw(t, "b")
		there, back := value(a, b), value(b, a)
		if math.Abs(there-back) > 1e-12*max(there, 1) || there < 0 || math.IsInf(there, 0) || value(a, a) != 0 {
			t.Fatalf("a to b %v, b to a %v, a to a %v", there, back, value(a, a))
		}
	})
}

func TestConstant(t *testing.T) {
	for name, c := range map[string]struct {
		counts []int64
		value  float64
		status gate.Status
	}{
		"equal to the limit": {counts(4200, 99, 1, 1), 0.99, gate.Pass},
		"above it":           {counts(4200, 991, 1, 9), 0.991, gate.Refuse},
		"all the same":       {counts(0, 10), 1, gate.Refuse},
		"all of few":         {counts(0, 9), 1, gate.Pass},
		"all different":      {counts(0, 1, 1, 1), 0.5, gate.Pass},
	} {
		n := night(tonight)
		n.Counts = c.counts
		if r := must(t, judge(n, nil), "constant"); r.Value != c.value || r.Status != c.status || *r.Refuse != 0.99 {
			t.Errorf("%s: got %+v, expected %v and %s", name, r, c.value, c.status)
		}
	}
	n := night(tonight)
	n.Counts = counts(4205, 991, 1, 9)
	want := "991 of 1,000 users have the score 42.05: 99.1 %, at most 99 % is allowed."
	if got := must(t, judge(n, nil), "constant").Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

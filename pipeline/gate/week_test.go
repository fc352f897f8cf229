package gate_test

import (
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/gate"
)

// weekly gives seven nights before tonight of which the oldest, a week ago, is as
// odd as tonight.
func weekly(odd func(*gate.Night)) (gate.Night, []gate.Night) {
	n, past := times(100, night(tonight)), many(100, history(7))
	odd(&n)
	odd(&past[6])
	return n, past
}

// What comes every week is no fault; what an operator let pass once is no example.
func TestTheSameDayOfTheWeekBeforeIsAnExcuse(t *testing.T) {
	for name, odd := range map[string]func(*gate.Night){
		"category_shift": func(n *gate.Night) {
			n.Counts = counts(9900, 20000, 100, 80000)
			n.Categories = []gate.Share{{Name: "high", From: 7500, Count: 20000}, {Name: "low", Count: 80000}}
		},
		"psi":      func(n *gate.Night) { n.Counts = counts(9900, 20000, 5000, 80000) },
		"features": func(n *gate.Night) { n.Features = []gate.Feature{{Name: "tenure", Nulls: 30000, Rows: 100000}} },
	} {
		n, past := weekly(odd)
		r := must(t, judge(n, past), name)
		if r.Status != gate.Pass || !strings.HasSuffix(r.Message, "; so it was on 2026-11-15, the same day of the week.") {
			t.Errorf("%s: got %+v", name, r)
		}
		past[6].Accepted = []string{"rows", name}
		if r := must(t, judge(n, past), name); r.Status != gate.Refuse {
			t.Errorf("%s, which was let pass: got %+v", name, r)
		}
		if r := must(t, judge(n, past[:6]), name); r.Status != gate.Refuse {
			t.Errorf("%s, without that night: got %+v", name, r)
		}
	}
}

// A night of another shape a week ago excuses nothing, nor does it with the baseline.
func TestAnotherShapeAWeekBeforeIsNoExcuse(t *testing.T) {
	n, past := weekly(func(n *gate.Night) { n.Counts = counts(9900, 20000, 5000, 80000) })
	pinned := times(100, night(on("2026-10-01")))
	n.Baseline = &pinned
	if r := must(t, judge(n, past), "psi"); r.Status != gate.Refuse || !strings.Contains(r.Message, "since the baseline 2026-10-01") {
		t.Errorf("got %+v", r)
	}
	n.Baseline, past[6].Counts = nil, counts(9900, 50000, 5000, 50000)
	if r := must(t, judge(n, past), "psi"); r.Status != gate.Refuse {
		t.Errorf("got %+v", r)
	}
}

// Twenty buckets of the same size, half of which lose a part x to the other half:
// the index is x/2 (ln(1+x) - ln(1-x)), 0.2747 for a half, and chance adds
// 19 (1/n + 1/n): 0.19 for nights of 200 users and 0.0475 for nights of 800.
func TestWhatChanceAddsDoesNotRefuse(t *testing.T) {
	spread := func(users, moved int64) gate.Night {
		n := gate.Night{Date: tonight, Read: 20 * users, Scored: 20 * users, Counts: counts()}
		for b := range int64(20) {
			n.Counts[b*500+1] = users + (2*(b%2)-1)*moved
		}
		return n
	}
	for name, c := range map[string]struct {
		users, moved int64
		status       gate.Status
		said         string
	}{
		"few users":                    {10, 5, gate.Pass, "; among so few users that can be chance."},
		"more, above what chance adds": {40, 20, gate.Warn, "refused above 0.25; without what chance adds among so few users it is 0.2272."},
		"more, far above it":           {40, 24, gate.Refuse, "index of 0.4159 since"},
	} {
		r := must(t, judge(spread(c.users, c.moved), []gate.Night{spread(c.users, 0)}), "psi")
		if r.Status != c.status || !strings.Contains(r.Message, c.said) {
			t.Errorf("%s: got %+v, expected %s: %s", name, r, c.status, c.said)
		}
	}
}

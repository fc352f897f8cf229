package gate_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/gate"
)

// Expected by hand and with exact binomial tails: of 500 rows at a rate of 0.1 %,
// three or more are bad on 1.4 % of nights, four or more on 0.17 %.
func TestFewBadRowsAreNoRefusal(t *testing.T) {
	for name, c := range map[string]struct {
		bad, read int64
		status    gate.Status
	}{
		"one of 500":           {1, 500, gate.Pass},
		"three of 500":         {3, 500, gate.Pass},
		"four of 500":          {4, 500, gate.Refuse},
		"one of two":           {1, 2, gate.Refuse},
		"one of fifteen":       {1, 15, gate.Pass},
		"two of fifteen":       {2, 15, gate.Refuse},
		"30 where 20 may be":   {30, 20000, gate.Pass},
		"31 are no few":        {31, 20000, gate.Refuse},
		"all of a small night": {3, 3, gate.Refuse},
	} {
		n := night(tonight)
		n.Read, n.Rejected = c.read, c.bad
		r := must(t, judge(n, nil), "rejected")
		if r.Status != c.status {
			t.Errorf("%s: got %+v, expected %s", name, r, c.status)
		}
		if said := strings.HasSuffix(r.Message, "; among so few users that can be chance."); said != (c.status == gate.Pass) {
			t.Errorf("%s: %s", name, r.Message)
		}
	}
}

// z = 4.29 for 165 of 1,000 after 100, 4.58 for 170.
func TestAShiftAmongFewUsersIsChance(t *testing.T) {
	for high, want := range map[int64]gate.Status{165: gate.Pass, 170: gate.Refuse} {
		if r := must(t, judge(split(high), history(1)), "category_shift"); r.Status != want {
			t.Errorf("%d: got %+v, expected %s", high, r, want)
		}
	}
}

// A category of many users tells more than one of few that changed by more.
func TestTheShiftThatIsNoChanceIsTold(t *testing.T) {
	yesterday := night(tonight.AddDays(-1))
	yesterday.Counts = counts(9900, 1, 8000, 1000, 0, 9000)
	n := night(tonight)
	n.Scored = 10001
	n.Categories = []gate.Share{{Name: "top", From: 9900, Count: 5}, {Name: "high", From: 7500, Count: 1600}, {Name: "low", Count: 8396}}
	if r := must(t, judge(n, []gate.Night{yesterday}), "category_shift"); r.Status != gate.Refuse || !strings.Contains(r.Message, `"high"`) {
		t.Errorf("got %+v", r)
	}
}

// z = 4.11 for 37 of 100 null after 12, 4.65 for 41.
func TestNullsOfFewRowsAreChance(t *testing.T) {
	past := history(1)
	for nulls, want := range map[int64]gate.Status{37: gate.Pass, 41: gate.Refuse} {
		past[0].Features = []gate.Feature{{Name: "age", Nulls: 12, Rows: 100}, {Name: "plan", Nulls: 100, Rows: 100}}
		n := night(tonight)
		n.Features = []gate.Feature{{Name: "plan", Nulls: 100, Rows: 100}, {Name: "age", Nulls: nulls, Rows: 100}}
		if r := must(t, judge(n, past), "features"); r.Status != want {
			t.Errorf("%d: got %+v, expected %s", nulls, r, want)
		}
	}
}

// With two buckets the index has one degree of freedom, whose quantile for one night
// in 100,000 is 19.51 (21.7 as approximated): 0.43 for two nights of 100 users.
func TestAnIndexOfFewUsersIsChance(t *testing.T) {
	for name, c := range map[string]struct {
		now    gate.Night
		status gate.Status
	}{
		"0.376": {halves(70, 30), gate.Pass},
		"0.462": {halves(73, 27), gate.Refuse},
	} {
		if r := must(t, judge(c.now, []gate.Night{halves(40, 60)}), "psi"); r.Status != c.status {
			t.Errorf("%s: got %+v, expected %s", name, r, c.status)
		}
	}
}

// Two nights of the same few users' scores, drawn anew: one in 100,000 may be refused.
// Twelve other scores than the night before are no chance.
func TestNightsOfAFewUsersAreNotRefused(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	drawn := func(users int64) gate.Night {
		n := gate.Night{Date: tonight, Read: users, Scored: users, Counts: make([]int64, 10001)}
		for range users {
			n.Counts[draw.IntN(10000)]++
		}
		return n
	}
	for _, users := range []int64{1, 3, 10, 30, 100, 300} {
		for range 300 {
			if r := must(t, judge(drawn(users), []gate.Night{drawn(users)}), "psi"); r.Status == gate.Refuse {
				t.Fatalf("%d users: %+v", users, r)
			}
		}
	}
	if r := must(t, judge(halves(12, 0), []gate.Night{halves(0, 12)}), "psi"); r.Status != gate.Refuse {
		t.Errorf("twelve other scores: %+v", r)
	}
}

func TestAFaultOfFiveHundredUsersIsRefused(t *testing.T) {
	usual := gate.Night{Date: tonight.AddDays(-1), Read: 500, Scored: 500,
		Counts:     counts(9000, 50, 6000, 100, 3000, 150, 1000, 200),
		Categories: []gate.Share{{Name: "high", From: 7500, Count: 50}, {Name: "low", Count: 450}},
		Features:   []gate.Feature{{Name: "tenure", Nulls: 5, Rows: 500}}}
	for name, c := range map[string]struct {
		change func(*gate.Night)
		gate   string
	}{
		"half the rows":    {func(n *gate.Night) { n.Read = 249 }, "rows"},
		"one score":        {func(n *gate.Night) { n.Counts = counts(5000, 500) }, "constant"},
		"inverted":         {func(n *gate.Night) { n.Counts = counts(1000, 50, 4000, 100, 7000, 150, 9000, 200) }, "psi"},
		"twice the high":   {func(n *gate.Night) { n.Categories[0].Count, n.Categories[1].Count = 110, 390 }, "category_shift"},
		"a feature is out": {func(n *gate.Night) { n.Features[0].Nulls = 500 }, "features"},
		"a fifth is null":  {func(n *gate.Night) { n.Features[0].Nulls = 100 }, "features"},
	} {
		n := usual
		n.Date, n.Categories = tonight, []gate.Share{usual.Categories[0], usual.Categories[1]}
		n.Features = []gate.Feature{usual.Features[0]}
		c.change(&n)
		if got := must(t, judge(n, []gate.Night{usual}), c.gate); got.Status != gate.Refuse {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

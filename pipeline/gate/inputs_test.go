package gate_test

import (
	"math"
	"slices"
	"testing"

	"github.com/churntier/churntier/pipeline/gate"
)

func TestFeatures(t *testing.T) {
	past := history(1)
	past[0].Features = []gate.Feature{{Name: "age", Nulls: 20, Rows: 100}, {Name: "plan", Nulls: 0, Rows: 1000}, {Name: "old", Nulls: 0, Rows: 9}}
	for name, c := range map[string]struct {
		features []gate.Feature
		value    float64
		status   gate.Status
	}{
		"unchanged":          {[]gate.Feature{{Name: "age", Nulls: 200, Rows: 1000}}, 0, gate.Pass},
		"equal to the limit": {[]gate.Feature{{Name: "age", Nulls: 300, Rows: 1000}}, 0.1, gate.Pass},
		"more nulls":         {[]gate.Feature{{Name: "age", Nulls: 301, Rows: 1000}}, 0.101, gate.Refuse},
		"fewer, equal":       {[]gate.Feature{{Name: "age", Nulls: 100, Rows: 1000}}, 0.1, gate.Pass},
		"fewer":              {[]gate.Feature{{Name: "age", Nulls: 99, Rows: 1000}}, 0.101, gate.Refuse},
		"the worst of two":   {[]gate.Feature{{Name: "age", Nulls: 210, Rows: 1000}, {Name: "plan", Nulls: 900, Rows: 1000}}, 0.9, gate.Refuse},
		"in another order":   {[]gate.Feature{{Name: "plan", Nulls: 900, Rows: 1000}, {Name: "age", Nulls: 210, Rows: 1000}}, 0.9, gate.Refuse},
		"a new one besides":  {[]gate.Feature{{Name: "new", Nulls: 1000, Rows: 1000}, {Name: "age", Nulls: 200, Rows: 1000}}, 0, gate.Pass},
		"only new ones":      {[]gate.Feature{{Name: "new", Nulls: 1000, Rows: 1000}}, 0, gate.NoHistory},
		"without rows":       {[]gate.Feature{{Name: "age", Nulls: 0, Rows: 0}}, 0, gate.NoHistory},
	} {
		n := night(tonight)
		n.Features = c.features
		if r := must(t, judge(times(100, n), many(100, slices.Clone(past))), "features"); r.Value != c.value || r.Status != c.status {
			t.Errorf("%s: got %+v, expected %+v", name, r, c)
		}
	}
	n := night(tonight)
	n.Features = nil
	if r, ok := judged(judge(n, past), "features"); ok {
		t.Errorf("without features: got %+v", r)
	}
}

func TestFeaturesMessage(t *testing.T) {
	n := night(tonight)
	n.Features[0].Nulls = 120
	n = times(10, n)
	want := `Feature "tenure" is null in 12 % of the rows, 1 % on 2026-11-21: a difference of 11 % of the rows, at most 10 % is allowed.`
	if got := must(t, judge(n, many(10, history(1))), "features").Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func bound(n int64) *int64 { return &n }

func TestExpect(t *testing.T) {
	between := gate.Expect{Min: bound(1000), Max: bound(200000)}
	for name, c := range map[string]struct {
		audiences []gate.Members
		value     float64
		status    gate.Status
		message   string
	}{
		"at the lower bound": {[]gate.Members{{"winback", 1000, between}}, 0, gate.Pass, "All audiences that expect a size have it: 1."},
		"at the upper bound": {[]gate.Members{{"winback", 200000, between}, {"any", 0, gate.Expect{}}}, 0, gate.Pass, "All audiences that expect a size have it: 1."},
		"too small":          {[]gate.Members{{"winback", 999, between}}, 1, gate.Refuse, `Audience "winback" has 999 members, expected are 1,000 to 200,000.`},
		"too large":          {[]gate.Members{{"winback", 200001, between}}, 1, gate.Refuse, `Audience "winback" has 200,001 members, expected are 1,000 to 200,000.`},
		"only a minimum":     {[]gate.Members{{"a", 4, gate.Expect{Min: bound(5)}}}, 1, gate.Refuse, `Audience "a" has 4 members, expected are at least 5.`},
		"only a maximum":     {[]gate.Members{{"a", 1, gate.Expect{Max: bound(0)}}}, 1, gate.Refuse, `Audience "a" has 1 members, expected are at most 0.`},
		"two": {
			[]gate.Members{{"a", 4, gate.Expect{Min: bound(5)}}, {"b", 9, gate.Expect{Min: bound(5)}}, {"c", 0, gate.Expect{Min: bound(5)}}},
			2, gate.Refuse, `Audience "a" has 4 members, expected are at least 5; audiences outside their bounds: 2.`,
		},
	} {
		n := night(tonight)
		n.Audiences = c.audiences
		if r := must(t, judge(n, nil), "expect"); r.Value != c.value || r.Status != c.status || r.Message != c.message {
			t.Errorf("%s: got %+v, expected %+v", name, r, c)
		}
	}
	n := night(tonight)
	n.Audiences = []gate.Members{{Name: "any"}}
	if r, ok := judged(judge(n, nil), "expect"); ok {
		t.Errorf("nothing was expected: got %+v", r)
	}
}

func TestStale(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*gate.Night)
		past    int
		value   float64
		status  gate.Status
		message string
	}{
		"of the day": {
			func(n *gate.Night) { n.AsOf, n.DataDate = "updated_at", tonight }, 0,
			0, gate.Pass, `The newest day in the data (column "updated_at") is 2026-11-22, expected is data of 2026-11-22.`,
		},
		"of yesterday": {
			func(n *gate.Night) { n.AsOf, n.DataDate = "updated_at", tonight.AddDays(-1) }, 7,
			1, gate.Refuse, `The newest day in the data (column "updated_at") is 2026-11-21, expected is data of 2026-11-22.`,
		},
		"of tomorrow, column not told": {
			func(n *gate.Night) { n.DataDate = tonight.AddDays(1) }, 7,
			1, gate.Refuse, `The newest day in the data is 2026-11-23, expected is data of 2026-11-22.`,
		},
		"without any day": {
			func(n *gate.Night) { n.AsOf = "updated_at" }, 7,
			0, gate.Refuse, `The data (column "updated_at") holds no day, expected is 2026-11-22.`,
		},
		"published for another date": {
			func(n *gate.Night) { n.AsOf, n.DataDate, n.InputsOf = "updated_at", tonight, tonight.AddDays(-3) }, 7,
			3, gate.Refuse, `The snapshot is the same, byte for byte, as that of 2026-11-19, expected is data of 2026-11-22.`,
		},
		"new": {
			func(*gate.Night) {}, 1,
			0, gate.Pass, `The snapshot differs from those published for earlier dates.`,
		},
		"first": {
			func(*gate.Night) {}, 0,
			0, gate.NoHistory, `No column dates the data; there is no earlier publication to compare with.`,
		},
	} {
		n := night(tonight)
		c.change(&n)
		r := must(t, judge(n, history(c.past)), "stale")
		if r.Value != c.value || r.Status != c.status || r.Message != c.message {
			t.Errorf("%s: got %+v, expected %+v", name, r, c)
		}
	}
}

func TestALimitThatIsNoNumberIsShownAsItIs(t *testing.T) {
	limits := gate.DefaultLimits()
	limits.Rejected = math.Inf(1)
	want := "0 of 1,000 rows could not be scored: 0 %, at most +Inf is allowed."
	if got := must(t, gate.Judge(night(tonight), nil, limits, nil), "rejected"); got.Message != want || got.Status != gate.Refuse {
		t.Errorf("got %+v", got)
	}
}

package gate_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/gate"
)

// nightsOf gives earlier nights, newest first, that read so many rows.
func nightsOf(read ...int64) []gate.Night {
	nights := history(len(read))
	for i, n := range read {
		nights[i].Read = n
	}
	return nights
}

func TestRows(t *testing.T) {
	for name, c := range map[string]struct {
		read   int64
		past   []gate.Night
		value  float64
		limit  float64 // 0: none
		status gate.Status
	}{
		"as usual":               {100, nightsOf(100), 1, 2, gate.Pass},
		"half":                   {50, nightsOf(100), 0.5, 0.5, gate.Pass},
		"below half":             {49, nightsOf(100), 0.49, 0.5, gate.Refuse},
		"double":                 {200, nightsOf(100), 2, 2, gate.Pass},
		"above double":           {201, nightsOf(100), 2.01, 2, gate.Refuse},
		"one odd night":          {100, nightsOf(1, 100, 100), 1, 2, gate.Pass},
		"mean of the middle two": {75, nightsOf(200, 1, 100, 900), 0.5, 0.5, gate.Pass},
		"less than that":         {74, nightsOf(200, 1, 100, 900), 74.0 / 150, 0.5, gate.Refuse},
		"half a row":             {5, nightsOf(3, 4), 5 / 3.5, 2, gate.Pass},
		"the eighth is not used": {100, nightsOf(100, 100, 100, 100, 1, 1, 1, 1), 1, 2, gate.Pass},
		"no history":             {100, nil, 0, 0, gate.NoHistory},
		"history of nothing":     {100, nightsOf(0), 0, 0, gate.NoHistory},
	} {
		t.Run(name, func(t *testing.T) {
			n := night(tonight)
			n.Read = c.read
			r := must(t, judge(n, c.past), "rows")
			if r.Status != c.status || r.Value != c.value || (r.Refuse == nil) != (c.limit == 0) || r.Refuse != nil && *r.Refuse != c.limit {
				t.Errorf("got %+v, expected %+v", r, c)
			}
		})
	}
}

func TestRowsTellsTheUsualFigure(t *testing.T) {
	n := night(tonight)
	n.Read = 4012
	want := "The snapshot has 4,012 rows, usually 10,000.5 (median of earlier publications: 2): 0.4012 times as many, allowed are 0.5 to 2 times."
	if got := must(t, judge(n, nightsOf(10001, 10000)), "rows").Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRowsLimitsThatDoNotHoldOne(t *testing.T) {
	limits := gate.DefaultLimits()
	for name, c := range map[string]struct {
		limits gate.Ratio
		limit  float64
		status gate.Status
	}{
		"must grow":        {gate.Ratio{Min: 1.2, Max: 3}, 1.2, gate.Refuse},
		"must shrink":      {gate.Ratio{Min: 0.1, Max: 0.5}, 0.5, gate.Refuse},
		"no number below":  {gate.Ratio{Min: math.NaN(), Max: 2}, math.NaN(), gate.Refuse},
		"endless":          {gate.Ratio{Min: 0, Max: math.Inf(1)}, math.Inf(1), gate.Refuse},
		"exactly the same": {gate.Ratio{Min: 1, Max: 1}, 1, gate.Pass},
	} {
		limits.Rows = c.limits
		r := must(t, gate.Judge(night(tonight), history(1), limits, nil), "rows")
		if r.Status != c.status || *r.Refuse != c.limit && !math.IsNaN(c.limit) {
			t.Errorf("%s: got %+v with limit %v", name, r, *r.Refuse)
		}
	}
}

func TestOrderOfHistoryDoesNotMatterForRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		read := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 7).Draw(t, "read")
		n := night(tonight)
		n.Read = rapid.Int64Range(1, 1e12).Draw(t, "tonight")
		one, _ := judged(judge(n, nightsOf(read...)), "rows")
		other, _ := judged(judge(n, nightsOf(rapid.Permutation(read).Draw(t, "order")...)), "rows")
		if one.Value != other.Value || one.Status != other.Status || one.Message != other.Message {
			t.Fatalf("%+v and %+v", one, other)
		}
	})
}

func TestPartsOfRows(t *testing.T) {
	for name, c := range map[string]struct {
		n, read int64
		limit   float64
		status  gate.Status
	}{
		"none":                              {0, 1000, 0.001, gate.Pass},
		"equal to the limit":                {1, 1000, 0.001, gate.Pass},
		"one in a million too many":         {1001, 1000000, 0.001, gate.Refuse},
		"one in 1e15 too many":              {1e12 + 1, 1e15, 0.001, gate.Refuse},
		"a limit whose double is too small": {3, 10, 0.3, gate.Pass},
		"a tenth":                           {1, 10, 0.1, gate.Pass},
		"a third, below":                    {1000, 3000, 0.33333333333333337, gate.Pass},
		"a third, above":                    {1000, 3000, 0.3333333333333333, gate.Refuse},
		"nothing allowed":                   {1, 1e15, 0, gate.Refuse},
		"nothing found":                     {0, 5, 0, gate.Pass},
		"all":                               {5, 5, 1, gate.Pass},
		"no limit at all":                   {0, 5, math.NaN(), gate.Refuse},
	} {
		t.Run(name, func(t *testing.T) {
			n := night(tonight)
			n.Read, n.Rejected, n.Duplicates = c.read, c.n, c.n
			limits := gate.DefaultLimits()
			limits.Rejected, limits.Duplicates = c.limit, c.limit
			results := gate.Judge(n, nil, limits, nil)
			for _, gateName := range []string{"rejected", "duplicates"} {
				if r := must(t, results, gateName); r.Status != c.status || r.Value != float64(c.n)/float64(c.read) {
					t.Errorf("%s: got %+v, expected %s", gateName, r, c.status)
				}
			}
		})
	}
}

// A share of more than a few rows is refused exactly when it exceeds the decimal
// number of its limit.
func TestSharesAreComparedExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		thousandths := rapid.Int64Range(0, 1000).Draw(t, "limit in thousandths")
		read := rapid.Int64Range(31, 1e9).Draw(t, "read")
		n := night(tonight)
		n.Read, n.Rejected = read, min(read, max(31, read*thousandths/1000+rapid.Int64Range(-2, 2).Draw(t, "off")))
		limits := gate.DefaultLimits()
		limits.Rejected = float64(thousandths) / 1000
		want := gate.Pass
		if new(big.Int).Mul(big.NewInt(n.Rejected), big.NewInt(1000)).Cmp(new(big.Int).Mul(big.NewInt(thousandths), big.NewInt(read))) > 0 {
			want = gate.Refuse
		}
		if r, _ := judged(gate.Judge(n, nil, limits, nil), "rejected"); r.Status != want {
			t.Fatalf("%d of %d under %d thousandths: %s, expected %s", n.Rejected, read, thousandths, r.Status, want)
		}
	})
}

func TestRowMessages(t *testing.T) {
	n := night(tonight)
	n.Read, n.Rejected, n.Duplicates = 1204881, 1205, 1
	results := judge(n, nil)
	for name, want := range map[string]string{
		"rejected":   "1,205 of 1,204,881 rows could not be scored: 0.1 %, at most 0.1 % is allowed.",
		"duplicates": "1 of 1,204,881 rows repeated the id of another: 0.0001 %, at most 0.1 % is allowed.",
		"rows":       "The snapshot has 1,204,881 rows; there is no earlier publication to compare with.",
		"empty":      "1,000 users were scored, at least 1 is expected.",
	} {
		if got := must(t, results, name).Message; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestEmpty(t *testing.T) {
	for name, c := range map[string]struct {
		read, scored int64
		status       gate.Status
		message      string
	}{
		"one user":        {1, 1, gate.Pass, "1 users were scored, at least 1 is expected."},
		"no rows":         {0, 0, gate.Refuse, "The snapshot has no rows, at least 1 is expected."},
		"nobody is left":  {1000, 0, gate.Refuse, "None of the 1,000 rows gave a scored user, at least 1 is expected."},
		"everybody is in": {1000, 1000, gate.Pass, "1,000 users were scored, at least 1 is expected."},
	} {
		n := gate.Night{Date: tonight, Read: c.read, Scored: c.scored}
		r := must(t, judge(n, nil), "empty")
		if r.Status != c.status || r.Message != c.message || r.Value != float64(c.scored) {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

// A night without rows is judged once, by empty.
func TestGatesThatHaveNothingToJudge(t *testing.T) {
	for name, c := range map[string]struct {
		night gate.Night
		want  string
	}{
		"no rows":       {gate.Night{Date: tonight}, "empty=refuse stale=pass"},
		"nobody scored": {gate.Night{Date: tonight, Read: 1000, Rejected: 1000, Counts: counts()}, "rows=pass rejected=refuse duplicates=pass empty=refuse stale=pass"},
		"one user":      {gate.Night{Date: tonight, Read: 500, Scored: 1, Counts: counts(5000, 1)}, "rows=pass rejected=pass duplicates=pass psi=pass empty=pass stale=pass"},
	} {
		if got := statuses(judge(c.night, history(7))); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
		}
	}
}

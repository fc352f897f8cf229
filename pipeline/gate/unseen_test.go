package gate_test

import (
	"testing"

	"github.com/churntier/churntier/pipeline/gate"
)

func unseen(name string, n, rows int64) gate.Feature {
	return gate.Feature{Name: name, Rows: rows, Unseen: bound(n)}
}

func partial(name string, n, rows int64) gate.Feature {
	f := unseen(name, n, rows)
	f.Partial = true
	return f
}

func TestUnseenCategories(t *testing.T) {
	plain := gate.Feature{Name: "age", Rows: 10000}
	for name, c := range map[string]struct {
		before, now []gate.Feature
		value       float64
		status      gate.Status
		message     string
	}{
		"equal to the limit": {nil, []gate.Feature{unseen("plan", 100, 10000)}, 0.01, gate.Pass,
			`Feature "plan" holds a category that the model does not know in 100 of 10,000 rows: 1 %, at most 1 % is allowed.`},
		"above it": {nil, []gate.Feature{plain, unseen("plan", 101, 10000)}, 0.0101, gate.Refuse,
			`Feature "plan" holds a category that the model does not know in 101 of 10,000 rows: 1.01 %, at most 1 % is allowed.`},
		"the worst of two": {nil, []gate.Feature{unseen("plan", 200, 10000), unseen("country", 300, 10000)}, 0.03, gate.Refuse,
			`Feature "country" holds a category that the model does not know in 300 of 10,000 rows: 3 %, at most 1 % is allowed.`},
		"few rows": {nil, []gate.Feature{unseen("plan", 1, 50)}, 0.02, gate.Pass,
			`Feature "plan" holds a category that the model does not know in 1 of 50 rows: 2 %, at most 1 % is allowed; among so few users that can be chance.`},
		"no rows": {nil, []gate.Feature{{Name: "plan", Unseen: bound(0)}}, 0, gate.NoHistory,
			"The nulls of the features are counted; there is no earlier publication to compare with."},
		"a dropped category on the first night": {nil, []gate.Feature{partial("plan", 5000, 10000)}, 0, gate.NoHistory,
			"The nulls of the features are counted; there is no earlier publication to compare with."},
		"a dropped category as ever": {[]gate.Feature{partial("plan", 5000, 10000)}, []gate.Feature{partial("plan", 5300, 10000)}, 0.03, gate.Pass,
			`Feature "plan" is of a category that the model file does not state in 53 % of the rows, 50 % on 2026-11-21: a difference of 3 % of the rows, at most 10 % is allowed.`},
		"a dropped category and a new one": {[]gate.Feature{partial("plan", 5000, 10000)}, []gate.Feature{partial("plan", 6400, 10000)}, 0.14, gate.Refuse,
			`Feature "plan" is of a category that the model file does not state in 64 % of the rows, 50 % on 2026-11-21: a difference of 14 % of the rows, at most 10 % is allowed.`},
		"no dropped category and a new one": {[]gate.Feature{partial("plan", 100, 10000)}, []gate.Feature{partial("plan", 200, 10000)}, 0.02, gate.Refuse,
			`Feature "plan" holds a category that the model does not know in 200 of 10,000 rows: 2 %, at most 1 % is allowed.`},
		"as ever": {[]gate.Feature{unseen("plan", 20, 10000)}, []gate.Feature{unseen("plan", 30, 10000)}, 0, gate.Pass,
			`Feature "plan" is null in 0 % of the rows, 0 % on 2026-11-21: a difference of 0 % of the rows, at most 10 % is allowed.`},
		"both faults": {[]gate.Feature{{Name: "age", Rows: 10000}},
			[]gate.Feature{{Name: "age", Nulls: 2000, Rows: 10000}, unseen("plan", 300, 10000)}, 0.2, gate.Refuse,
			`Feature "age" is null in 20 % of the rows, 0 % on 2026-11-21: a difference of 20 % of the rows, at most 10 % is allowed. ` +
				`Feature "plan" holds a category that the model does not know in 300 of 10,000 rows: 3 %, at most 1 % is allowed.`},
	} {
		var past []gate.Night
		if c.before != nil {
			past = history(1)
			past[0].Features = c.before
		}
		n := night(tonight)
		n.Features = c.now
		r := must(t, judge(n, past), "features")
		if r.Value != c.value || r.Status != c.status || r.Message != c.message {
			t.Errorf("%s: got %+v, expected %+v", name, r, c)
		}
	}
}

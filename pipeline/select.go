package pipeline

import (
	"context"
	"errors"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Selected is what a range of scores, both ends included, and a condition would
// take of the users of a night: those who could be in such an audience.
type Selected struct {
	Prediction string             `json:"prediction"`
	Date       date.Date          `json:"date"`
	Min        publish.Hundredths `json:"min"`
	Max        publish.Hundredths `json:"max"`
	Where      string             `json:"where,omitempty"`
	Scored     int64              `json:"scored"`
	Suppressed int64              `json:"suppressed"` // scored users that no audience takes
	Users      int64              `json:"users"`      // that are taken
	Buckets    [20]int64          `json:"distribution"`
	Taken      [20]int64          `json:"taken"`

	// Churners are the users taken who are expected to churn if scores are
	// probabilities, ChurnersAll those of all scored users. Nothing says here that
	// scores are calibrated.
	Churners    float64 `json:"expected_churners"`
	ChurnersAll float64 `json:"expected_churners_of_all"`
	Calibrated  bool    `json:"calibrated"`
}

// Select reads the snapshot of a night and counts whom a range and a condition
// would take. It writes nothing.
func Select(ctx context.Context, n Night, engine Engine, where string, low, high uint16) (_ *Selected, err error) {
	in, err := pin(ctx, &n)
	if err != nil {
		return nil, err
	}
	n.Mode, n.Verify = Live, snapshot.VerifyRead
	n.Rules.Exclusive, n.Rules.Holdout = nil, nil
	n.Rules.Audiences = []Audience{{Name: "selected", Range: [2]uint16{low, high}, Where: where}}
	r := &run{Night: n, inputs: in}
	if r.plan, err = newPlan(ctx, &n, in); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.plan.Close()) }()
	r.plan.counting = true
	found, err := r.findOut(ctx, engine)
	defer func() { err = errors.Join(err, found.Close()) }()
	if err != nil {
		return nil, err
	}
	found.Cuts = nil // count, and select nothing
	n.Progress.Stage("count", r.plan.Parts.Rows(), r.plan.Parts.Bytes())
	t, err := engine.Measure(ctx, r.plan, found)
	if err != nil {
		return nil, err
	}
	return &Selected{
		Prediction: n.Prediction, Date: n.Date, Where: where, Min: publish.Hundredths(low), Max: publish.Hundredths(high),
		Scored: t.Scored, Suppressed: t.Suppressed, Users: t.Chosen.Total(), Buckets: t.Counts.Buckets(), Taken: t.Chosen.Buckets(),
		Churners: expected(t.Chosen), ChurnersAll: expected(&t.Counts),
	}, nil
}

// expected sums the scores as probabilities.
func expected(c *distribution.Counts) float64 {
	sum := int64(0)
	for hundredths, n := range c {
		sum += int64(hundredths) * n
	}
	return float64(sum) / 10000
}

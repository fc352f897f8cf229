package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// runLatest runs the night n of the newest ready snapshot of a prediction that has
// a schedule. When a newer date is due, the outcome is snapshot.ErrNotReady: after
// the night was run, if it is due itself, or without an outcome. A night that was
// refused is not run again for this: it waits for a person, the newer date does not.
func runLatest(ctx context.Context, cfg *config.Config, n pipeline.Night, engine pipeline.Engine) (date.Date, *pipeline.Outcome, error) {
	ledger, err := publish.Open(ctx, n.Output, n.Prediction)
	if err != nil {
		return n.Date, nil, err
	}
	due, err := undecided(ctx, cfg, ledger, n.Started)
	if err != nil {
		return n.Date, nil, err
	}
	if len(due) == 0 || !due[len(due)-1].Date.After(n.Date) {
		out, err := pipeline.Run(ctx, n, engine)
		return n.Date, out, err
	}
	missing := missingSnapshot(cfg, due[len(due)-1], n.Date)
	refused, err := ledger.Refusals(ctx, n.Date)
	if err != nil {
		return n.Date, nil, err
	}
	isDue := slices.ContainsFunc(due, func(d Due) bool { return d.Date == n.Date })
	if n.Mode != pipeline.Live || !isDue || len(refused) > 0 {
		return due[len(due)-1].Date, nil, missing
	}
	out, err := pipeline.Run(ctx, n, engine)
	if err == nil {
		err = missing
	}
	return n.Date, out, err
}

// undecided gives the dates that are due at now and not decided, oldest first.
func undecided(ctx context.Context, cfg *config.Config, ledger *publish.Ledger, now time.Time) ([]Due, error) {
	var decided []date.Date
	for _, n := range nights(cfg, now) {
		log, err := ledger.Log(ctx, n.Date)
		if err != nil {
			return nil, err
		}
		if _, found := log.Effective(); found {
			decided = append(decided, n.Date)
		}
	}
	return slices.DeleteFunc(DueDates(cfg, now, decided), func(d Due) bool { return d.State == NotYet }), nil
}

func missingSnapshot(cfg *config.Config, due Due, newest date.Date) error {
	const minute = "2006-01-02 15:04 MST"
	since := "due since " + due.At.In(cfg.Timezone).Format(minute)
	if due.State == Late {
		since += " and late since " + due.LateAt.In(cfg.Timezone).Format(minute)
	}
	return fmt.Errorf("%w: that of %s is %s; the newest that is ready is of %s", snapshot.ErrNotReady, due.Date, since, newest)
}

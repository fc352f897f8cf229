package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/publish"
)

// Around is what the store says of an attempt besides what the attempt says itself.
type Around struct {
	Before     *publish.Published // the newest publication before that of the attempt, nil where there is none
	Evidence   *publish.Refusal   // of a refused attempt, nil where it left none
	Deliveries []PastDeliveries   // the two newest of each
	Notices    *Notices           // nil where the place is not that of the prediction
}

// LookAround asks the store about an attempt that ended. What could not be read is
// left out, and is part of the error.
func LookAround(ctx context.Context, cfg *config.Config, a Attempt) (Around, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return Around{}, err
	}
	around := Around{Notices: &Notices{ledger.Bucket().Sub(noticesFolder)}}
	var errs [3]error
	around.Before, errs[0] = before(ctx, ledger, a)
	if a.Status() == StatusRefused {
		around.Evidence, errs[1] = evidenceOf(ctx, ledger, a)
	}
	around.Deliveries, errs[2] = pastDeliveries(ctx, cfg, ledger, 2)
	return around, errors.Join(errs[:]...)
}

func before(ctx context.Context, ledger *publish.Ledger, a Attempt) (*publish.Published, error) {
	day := a.Date
	if a.Outcome == nil { // what is published may be of the date itself
		day = day.AddDays(1)
	}
	past, err := ledger.Past(ctx, day, 1)
	if err != nil || len(past) == 0 {
		return nil, err
	}
	return &past[0], nil
}

// evidenceOf gives what the attempt left under refusals/, and not one before it.
func evidenceOf(ctx context.Context, ledger *publish.Ledger, a Attempt) (*publish.Refusal, error) {
	all, err := ledger.Refusals(ctx, a.Date)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if run, unnamed := ulid.ParseStrict(all[0].Run); unnamed == nil && !run.Timestamp().Before(a.Started.Truncate(time.Millisecond)) {
		return &all[0], nil
	}
	return nil, nil
}

package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// Around is what the store says of an attempt besides what the attempt says itself.
type Around struct {
	Before     *publish.Published // the newest publication before that of the attempt, nil where there is none
	Evidence   *publish.Refusal   // of a refused date, nil where there is none
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
		around.Evidence, errs[1] = newestRefusal(ctx, ledger, a.Date)
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

func newestRefusal(ctx context.Context, ledger *publish.Ledger, d date.Date) (*publish.Refusal, error) {
	all, err := ledger.Refusals(ctx, d)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// IsLate says whether a night of the schedule is past its deadline at now.
func IsLate(cfg *config.Config, d date.Date, now time.Time) bool {
	return slices.ContainsFunc(nights(cfg, now), func(n Due) bool { return n.Date == d && n.State == Late })
}

// NewestDue gives the newest date whose night is due at now, decided or not; the zero
// date where there is none.
func NewestDue(cfg *config.Config, now time.Time) (newest date.Date) {
	for _, n := range nights(cfg, now) {
		if n.State != NotYet {
			newest = n.Date
		}
	}
	return newest
}

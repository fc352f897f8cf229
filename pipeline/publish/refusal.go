package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

const (
	refusalName  = "REFUSAL.json"
	refusalLimit = 1 << 20 // bytes
)

// Refusal is the evidence of a run that was not published because its inputs or
// its results were not good enough.
type Refusal struct {
	Format          int              `json:"format"` // set by Refuse
	Prediction      string           `json:"prediction"`
	Date            date.Date        `json:"date"`
	Run             string           `json:"run"`
	Kind            string           `json:"kind"`        // what refused it: gate or input
	Fingerprint     string           `json:"fingerprint"` // "" when the inputs could not be read
	Message         string           `json:"message"`
	Rows            *Rows            `json:"rows"` // nil when they were not counted
	RejectedReasons map[string]int64 `json:"rejected_reasons"`
	Gates           []Gate           `json:"gates"`
	Advice          string           `json:"advice"`   // what explains the refusal; "" where nothing is known to
	Rejected        []File           `json:"rejected"` // the rejected rows, if they were written
}

// Refuse keeps the evidence of a refused run under its RefusalPrefix.
func (l *Ledger) Refuse(ctx context.Context, r Refusal) error {
	r.Format = Format
	r.Gates, r.Rejected = orEmpty(r.Gates), orEmpty(r.Rejected)
	if r.RejectedReasons == nil {
		r.RejectedReasons = map[string]int64{}
	}
	data, err := encode(r)
	if err == nil {
		_, err = l.bucket.CreateBytes(ctx, RefusalPrefix(r.Date, r.Run)+"/"+refusalName, data)
	}
	if err != nil {
		return fmt.Errorf("keep the evidence of the refusal: %w", err)
	}
	return nil
}

// RefusedDates lists the dates with evidence of a refused run, ascending.
func (l *Ledger) RefusedDates(ctx context.Context) ([]date.Date, error) {
	return l.dates(ctx, refusalsFolder)
}

// Refusals reads the evidence of the refused runs of date d, newest first. Where it
// cannot be read as such, the refusal has no kind and says so in its message; a
// folder that is not named as a run, or holds no evidence, is passed over.
func (l *Ledger) Refusals(ctx context.Context, d date.Date) ([]Refusal, error) {
	runs, err := l.bucket.Folders(ctx, refusalsFolder+d.String()+"/")
	if err != nil {
		return nil, err
	}
	var all []Refusal
	for _, run := range slices.Backward(runs) {
		if !runName.MatchString(run) {
			continue
		}
		r, err := l.refusal(ctx, d, run)
		if errors.Is(err, objstore.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (l *Ledger) refusal(ctx context.Context, d date.Date, run string) (Refusal, error) {
	key := RefusalPrefix(d, run) + "/" + refusalName
	data, _, err := l.bucket.Read(ctx, key, refusalLimit)
	if err != nil && !errors.Is(err, objstore.ErrTooLarge) {
		return Refusal{}, err
	}
	var r Refusal
	if err == nil {
		err = decode(data, &r)
	}
	switch {
	case err != nil:
	case r.Format != Format:
		err = fmt.Errorf("it has format %d, expected %d", r.Format, Format)
	case r.Prediction != l.prediction || r.Date != d || r.Run != run:
		err = fmt.Errorf("it is of prediction %q, date %s, run %.26q", r.Prediction, r.Date, r.Run)
	}
	if err != nil {
		r = Refusal{Format: Format, Prediction: l.prediction, Date: d, Run: run}
		r.Message = fmt.Sprintf("the evidence %s cannot be read: %v", l.bucket.URL(key), err)
	}
	return r, nil
}

package publish

import (
	"context"
	"fmt"

	"github.com/churntier/churntier/pipeline/date"
)

const refusalName = "REFUSAL.json"

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

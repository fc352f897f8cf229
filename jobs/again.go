package jobs

import (
	"context"
	"slices"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// stillRefused says whether a run of the date was refused and another would have the
// same inputs. One whose inputs could not even be fixed is run again once they can.
func (k *keeper) stillRefused(ctx context.Context, ledger *publish.Ledger, d date.Date, t *trial) (bool, error) {
	evidence, err := ledger.Refusals(ctx, d)
	if err != nil {
		return false, err
	}
	known := slices.Clone(t.refused)
	for _, r := range evidence {
		if r.Kind != "" { // it could be read
			known = append(known, r.Fingerprint)
		}
	}
	if len(known) == 0 || t.anew {
		return false, nil
	}
	f, err := k.footprintOf(ctx, d, t)
	switch {
	case err == nil:
		return slices.Contains(known, f), nil
	case isContent(err):
		return slices.Contains(known, ""), nil
	}
	return false, err
}

// remember keeps as what a preview was refused.
func (k *keeper) remember(ctx context.Context, d date.Date, t *trial) {
	if k.cfg.Mode != config.ModePreview {
		return
	}
	f, err := k.footprintOf(ctx, d, t)
	if err == nil || isContent(err) {
		t.refused = append(t.refused, f)
	}
}

// footprintOf gives the fingerprint of a date now.
func (k *keeper) footprintOf(ctx context.Context, d date.Date, t *trial) (string, error) {
	n, err := k.night(ctx, d, silence{})
	if err != nil {
		return "", err
	}
	f, err := pipeline.FootprintOf(ctx, n, t.footprint)
	if err != nil {
		return "", err
	}
	t.footprint = f
	return f.Fingerprint, nil
}

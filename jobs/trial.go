package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// trial is what a keeper remembers of a date that is due.
type trial struct {
	pauses
	status  string // of the newest attempt; "" before the first
	late    bool   // that one came after the deadline
	decided bool
	anew    bool // the config changed since the date was tried

	refused   []string            // fingerprints that were refused, of a preview, which leaves no evidence
	footprint *pipeline.Footprint // the newest one that was taken
}

// orderly is how many tries of a night that fails hold back the dates after it.
const orderly = 5

// holds says whether the dates after this one have to wait for it.
func (t *trial) holds() bool { return t.status == StatusFailed && t.tries < orderly }

// late says whether the deadline of the date has passed.
func (d Due) late(now time.Time) bool { return !d.LateAt.IsZero() && !d.LateAt.After(now) }

// tend tries a date, if it is time to.
func (k *keeper) tend(ctx context.Context, ledger *publish.Ledger, d Due, t *trial) {
	now := k.Clock.Now()
	late := d.late(now)
	if now.Before(t.next) && t.late == late {
		return
	}
	k.begun = false
	refused, err := k.stillRefused(ctx, ledger, d.Date, t)
	if refused {
		t.status, t.late = StatusRefused, late
		t.again(now)
		return
	}
	a := Attempt{Prediction: k.cfg.Prediction, Date: d.Date, Started: now, Err: err, Late: late}
	if err == nil {
		a.Outcome, a.Err = k.run(ctx, d.Date)
	}
	ended := k.Clock.Now()
	a.Seconds = ended.Sub(now).Seconds()
	t.status, t.late, t.anew = a.Status(), late, false
	t.decided = a.Outcome != nil
	if errors.Is(a.Err, pipeline.ErrProjection) {
		k.shown = false
	}
	if t.status == StatusRefused {
		t.pauses = pauses{} // what comes now is another wait
		k.remember(ctx, d.Date, t)
	}
	t.again(ended)
	if k.missed(ctx, ledger, d, a) {
		k.told(ctx, a)
	}
}

// run runs a night. A snapshot that is not ready is found out before anything else is
// opened.
func (k *keeper) run(ctx context.Context, d date.Date) (*pipeline.Outcome, error) {
	source, err := sourceOf(ctx, k.cfg.Snapshot)
	if err != nil {
		return nil, err
	}
	_, _, err = source.Find(ctx, d)
	switch {
	case errors.Is(err, snapshot.ErrEmpty) && source.Ready == "":
		return nil, fmt.Errorf("%w: %v", snapshot.ErrNotReady, err) //nolint:errorlint // without a marker it is not there yet
	case errors.Is(err, snapshot.ErrNotReady):
		return nil, err
	}
	ctx, end, err := k.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var watch pipeline.Progress = silence{}
	if k.Watch != nil {
		watch = k.Watch(k.cfg, d)
	}
	n, err := k.night(ctx, d, watch)
	if err != nil {
		return nil, err
	}
	return pipeline.Run(ctx, n, k.Engine)
}

// begin waits until there is room for one more run or delivery.
func (k *keeper) begin(ctx context.Context) (context.Context, func(), error) {
	if err := k.slots.Acquire(ctx, 1); err != nil {
		return ctx, nil, err
	}
	k.begun = true
	if k.Timeout == 0 {
		return ctx, func() { k.slots.Release(1) }, nil
	}
	ctx, cancel := context.WithTimeout(ctx, k.Timeout)
	return ctx, func() { cancel(); k.slots.Release(1) }, nil
}

func (k *keeper) night(ctx context.Context, d date.Date, watch pipeline.Progress) (pipeline.Night, error) {
	n, err := openNight(ctx, k.cfg, Options{Temp: k.Temp, NewRun: k.NewRun, Started: k.Clock.Now(), Version: k.Version, Progress: watch})
	n.Date = d
	return n, err
}

// missed says whether anybody misses a date whose snapshot is not ready: nobody does
// where nothing was published before it and a newer date is due, as when a prediction
// is new and snapshots of the past are not there.
func (k *keeper) missed(ctx context.Context, ledger *publish.Ledger, d Due, a Attempt) bool {
	if status := a.Status(); status != StatusLate && status != StatusNotReady || d.Date == k.newest {
		return true
	}
	dates, err := ledger.Dates(ctx)
	return err != nil || len(dates) > 0 && dates[0].Before(d.Date)
}

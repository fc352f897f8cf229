package jobs

import (
	"context"
	"fmt"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// Reprocess says which dates a backfill runs besides those that nothing happened to.
type Reprocess string

// The values of Reprocess: no others; those that were refused; the published ones
// as well, where their inputs, their model or the config changed since.
const (
	ReprocessNone      Reprocess = "none"
	ReprocessFailed    Reprocess = "failed"
	ReprocessCompleted Reprocess = "completed"
)

// Action is what a backfill does about a date.
type Action string

// The actions. What an operator decided of a date, a backfill never changes.
const (
	DoPublish Action = "publish"
	DoAgain   Action = "publish if changed"
	DoSkip    Action = "skip"
	DoWait    Action = "not ready"
)

// Planned is what a backfill will do about one date, and why.
type Planned struct {
	Date   date.Date `json:"date"`
	Ready  bool      `json:"ready"`  // whether its snapshot is complete
	Status string    `json:"status"` // as in the history of Shown; "" when nothing happened to it
	Action Action    `json:"action"`

	refusal string // what the newest refused run says
}

// mostDates bounds a backfill, as a mistyped year would not.
const mostDates = 3660

// rangeOf gives the dates from one to another, both included, for which the
// schedule, if there is one, has a night, without the excluded ones.
func rangeOf(cfg *config.Config, o BackfillOptions) ([]date.Date, error) {
	from, to, err := endsOf(o)
	if err != nil {
		return nil, err
	}
	excluded := map[date.Date]bool{}
	for _, text := range o.Exclude {
		d, err := date.Parse(text)
		if err == nil && (d.Before(from) || d.After(to)) {
			err = fmt.Errorf("%s is not from %s to %s", d, from, to)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: --exclude: %w", ErrUsage, err)
		}
		excluded[d] = true
	}
	var dates []date.Date
	for d := from; !d.After(to); d = d.AddDays(1) {
		if !excluded[d] && hasNight(cfg, d) {
			dates = append(dates, d)
		}
	}
	return dates, nil
}

func endsOf(o BackfillOptions) (from, to date.Date, err error) {
	if from, err = date.Parse(o.From); err != nil {
		return from, to, fmt.Errorf("%w: --from: %w", ErrUsage, err)
	}
	if to, err = date.Parse(o.To); err != nil {
		return from, to, fmt.Errorf("%w: --to: %w", ErrUsage, err)
	}
	switch days := int(to.Days()) - int(from.Days()) + 1; {
	case days < 1:
		err = fmt.Errorf("%w: --from %s is after --to %s", ErrUsage, from, to)
	case days > mostDates:
		err = fmt.Errorf("%w: --from %s --to %s are %d dates, at most %d are run at once", ErrUsage, from, to, days, mostDates)
	}
	return from, to, err
}

// planOf looks at a date and writes nothing.
func (b *Backfill) planOf(ctx context.Context, d date.Date) (Planned, error) {
	p := Planned{Date: d}
	var err error
	if p.Ready, err = b.night.Snapshot.IsReady(ctx, d); err != nil {
		return p, err
	}
	log, err := b.ledger.Log(ctx, d)
	if err != nil {
		return p, err
	}
	if p.Status = statusOf(log); p.Status == "" {
		refusals, err := b.ledger.Refusals(ctx, d)
		if err != nil {
			return p, err
		}
		if len(refusals) > 0 {
			p.Status, p.refusal = isRefused, refusals[0].Message
		}
	}
	p.Action = p.action(b.options.Reprocess)
	return p, nil
}

// statusOf is "" where nothing is decided about a date.
func statusOf(log publish.Log) string {
	e, found := log.Effective()
	if !found {
		return ""
	}
	return map[publish.Kind]string{
		publish.Publication: isPublished, publish.Rollback: isRolledBack, publish.Withdrawal: isWithdrawn,
	}[e.Kind()]
}

func (p Planned) action(r Reprocess) Action {
	switch {
	case p.Status == isRolledBack, p.Status == isWithdrawn,
		p.Status == isPublished && r != ReprocessCompleted,
		p.Status == isRefused && r == ReprocessNone:
		return DoSkip
	case !p.Ready:
		return DoWait
	case p.Status == isPublished:
		return DoAgain
	}
	return DoPublish
}

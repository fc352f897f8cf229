package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/objstore/dry"
	"github.com/churntier/churntier/pipeline/publish"
)

// Operated is what an operator did to one date, and what latest/ shows since.
type Operated struct {
	Prediction string            `json:"prediction"`
	Date       date.Date         `json:"date"`
	Entry      publish.Entry     `json:"entry"`
	Latest     publish.Projected `json:"latest"`
}

// Rollback makes an older run of a date its publication again: that of entry to.
func Rollback(ctx context.Context, cfg *config.Config, day string, to int, reason string) (*Operated, error) {
	return operate(ctx, cfg, day, func(l *publish.Ledger, d date.Date) (publish.Entry, error) {
		return l.Rollback(ctx, d, to, reason)
	})
}

// Withdraw takes back what is published for a date.
func Withdraw(ctx context.Context, cfg *config.Config, day, reason string) (*Operated, error) {
	return operate(ctx, cfg, day, func(l *publish.Ledger, d date.Date) (publish.Entry, error) {
		return l.Withdraw(ctx, d, reason)
	})
}

func operate(ctx context.Context, cfg *config.Config, day string, add func(*publish.Ledger, date.Date) (publish.Entry, error)) (*Operated, error) {
	d, err := date.Parse(day)
	if err != nil {
		return nil, fmt.Errorf("%w: --date: %w", ErrUsage, err)
	}
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	e, err := add(ledger, d)
	if err != nil {
		return nil, err
	}
	shown, err := project(ctx, ledger)
	return &Operated{cfg.Prediction, d, e, shown}, err
}

// Repair makes latest/ show what the log says.
func Repair(ctx context.Context, cfg *config.Config) (publish.Projected, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return publish.Projected{}, err
	}
	return ledger.Project(ctx)
}

func project(ctx context.Context, ledger *publish.Ledger) (publish.Projected, error) {
	shown, err := ledger.Project(ctx)
	if err != nil {
		err = fmt.Errorf("%w: %w", pipeline.ErrProjection, err)
	}
	return shown, err
}

// Verify reads again what is committed for a date, or for "all" dates.
func Verify(ctx context.Context, cfg *config.Config, flag string, progress pipeline.Progress) (*pipeline.Verified, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	dates, err := ledger.Dates(ctx)
	if err != nil {
		return nil, err
	}
	if flag != "all" {
		d, err := publishedDate(ctx, ledger, flag)
		if err != nil {
			return nil, err
		}
		dates = slices.DeleteFunc(dates, func(logged date.Date) bool { return logged != d })
	}
	if len(dates) == 0 && (flag != "all" || ledger.CheckLatest(ctx) == nil) {
		return nil, nothingPublished(ledger, flag)
	}
	return pipeline.Verify(ctx, ledger, dates, progress)
}

// PruneOptions say what a clean-up may delete.
type PruneOptions struct {
	OlderThan time.Duration // of runs that were never published
	Now       time.Time
	Name      string // of its fences, never given twice
	DryRun    bool
}

// Pruned is what a clean-up deleted.
type Pruned struct {
	*publish.Pruned
	Deliveries []*delivery.Retired `json:"deliveries"`
}

// Prune deletes what nothing published or delivered needs.
func Prune(ctx context.Context, cfg *config.Config, o PruneOptions) (*Pruned, error) {
	if o.OlderThan < 0 {
		return nil, fmt.Errorf("%w: --older-than must not be negative", ErrUsage)
	}
	var wrap func(objstore.Driver) objstore.Driver
	if o.DryRun {
		wrap = func(d objstore.Driver) objstore.Driver { return dry.New(d) }
	}
	ledger, err := openLedger(ctx, cfg, wrap)
	if err != nil {
		return nil, err
	}
	keep := int(cfg.Publish.KeepDays)
	done, err := ledger.Prune(ctx, publish.Pruning{
		Name:    o.Name,
		Orphans: o.Now.Add(-o.OlderThan),
		Kept:    o.Now.AddDate(0, 0, -keep),
		Expire:  date.Of(o.Now.In(cfg.Timezone)).AddDays(-keep),
	})
	all := &Pruned{Pruned: done, Deliveries: []*delivery.Retired{}}
	if err == nil {
		all.Deliveries, err = retire(ctx, cfg, ledger, o.Now, wrap)
	}
	return all, err
}

// openLedger opens what a prediction has published.
func openLedger(ctx context.Context, cfg *config.Config, wrap func(objstore.Driver) objstore.Driver) (*publish.Ledger, error) {
	b, err := dial.Open(ctx, cfg.Publish.URL, dial.Options{Output: true, Wrap: wrap})
	if err != nil {
		return nil, fmt.Errorf("publish.url: %w", err)
	}
	return publish.Open(ctx, b, cfg.Prediction)
}

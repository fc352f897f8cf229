package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/publish"
)

// DeliverOptions are what a command line adds to a config for its deliveries.
type DeliverOptions struct {
	Now     time.Time
	NewRun  func() string
	Temp    string // an existing folder
	Memory  int64  // bytes
	Workers int    // pieces of work done at once
	Engine  pipeline.Engine
}

// ErrDelivery says that what is published did not reach every campaign tool. What
// did is in the logs of the deliveries; the next attempt goes on from there.
var ErrDelivery = errors.New("not delivered")

// Deliver sends what is due of the newest publication to every tool of the config,
// one after another. A tool that fails does not keep the others from theirs.
func Deliver(ctx context.Context, cfg *config.Config, o DeliverOptions) ([]*delivery.Outcome, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	why := &explainer{cfg: cfg, options: o, output: ledger.Bucket()}
	all := []*delivery.Outcome{}
	var errs []error
	for _, d := range cfg.Deliveries {
		job, err := newJob(ctx, cfg, d, ledger, o)
		job.Explain = why.explain
		var out *delivery.Outcome
		if err == nil {
			out, err = job.Deliver(ctx)
		}
		if out != nil {
			all = append(all, out)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, why.close())...); err != nil {
		return all, fmt.Errorf("%w: %w", ErrDelivery, err)
	}
	return all, nil
}

// Redeliver sends the newest delivery with this name once more.
func Redeliver(ctx context.Context, cfg *config.Config, name, day, reason string, o DeliverOptions) (*delivery.Outcome, error) {
	at := slices.IndexFunc(cfg.Deliveries, func(d config.Delivery) bool { return d.Name == name })
	if at < 0 {
		return nil, fmt.Errorf("%w: the config has no delivery %q", ErrUsage, name)
	}
	d, err := date.Parse(day)
	if err != nil {
		return nil, fmt.Errorf("%w: --date: %w", ErrUsage, err)
	}
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	job, err := newJob(ctx, cfg, cfg.Deliveries[at], ledger, o)
	if err != nil {
		return nil, err
	}
	return job.Redeliver(ctx, d, reason)
}

func newJob(ctx context.Context, cfg *config.Config, d config.Delivery, ledger *publish.Ledger, o DeliverOptions) (*delivery.Job, error) {
	out, err := deliveryOf(ctx, cfg, d)
	return &delivery.Job{Delivery: out, Ledger: ledger, Now: o.Now, By: o.NewRun(), Temp: o.Temp, Memory: o.Memory, Workers: o.Workers}, err
}

// retire deletes what is old of every delivery of the config.
func retire(ctx context.Context, cfg *config.Config, ledger *publish.Ledger, now time.Time, wrap func(objstore.Driver) objstore.Driver) ([]*delivery.Retired, error) {
	all := []*delivery.Retired{}
	for _, d := range cfg.Deliveries {
		to, err := dial.Open(ctx, d.To, dial.Options{Output: true, Wrap: wrap})
		if err != nil {
			return all, fmt.Errorf("deliveries: %s: to: %w", d.Name, err)
		}
		r, err := delivery.Open(ledger.Bucket(), d.Name).Retire(ctx, to, now.AddDate(0, 0, -int(d.KeepDays)))
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

func deliveryOf(ctx context.Context, cfg *config.Config, c config.Delivery) (delivery.Delivery, error) {
	to, _ := delivery.DestinationOf(c.Destination)
	d := delivery.Delivery{
		Name: c.Name, Destination: to, Formula: c.Formula, SendAbsent: c.SendAbsent,
		Changes: c.Send == config.SendChanges, FullEvery: int(c.FullEvery),
		Rules: delivery.Rules{MaxAge: c.MaxAge, Zone: cfg.Timezone},
	}
	for _, column := range c.Columns {
		d.Columns = append(d.Columns, delivery.Column(column))
	}
	if c.Window != nil {
		d.Rules.Window = &delivery.Window{From: c.Window.From, To: c.Window.To}
	}
	if c.Cadence != nil {
		d.Cadence = &delivery.Cadence{Days: int(c.Cadence.Days), Cooldown: int(c.Cadence.Cooldown), OnExit: delivery.Exit(c.Cadence.OnExit)}
	}
	audiences := audiencesOf(cfg)
	for _, name := range c.Audiences {
		at := slices.IndexFunc(audiences, func(a pipeline.Audience) bool { return a.Name == name })
		a, err := deliveredAudience(audiences[at], cfg)
		if err != nil {
			return d, err
		}
		d.Audiences = append(d.Audiences, a)
	}
	var err error
	if d.To, err = dial.Open(ctx, c.To, dial.Options{Output: true, Once: true}); err != nil {
		return d, fmt.Errorf("deliveries: %s: to: %w", c.Name, err)
	}
	return d, nil
}

// deliveredAudience says what a delivery has to know of an audience: the column of
// ids in its Parquet file, and what its members are selected by.
func deliveredAudience(a pipeline.Audience, cfg *config.Config) (delivery.Audience, error) {
	out := delivery.Audience{Name: a.Name, ID: cfg.Snapshot.ID, Keep: !a.SkipEmpty}
	for _, f := range a.Files {
		if f.Format != config.FormatParquet {
			continue
		}
		for _, c := range f.Columns {
			if c.From == cfg.Snapshot.ID && c.Hash == "" && c.Normalise == "" {
				out.ID = c.Name
			}
		}
	}
	rule, err := json.Marshal([]any{a.Category, a.Range, a.Where, cfg.Categories})
	out.Rule = strconv.FormatUint(xxh3.Hash(rule), 16)
	return out, err
}

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
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore/dial"
)

// DeliverOptions are what a command line adds to a config for its deliveries.
type DeliverOptions struct {
	Now    time.Time
	NewRun func() string
	Temp   string // an existing folder
	Memory int64  // bytes
}

// Deliver sends what is due of the newest publication to every tool of the config,
// one after another. A tool that fails does not keep the others from theirs.
func Deliver(ctx context.Context, cfg *config.Config, o DeliverOptions) ([]*delivery.Outcome, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	var all []*delivery.Outcome
	var errs []error
	for _, d := range cfg.Deliveries {
		job := delivery.Job{Ledger: ledger, Now: o.Now, By: o.NewRun(), Temp: o.Temp, Memory: o.Memory, Explain: unexplained}
		if job.Delivery, err = deliveryOf(ctx, cfg, d); err != nil {
			errs = append(errs, err)
			continue
		}
		out, err := job.Deliver(ctx)
		if out != nil {
			all = append(all, out)
		}
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

func unexplained(_ context.Context, leavers []delivery.Leaver) ([]delivery.Reason, error) {
	return make([]delivery.Reason, len(leavers)), nil
}

func deliveryOf(ctx context.Context, cfg *config.Config, c config.Delivery) (delivery.Delivery, error) {
	d := delivery.Delivery{
		Name: c.Name, Form: delivery.Form{Format: c.Destination, Formula: c.Formula},
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
	if d.To, err = dial.Open(ctx, c.To, dial.Options{Output: true}); err != nil {
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

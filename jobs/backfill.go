package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// BackfillOptions are what the command line adds to a config for many nights.
type BackfillOptions struct {
	Options            // Date, Started and Progress are those of each night
	From, To  string   // YYYY-MM-DD, both included
	Exclude   []string // dates between them
	Reprocess Reprocess
	Parallel  int // nights worked on side by side, at least 1
	Watch     func(date.Date) pipeline.Progress
}

// Backfill is many nights of one prediction. It has no state of its own: what is
// published is in the log, so that one which was interrupted goes on when it is
// planned again. It delivers nothing, whatever it publishes: tools receive the
// newest date, from whoever runs that night.
type Backfill struct {
	Plan     []Planned // oldest first
	Receipts []Attempt // of the dates that ended, oldest first

	options BackfillOptions
	night   pipeline.Night // of no date
	ledger  *publish.Ledger
	project func() error // makes latest/ show what was published before, once
}

// PlanBackfill looks what there is to do and writes nothing.
func PlanBackfill(ctx context.Context, cfg *config.Config, o BackfillOptions) (*Backfill, error) {
	dates, err := rangeOf(cfg, o)
	if err != nil {
		return nil, err
	}
	b := &Backfill{options: o}
	if cfg.Mode == config.ModeArchived {
		return b, nil
	}
	if b.night, err = openNight(ctx, cfg, o.Options); err != nil {
		return nil, err
	}
	if b.ledger, err = publish.Open(ctx, b.night.Output, cfg.Prediction); err != nil {
		return nil, err
	}
	for _, d := range dates {
		p, err := b.planOf(ctx, d)
		if err != nil {
			return nil, err
		}
		b.Plan = append(b.Plan, p)
	}
	return b, nil
}

// Left lists the dates that have no receipt, oldest first.
func (b *Backfill) Left() []date.Date {
	left := []date.Date{}
	for _, p := range b.Plan {
		if !slices.ContainsFunc(b.Receipts, func(r Attempt) bool { return r.Date == p.Date }) {
			left = append(left, p.Date)
		}
	}
	return left
}

// Run does what is planned and tells every receipt, oldest first. A date that fails
// does not stop the others, unless the store that is published to has failed for
// good or ctx ends; Left says what remains then.
//
// Nights side by side overlap in what no other date has a part in: they read, score
// and write shards. They are judged, sealed and committed one after another, the
// oldest first, so that the gates of each compare it with the same publications,
// and the same is published, as if they had run alone.
func (b *Backfill) Run(ctx context.Context, engine pipeline.Engine, tell func(Attempt)) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	b.project = sync.OnceValue(func() error {
		_, err := project(ctx, b.ledger)
		return err
	})
	var nights errgroup.Group
	nights.SetLimit(b.options.Parallel)
	turn := make(chan struct{})
	close(turn)
	for _, p := range b.Plan {
		earlier, ended := turn, make(chan struct{})
		nights.Go(func() error {
			defer close(ended)
			r := b.run(ctx, p, engine, earlier)
			<-earlier // receipts are in order
			if r.Status() != StatusInterrupted {
				b.Receipts = append(b.Receipts, r)
				tell(r)
			}
			if b.failsForGood(ctx, r.Err) {
				stop()
			}
			return nil // a receipt keeps its own error
		})
		turn = ended
	}
	_ = nights.Wait()
}

// run ends one date; earlier is closed once all dates before it have ended.
func (b *Backfill) run(ctx context.Context, p Planned, engine pipeline.Engine, earlier <-chan struct{}) Attempt {
	r := Attempt{Prediction: b.night.Prediction, Date: p.Date, Started: time.Now(), Err: ctx.Err()}
	if r.Err == nil {
		r.Outcome, r.Err = b.do(ctx, p, engine, earlier)
	}
	r.Seconds = time.Since(r.Started).Seconds()
	return r
}

func (b *Backfill) do(ctx context.Context, p Planned, engine pipeline.Engine, earlier <-chan struct{}) (*pipeline.Outcome, error) {
	switch p.Action {
	case DoSkip:
		return b.skip(ctx, p)
	case DoWait:
		return nil, fmt.Errorf("%w: that of %s", snapshot.ErrNotReady, p.Date)
	}
	n := b.night
	n.Date, n.Started, n.Progress = p.Date, time.Now(), b.options.Watch(p.Date)
	select {
	case <-earlier:
	default:
		n.Turn = func(ctx context.Context) error { return await(ctx, earlier) }
	}
	out, err := pipeline.Run(ctx, n, engine)
	if err == nil && out.Differs && p.Action == DoAgain {
		n.Force = true
		return pipeline.Run(ctx, n, engine)
	}
	return out, err
}

// await returns once a channel is closed or ctx ends, whose error it gives.
func await(ctx context.Context, closed <-chan struct{}) error {
	select {
	case <-closed:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// skip tells what is decided about a date. A refusal is told as what it is, so that
// a backfill ends alike whether it was interrupted or not; and what an interrupted
// one committed last is shown by latest/.
func (b *Backfill) skip(ctx context.Context, p Planned) (*pipeline.Outcome, error) {
	if p.Status == isRefused {
		return nil, fmt.Errorf("%w before (%s); --reprocess %s runs it again", pipeline.ErrRefused, p.refusal, ReprocessFailed)
	}
	there, _, err := b.ledger.Published(ctx, p.Date)
	if err != nil {
		return nil, err
	}
	out := &pipeline.Outcome{Status: pipeline.AlreadyPublished, Run: there.Run, Seq: there.Seq, Manifest: there.Manifest}
	if p.Status != isPublished {
		out.Message = p.Status + " by an operator; churntier run --force replaces it"
	}
	return out, b.project()
}

// failsForGood says whether an error means that no other date can be published
// either. Where rights are missing, the store that is published to is asked: they
// may be those of one date's snapshot.
func (b *Backfill) failsForGood(ctx context.Context, err error) bool {
	is := func(kind error) bool { return errors.Is(err, kind) }
	switch {
	case is(objstore.ErrNoSpace), is(syscall.ENOSPC), is(objstore.ErrNoBucket), is(objstore.ErrUnsafe), is(publish.ErrForeign):
		return true
	case is(objstore.ErrPermission), is(syscall.EACCES), is(syscall.EPERM):
		_, refused := publish.Probe(ctx, b.night.Output)
		return refused != nil
	}
	return false
}

// Package localrun runs the stages of a plan in this process: a few goroutines
// take splits from a queue. Every worker owns the split it works on, so there is
// no lock in a loop, and what a split writes does not depend on who worked on it.
package localrun

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Engine is the engine of one process.
type Engine struct {
	Workers int   // goroutines
	Memory  int64 // bytes of users' data that a step may keep in memory
}

// Name is that of the engine in manifests.
func (Engine) Name() string { return "local" }

// Identify answers a question about every row: every key's hash goes through a
// sieve; only rows whose hash is not alone are read again and compared.
func (e Engine) Identify(ctx context.Context, p *pipeline.Plan, q pipeline.Question) (*identity.Fates, error) {
	p.Progress.Stage(q.Title, p.Parts.Rows(), p.Parts.Bytes())
	readings, err := p.Readings(ctx, q)
	if err != nil {
		return nil, err
	}
	o := identity.Options{
		Rows: p.Parts.Rows(), Listed: q.Listed(), Memory: e.Memory, Temp: p.Temp,
		Policy: q.Policy, Workers: e.Workers,
	}
	suspects, err := e.sieve(ctx, p, readings, o)
	if err != nil || suspects.Count() == 0 {
		return identity.NoFates(), err
	}
	p.Progress.Stage("compare "+q.Keys(), 0, 0)
	judge, err := identity.NewJudge(o, suspects)
	if err != nil {
		return nil, err
	}
	err = e.eachReading(ctx, readings, func() collector { return judge.Collector() }, func(ctx context.Context, r pipeline.Reading, c collector) error {
		return p.JudgeSuspects(ctx, r, suspects, c.(*identity.JudgeCollector))
	})
	if err != nil {
		return nil, errors.Join(err, judge.Close())
	}
	return judge.Fates(ctx)
}

func (e Engine) sieve(ctx context.Context, p *pipeline.Plan, readings []pipeline.Reading, o identity.Options) (*identity.Suspects, error) {
	sieve, err := identity.NewSieve(o)
	if err != nil {
		return nil, err
	}
	err = e.eachReading(ctx, readings, func() collector { return sieve.Collector() }, func(ctx context.Context, r pipeline.Reading, c collector) error {
		return p.SieveKeys(ctx, r, c.(*identity.SieveCollector))
	})
	if err != nil {
		return nil, errors.Join(err, sieve.Close())
	}
	return sieve.Suspects(ctx)
}

// collector takes keys on behalf of one worker.
type collector interface{ Close() error }

func (e Engine) eachReading(ctx context.Context, readings []pipeline.Reading, collect func() collector, do func(context.Context, pipeline.Reading, collector) error) error {
	return each(ctx, e.Workers, readings, func(ctx context.Context, take func() (pipeline.Reading, bool)) (err error) {
		c := collect()
		defer func() { err = errors.Join(err, c.Close()) }()
		for r, ok := take(); ok; r, ok = take() {
			if err := do(ctx, r, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Measure counts the scores of all splits.
func (e Engine) Measure(ctx context.Context, p *pipeline.Plan, found *pipeline.Findings) (*pipeline.Tally, error) {
	if err := p.CheckLimits(e.Memory); err != nil {
		return nil, err
	}
	total := p.NewTally()
	var mu sync.Mutex
	err := each(ctx, e.Workers, p.Splits, func(ctx context.Context, take func() (snapshot.Split, bool)) error {
		for s, ok := take(); ok; s, ok = take() {
			t, err := p.MeasureSplit(ctx, s, found)
			if err != nil {
				return err
			}
			mu.Lock()
			total.Add(t)
			mu.Unlock()
		}
		return nil
	})
	return total, err
}

// Write writes the shards of all splits. Those of one go to the store while others are
// written, and those of the last while what was assumed is proved.
func (e Engine) Write(ctx context.Context, p *pipeline.Plan, found *pipeline.Findings) (pipeline.Written, error) {
	w := writing{plan: p, found: found, tally: p.NewTally(), shards: make([][]pipeline.Shard, len(p.Splits))}
	w.finishing, ctx = errgroup.WithContext(ctx)
	w.finishing.SetLimit(max(1, e.Workers))
	err := e.write(ctx, &w)
	if failed := w.finishing.Wait(); failed != nil {
		err = failed // which has ended the rest
	}
	return pipeline.Written{Tally: w.tally, Shards: slices.Concat(w.shards...)}, err
}

// write writes all splits, and proves what was assumed.
func (e Engine) write(ctx context.Context, w *writing) error {
	if !w.found.Assumed {
		return e.eachSplit(ctx, w, func() *identity.ProofCollector { return nil })
	}
	proof, err := identity.NewProof(identity.Options{
		Rows: w.plan.Parts.Rows(), Memory: e.Memory, Temp: w.plan.Temp, Workers: e.Workers,
	})
	if err != nil {
		return err
	}
	if err := e.eachSplit(ctx, w, proof.Collector); err != nil {
		return errors.Join(err, proof.Close())
	}
	holds, err := proof.Holds(ctx)
	if err == nil && !holds {
		err = pipeline.ErrShared
	}
	return err
}

func (e Engine) eachSplit(ctx context.Context, w *writing, prove func() *identity.ProofCollector) error {
	return each(ctx, e.Workers, w.plan.Splits, func(_ context.Context, take func() (snapshot.Split, bool)) (err error) {
		ids := prove()
		defer func() { err = errors.Join(err, ids.Close()) }()
		for s, ok := take(); ok; s, ok = take() {
			staged, err := w.plan.WriteSplit(ctx, s, w.found, ids)
			w.finishing.Go(func() error { return w.finish(s.Index, staged, err) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// writing is the splits that are written.
type writing struct {
	plan      *pipeline.Plan
	found     *pipeline.Findings
	finishing *errgroup.Group // of those whose shards go to the store; its context is that of the writing

	mu     sync.Mutex
	tally  *pipeline.Tally
	shards [][]pipeline.Shard // by split
}

// finish takes what was written of a split, or why it was not.
func (w *writing) finish(split int, staged *pipeline.Staged, err error) error {
	if err != nil {
		return err
	}
	written, err := staged.Finish()
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.Add(written.Tally)
	w.shards[split] = written.Shards
	return nil
}

// each lets workers take the items one by one, in order; the first error stops
// them all.
func each[T any](ctx context.Context, workers int, items []T, work func(ctx context.Context, take func() (T, bool)) error) error {
	queue := make(chan T, len(items))
	for _, item := range items {
		queue <- item
	}
	close(queue)
	g, gctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, len(items))) {
		g.Go(func() error {
			return work(gctx, func() (item T, ok bool) {
				if gctx.Err() != nil {
					return item, false
				}
				item, ok = <-queue
				return item, ok
			})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

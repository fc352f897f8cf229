package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// This file holds what every engine calls: one function a stage, each on one
// piece of work. They share nothing but the plan, which they do not change, so an
// engine may call them from as many goroutines or machines as it likes.

// Engine runs the stages of a plan over all its splits.
type Engine interface {
	// Name names the engine in the manifest.
	Name() string
	// Identify decides which rows are excluded or duplicates.
	Identify(ctx context.Context, p *Plan) (*identity.Fates, error)
	// Measure counts the scores without writing anything.
	Measure(ctx context.Context, p *Plan, fates *identity.Fates) (*Tally, error)
	// Write writes the shards of every split and gives them in order of split.
	Write(ctx context.Context, p *Plan, fates *identity.Fates, c distribution.Categories) (Written, error)
}

// Reading is one piece of the ids to read: a split of the snapshot or of a list.
type Reading struct {
	Listed bool
	Split  snapshot.Split

	files  *snapshot.Files
	column string
	base   int64 // row number of the files' first row
}

// Readings lists the pieces of the snapshot, then those of the exclude lists, whose
// rows are numbered after those of the snapshot.
func (p *Plan) Readings() []Reading {
	var all []Reading
	base := int64(0)
	add := func(f *snapshot.Files, column string, splits []snapshot.Split, listed bool) {
		for _, s := range splits {
			all = append(all, Reading{Listed: listed, Split: s, files: f, column: column, base: base})
		}
		base += f.Rows()
	}
	add(p.Parts, p.Rules.ID, p.Splits, false)
	for i, l := range p.Lists {
		add(l, p.Exclude[i].ID, snapshot.Cut(l.Parts, p.SplitRows), true)
	}
	return all
}

// SieveIDs passes the ids of one reading to the sieve.
func (p *Plan) SieveIDs(ctx context.Context, r Reading, c *identity.SieveCollector) error {
	var ids identity.IDs
	return eachBatch(ctx, r, []string{r.column}, func(b snapshot.Batch) error {
		if err := ids.Load(b.Record.Column(0)); err != nil {
			return err
		}
		if r.Listed {
			if err := checkListed(&ids, b, r.column); err != nil {
				return err
			}
		} else {
			p.Progress.Add(b.Record.NumRows())
		}
		return c.Add(&ids, r.base+b.First)
	})
}

// checkListed refuses a list with an id that can name nobody: a list of nulls
// would exclude no one without a word.
func checkListed(ids *identity.IDs, b snapshot.Batch, column string) error {
	for i := range ids.Len() {
		if reason := ids.Reason(i); reason != identity.Good {
			return fmt.Errorf("%w: file %s: row %d: column %q: %s; every row of a list must hold an id",
				ErrList, b.Part, b.PartRow+int64(i), column, reason)
		}
	}
	return nil
}

// JudgeSuspects reads one reading again, only if it holds suspects, and passes
// them to the judge with what the duplicates policy compares.
func (p *Plan) JudgeSuspects(ctx context.Context, r Reading, suspects *identity.Suspects, c *identity.JudgeCollector) error {
	if !suspects.Any(r.base+r.Split.First, r.Split.Rows) {
		return nil
	}
	columns := []string{r.column}
	if !r.Listed && p.Rules.Duplicates != identity.Reject {
		columns = p.Columns
	}
	w := witness{plan: p, reading: r, suspects: suspects, judge: c}
	return eachBatch(ctx, r, columns, w.testify)
}

func eachBatch(ctx context.Context, r Reading, columns []string, do func(snapshot.Batch) error) (err error) {
	split := r.files.Split(r.Split, columns)
	defer func() { err = errors.Join(err, split.Close()) }()
	for {
		b, err := split.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(b); err != nil {
			return err
		}
	}
}

// witness reports the suspects of one reading to the judge.
type witness struct {
	plan     *Plan
	reading  Reading
	suspects *identity.Suspects
	judge    *identity.JudgeCollector

	ids    identity.IDs
	hasher identity.Hasher
	order  []byte
}

func (w *witness) testify(b snapshot.Batch) error {
	if err := w.ids.Load(b.Record.Column(0)); err != nil {
		return err
	}
	first := w.reading.base + b.First
	end := first + b.Record.NumRows()
	for row := w.suspects.Next(first); row >= 0 && row < end; row = w.suspects.Next(row + 1) {
		if err := w.report(b, row, int(row-first)); err != nil {
			return err
		}
	}
	return nil
}

func (w *witness) report(b snapshot.Batch, row int64, i int) error {
	if w.reading.Listed {
		return w.judge.AddListed(row, w.ids.At(i))
	}
	var order []byte
	var content [16]byte
	if w.plan.Rules.Duplicates != identity.Reject {
		content = w.hasher.ContentHash(b.Record, i)
	}
	if w.plan.Rules.Duplicates == identity.KeepLatest {
		var err error
		by := b.Record.Column(w.plan.column(w.plan.Rules.OrderBy))
		if w.order, err = identity.AppendOrderKey(w.order[:0], by, i); err != nil {
			return fmt.Errorf("part %s: row %d: snapshot.order_by: %w", b.Part, b.PartRow+int64(i), err)
		}
		order = w.order
	}
	return w.judge.AddRow(row, w.ids.At(i), order, content)
}

// MeasureSplit counts the fates and scores of one split.
func (p *Plan) MeasureSplit(ctx context.Context, s snapshot.Split, fates *identity.Fates) (*Tally, error) {
	rows, err := p.newRows(s, fates, nil)
	if err != nil {
		return nil, err
	}
	for {
		if _, err := rows.next(ctx); errors.Is(err, io.EOF) {
			return rows.tally, rows.close()
		} else if err != nil {
			return nil, errors.Join(err, rows.close())
		}
	}
}

// Written is what one split wrote, or all of them.
type Written struct {
	Tally  *Tally
	Shards []Shard
}

// WriteSplit scores one split and writes its shards. On an error nothing of the
// open shards becomes visible.
func (p *Plan) WriteSplit(ctx context.Context, s snapshot.Split, fates *identity.Fates, c distribution.Categories) (_ Written, err error) {
	labels, err := score.NewLabels(c.Cuts())
	if err != nil {
		return Written{}, err
	}
	rows, err := p.newRows(s, fates, labels)
	if err != nil {
		return Written{}, err
	}
	shards := p.newShards(s.Index, c)
	defer func() {
		err = errors.Join(err, rows.close())
		if err != nil {
			shards.abort()
		}
	}()
	for {
		b, err := rows.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Written{}, err
		}
		if err := shards.write(ctx, b); err != nil {
			return Written{}, b.locate(err)
		}
	}
	done, err := shards.commit()
	return Written{Tally: rows.tally, Shards: done}, err
}

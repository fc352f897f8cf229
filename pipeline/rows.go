package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// judged is one batch with the fate of every row decided. It is overwritten by
// the next.
type judged struct {
	audience.Block
	part     string
	partRow  int64   // of the first row
	scored   []int32 // the scored rows, ascending
	rejected []audience.RejectedRow
}

// rows reads one split and decides every row's fate, the first that holds: bad id,
// excluded, duplicate, bad feature, bad score, scored.
type rows struct {
	plan   *Plan
	reader *snapshot.SplitReader
	bound  *score.Bound
	fates  *identity.Fates
	labels *score.Labels // nil when only counting
	tally  *Tally

	ids    identity.IDs
	found  []identity.Fate
	result score.Result
	out    judged
}

func (p *Plan) newRows(s snapshot.Split, fates *identity.Fates, labels *score.Labels) (*rows, error) {
	bound, err := p.Rules.Scorer.Bind(p.Parts.Schema(p.Columns...), p.Now())
	return &rows{
		plan: p, reader: p.Parts.Split(s, p.Columns), bound: bound, fates: fates,
		labels: labels, tally: NewTally(len(p.Inputs)),
	}, err
}

func (r *rows) close() error { return r.reader.Close() }

// next decides the rows of the next batch, or gives io.EOF.
func (r *rows) next(ctx context.Context) (*judged, error) {
	b, err := r.reader.Next(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.load(b); err != nil {
		return nil, err
	}
	r.decide(b)
	r.count(b)
	r.out.part, r.out.partRow = b.Part, b.PartRow
	r.out.Batch, r.out.Probability, r.out.Hundredths = b.Record, r.result.Probability, r.result.Hundredths
	r.out.Category = slices.Grow(r.out.Category[:0], len(r.out.Hundredths))[:len(r.out.Hundredths)]
	if r.labels != nil {
		r.labels.Apply(r.out.Category, r.out.Hundredths)
	}
	r.plan.Progress.Add(b.Record.NumRows())
	return &r.out, nil
}

// locate adds the part and its row to an error about a row of the batch.
func (b *judged) locate(err error) error {
	var at *audience.RowError
	if !errors.As(err, &at) {
		return err
	}
	return fmt.Errorf("part %s: row %d: %w", b.part, b.partRow+int64(at.Row), err)
}

func (r *rows) load(b snapshot.Batch) error {
	if err := r.ids.Load(b.Record.Column(0)); err != nil {
		return fmt.Errorf("part %s: column %q: %w", b.Part, r.plan.Rules.ID, err)
	}
	n := int(b.Record.NumRows())
	r.found = slices.Grow(r.found[:0], n)[:n]
	if _, err := r.fates.Fill(b.First, r.found); err != nil {
		return err
	}
	if err := r.bound.Score(b.Record, &r.result); err != nil {
		return fmt.Errorf("part %s: rows from %d: %w", b.Part, b.PartRow, err)
	}
	return nil
}

// decide sorts the rows into scored and rejected. A row with another fate than
// scored has no score afterwards.
func (r *rows) decide(b snapshot.Batch) {
	r.out.scored, r.out.rejected = r.out.scored[:0], r.out.rejected[:0]
	bad := r.result.Bad
	for i := range r.found {
		for len(bad) > 0 && bad[0].Row < i {
			bad = bad[1:]
		}
		switch fate := r.found[i]; {
		case r.ids.Reason(i) != identity.Good:
			r.tally.Rejected++
			r.reject(b, i, r.ids.Reason(i).String(), r.plan.Rules.ID)
		case fate == identity.Listed:
			r.tally.Excluded++
			r.result.Hundredths[i] = score.NoScore
		case fate.IsDuplicate():
			r.tally.Duplicates++
			r.reject(b, i, fate.String(), r.plan.Rules.ID)
		case r.result.Hundredths[i] == score.NoScore:
			r.tally.Rejected++
			r.reject(b, i, bad[0].Reason.String(), bad[0].Column)
		default:
			r.out.scored = append(r.out.scored, int32(i))
		}
	}
}

func (r *rows) reject(b snapshot.Batch, i int, reason, column string) {
	r.result.Hundredths[i] = score.NoScore
	r.tally.Reasons[reason]++
	row := audience.RejectedRow{Reason: reason, Column: column, File: b.Part, Row: b.PartRow + int64(i)}
	if r.ids.Reason(i) == identity.Good {
		row.ID, row.HasID = r.ids.At(i), true
	}
	if c := r.plan.column(column); c >= 0 {
		row.Value = audience.Describe(b.Record.Column(c), i)
	}
	r.out.rejected = append(r.out.rejected, row)
}

func (r *rows) count(b snapshot.Batch) {
	r.tally.Read += b.Record.NumRows()
	r.tally.Scored += int64(len(r.out.scored))
	r.tally.Counts.Add(r.result.Hundredths)
	for i, in := range r.result.Inputs {
		r.tally.Missing[i] += int64(in.Missing)
	}
	if c := r.plan.column(r.plan.Rules.AsOf); c >= 0 {
		if newest := snapshot.NewestDay(b.Record.Column(c), r.plan.Zone); newest.After(r.tally.Newest) {
			r.tally.Newest = newest
		}
	}
}

// column gives the place of a wanted column in every batch, or -1.
func (p *Plan) column(name string) int { return slices.Index(p.Columns, name) }

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/selection"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// judged is one batch with the fate of every row decided. It is overwritten by
// the next.
type judged struct {
	audience.Block
	part     string
	partRow  int64            // of the first row
	scored   []int32          // the scored rows, ascending
	arms     []selection.Arms // of each audience; nil when only counting
	rejected []audience.RejectedRow
}

// rows reads one split and decides every row's fate. Scored rows are selected into
// audiences, as far as the findings go.
type rows struct {
	plan     *Plan
	reader   *snapshot.SplitReader
	bound    *score.Bound
	eligible *filter.Evaluator // nil for all
	found    *Findings
	labels   *score.Labels // nil until the categories are cut
	segments *segmenter    // nil until then, and where there are no audiences
	tally    *Tally
	pending  []pending                // by audience; nil unless someone is asked for
	proof    *identity.ProofCollector // takes all ids; nil where nothing is to be proved

	ids    identity.IDs
	fates  []identity.Fate
	truth  []filter.Truth
	result score.Result
	out    judged
}

func (p *Plan) newRows(s snapshot.Split, found *Findings, proof *identity.ProofCollector) (*rows, error) {
	r := &rows{plan: p, found: found, tally: p.NewTally(), proof: proof}
	var err error
	if r.bound, err = p.Rules.Scorer.Bind(p.Parts.Schema(p.Columns...), p.Now()); err != nil {
		return nil, err
	}
	if p.eligible != nil {
		r.eligible = p.eligible.NewEvaluator()
	}
	if found.Categories != nil {
		if r.labels, err = score.NewLabels(found.Categories.Cuts()); err != nil {
			return nil, err
		}
		if p.Mode == Live {
			r.segments = p.newSegmenter(found)
		}
	}
	if p.asked != nil {
		r.pending = make([]pending, len(p.Rules.Audiences))
	}
	r.reader = p.Parts.Split(s, p.Columns)
	return r, nil
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
	r.find()
	if err := r.segment(b); err != nil {
		return nil, err
	}
	return &r.out, r.answer()
}

// segment selects the audiences, or finds only who could be within their limits.
func (r *rows) segment(b snapshot.Batch) (err error) {
	if r.segments == nil {
		return nil
	}
	if err := r.segments.load(b, &r.out, &r.ids); err != nil {
		return fmt.Errorf("part %s: %w", b.Part, err)
	}
	if r.found.Cuts == nil {
		return r.segments.measure(r.tally)
	}
	r.out.arms, err = r.segments.segment(r.tally)
	return err
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
	if r.proof != nil {
		if err := r.proof.Add(&r.ids); err != nil {
			return err
		}
	}
	n := int(b.Record.NumRows())
	r.fates = slices.Grow(r.fates[:0], n)[:n]
	if _, err := r.found.Fates.Fill(b.First, r.fates); err != nil {
		return err
	}
	if r.eligible != nil {
		r.truth = slices.Grow(r.truth[:0], n)[:n]
		if err := r.eligible.Truth(filter.Rows{Record: b.Record}, r.truth); err != nil {
			return fmt.Errorf("eligible: %w", err)
		}
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
	for i := range r.fates {
		for len(bad) > 0 && bad[0].Row < i {
			bad = bad[1:]
		}
		switch r.fate(i) {
		case Rejected:
			r.tally.Rejected++
			if reason := r.ids.Reason(i); reason != identity.Good {
				r.reject(b, i, reason.String(), r.plan.Rules.ID)
			} else {
				r.reject(b, i, bad[0].Reason.String(), bad[0].Column)
			}
		case Excluded:
			r.tally.Excluded++
			r.result.Hundredths[i] = score.NoScore
		case Duplicate:
			r.tally.Duplicates++
			r.reject(b, i, r.fates[i].String(), r.plan.Rules.ID)
		case Ineligible:
			r.tally.Ineligible++
			r.result.Hundredths[i] = score.NoScore
		default:
			r.out.scored = append(r.out.scored, int32(i))
		}
	}
}

// scored is the fate of a row that the audiences choose from.
const scored Why = ""

// fate decides row i, the first that holds: bad id, excluded, duplicate, ineligible,
// bad feature, bad score, scored.
func (r *rows) fate(i int) Why {
	switch fate := r.fates[i]; {
	case r.ids.Reason(i) != identity.Good:
		return Rejected
	case fate == identity.Listed:
		return Excluded
	case fate.IsDuplicate():
		return Duplicate
	case r.eligible != nil && r.truth[i] != filter.True:
		return Ineligible
	case r.result.Hundredths[i] == score.NoScore:
		return Rejected
	}
	return scored
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
		r.tally.Unseen[i] += int64(in.Unseen)
	}
	if c := r.plan.column(r.plan.Rules.AsOf); c >= 0 {
		if newest := snapshot.NewestDay(b.Record.Column(c), r.plan.Zone); newest.After(r.tally.Newest) {
			r.tally.Newest = newest
		}
	}
}

// column gives the place of a wanted column in every batch, or -1.
func (p *Plan) column(name string) int { return slices.Index(p.Columns, name) }

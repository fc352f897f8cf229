package score

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
)

// Bound is a scorer bound to a schema, with its working memory: one per worker,
// not safe for concurrent use.
type Bound struct {
	title   string // such as "model churn.json", for errors
	types   func(InputKind) accepted
	formula formula
	schema  *arrow.Schema
	at      []int // column of each input in schema
	batch   inputs
}

// formula turns the inputs of a batch into probabilities. It rejects a row by
// inputs.reject and writes NaN for it.
type formula interface {
	evaluate(in *inputs, probability []float64) error
}

func bind(title string, names []Input, types func(InputKind) accepted, f formula, schema *arrow.Schema) (*Bound, error) {
	b := &Bound{title: title, types: types, formula: f, batch: newInputs(names)}
	if err := b.follow(schema); err != nil {
		return nil, err
	}
	return b, nil
}

// follow looks the inputs up in a schema, unless it is the one last seen.
func (b *Bound) follow(schema *arrow.Schema) error {
	if schema == b.schema {
		return nil
	}
	at, err := locate(b.title, b.batch.names, b.types, schema)
	if err != nil {
		return err
	}
	b.schema, b.at = schema, at
	return nil
}

// Score gives every row of the batch its probability and score, or a reason why
// it has none. The batch may have another schema than the bound one (other
// positions, a dictionary in place of plain values); an input that is then
// missing or mistyped is a [*SchemaError]. Nothing of the batch is kept.
func (b *Bound) Score(batch arrow.RecordBatch, out *Result) error {
	if err := b.follow(batch.Schema()); err != nil {
		return err
	}
	for i, at := range b.at {
		b.batch.arrays[i] = batch.Column(at)
	}
	out.Probability = grow(out.Probability, int(batch.NumRows()))
	if err := b.probabilities(out.Probability); err != nil {
		return err
	}
	b.round(out)
	out.Inputs = append(out.Inputs[:0], b.batch.counts...)
	return nil
}

// probabilities evaluates the arrays that were put into b.batch and lets go of
// them. Rejected rows are NaN.
func (b *Bound) probabilities(p []float64) error {
	b.batch.reset(len(p))
	defer clear(b.batch.arrays)
	if len(p) == 0 {
		return nil
	}
	if err := b.formula.evaluate(&b.batch, p); err != nil {
		return fmt.Errorf("%s: %w", b.title, err)
	}
	return nil
}

// round fills the scores and lists the bad rows.
func (b *Bound) round(out *Result) {
	out.Hundredths = grow(out.Hundredths, len(out.Probability))
	out.Bad = out.Bad[:0]
	for row, p := range out.Probability {
		h := Hundredths(p)
		out.Hundredths[row] = h
		if h == NoScore {
			out.Bad = append(out.Bad, b.badRow(row, p))
			out.Probability[row] = math.NaN()
		}
	}
}

// badRow tells why the row has no score; p is its probability, NaN or outside [0, 1].
func (b *Bound) badRow(row int, p float64) BadRow {
	if fault := b.batch.faults[row]; fault.reason != Scored {
		return BadRow{row, fault.reason, b.batch.names[fault.input].Column}
	}
	if p != p {
		return BadRow{Row: row, Reason: ScoreNaN}
	}
	return BadRow{Row: row, Reason: ScoreOutOfRange}
}

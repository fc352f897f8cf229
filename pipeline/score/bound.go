package score

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/filter"
)

// Bound is a scorer bound to a schema, with its working memory: one per worker,
// not safe for concurrent use.
type Bound struct {
	title       string // such as "model churn.json", for errors
	formula     formula
	schema      *arrow.Schema
	at          []int               // column of each input in schema
	expressions []*filter.Evaluator // of each input that is one
	types       []arrow.DataType    // of each input's column or expression
	batch       inputs
}

// formula turns the inputs of a batch into probabilities. It rejects a row by
// inputs.reject and writes NaN for it.
type formula interface {
	evaluate(in *inputs, probability []float64) error
}

// Types gives the type of the column or the expression of every input.
func (b *Bound) Types() []arrow.DataType { return b.types }

// follow looks the columns up in a schema, unless it is the one last seen.
func (b *Bound) follow(schema *arrow.Schema) error {
	if schema == b.schema {
		return nil
	}
	at, problems := locate(b.batch.names, schema)
	if problems != nil {
		return &SchemaError{b.title, problems}
	}
	b.schema, b.at = schema, at
	return nil
}

// Score gives every row of the batch its probability and score, or a reason why
// it has none. The batch may have another schema than the bound one (other
// positions, a dictionary in place of plain values); an input that is then
// missing or mistyped is a [*SchemaError]. Nothing of the batch is kept.
func (b *Bound) Score(batch arrow.RecordBatch, out *Result) error {
	out.Probability = grow(out.Probability, int(batch.NumRows()))
	if err := b.probabilities(batch, out.Probability); err != nil {
		return err
	}
	b.round(out)
	out.Inputs = append(out.Inputs[:0], b.batch.counts...)
	return nil
}

// probabilities evaluates a batch. Rejected rows are NaN.
func (b *Bound) probabilities(batch arrow.RecordBatch, p []float64) error {
	if err := b.follow(batch.Schema()); err != nil {
		return err
	}
	b.batch.reset(len(p))
	if len(p) == 0 {
		return nil
	}
	defer b.letGo()
	if err := b.gather(batch); err != nil {
		return fmt.Errorf("%s: %w", b.title, err)
	}
	if err := b.formula.evaluate(&b.batch, p); err != nil {
		return fmt.Errorf("%s: %w", b.title, err)
	}
	return nil
}

// gather takes the columns of a batch and evaluates the expressions over it.
func (b *Bound) gather(batch arrow.RecordBatch) error {
	for i, at := range b.at {
		if e := b.expressions[i]; e != nil {
			a, err := e.Array(filter.Rows{Record: batch}, memory.DefaultAllocator)
			if err != nil {
				return fmt.Errorf("feature %q: %w", b.batch.names[i].Feature, err)
			}
			b.batch.arrays[i] = a
			continue
		}
		b.batch.arrays[i] = batch.Column(at)
	}
	return nil
}

// letGo frees the arrays of expressions and forgets those of the batch.
func (b *Bound) letGo() {
	for i, e := range b.expressions {
		if a := b.batch.arrays[i]; e != nil && a != nil {
			a.Release()
		}
	}
	clear(b.batch.arrays)
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
		return BadRow{row, fault.reason, b.batch.names[fault.input].blamed()}
	}
	if p != p {
		return BadRow{Row: row, Reason: ScoreNaN}
	}
	return BadRow{Row: row, Reason: ScoreOutOfRange}
}

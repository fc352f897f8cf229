package filter

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
)

// Rows is a batch of rows to evaluate.
type Rows struct {
	Record arrow.RecordBatch
	// Hundredths is the score of every row: 0 to 10000, any other means none.
	// It may be nil when the program does not read the score.
	Hundredths []uint16
	// Category is the category of every row by its code, 0xFF for none. It may be
	// nil when the program does not read the category.
	Category []uint8
}

// Evaluator evaluates a program, with its working memory: one per worker, not safe
// for concurrent use. The memory grows to what the longest batch needs.
type Evaluator struct {
	program *Program
	schema  *arrow.Schema
	at      []int // column of each reference in schema
	batch   batch
}

// NewEvaluator gives an evaluator of the program.
func (p *Program) NewEvaluator() *Evaluator {
	return &Evaluator{
		program: p,
		schema:  p.schema,
		at:      p.at,
		batch:   batch{columns: make([]arrow.Array, len(p.at))},
	}
}

var (
	errWrongResult = errors.New("the result of the expression is of another kind")
	errEvaluation  = errors.New("the expression was not evaluated")
)

// Truth writes the truth of every row to dst, which has their number. The result
// of the program must be a bool. Like every evaluation it is an error when the
// batch no longer has the columns: of the kind [ErrType]. The batch may have them
// at other positions, in other widths, or as dictionaries. Nothing of it is kept.
func (e *Evaluator) Truth(rows Rows, dst []Truth) error {
	if err := e.ready(rows, len(dst), WantBool); err != nil {
		return err
	}
	return e.run(func(b *batch) { e.program.result.truths(b, dst) })
}

// Float64s writes the number of every row to dst, which has their number: 0 and 1
// for false and true, NaN for unknown. The result must be a number or a bool.
func (e *Evaluator) Float64s(rows Rows, dst []float64) error {
	if err := e.ready(rows, len(dst), WantNumber); err != nil {
		return err
	}
	return e.run(func(b *batch) {
		if result := e.program.result; result.kind == Bool {
			truthsToDoubles(b, dst, result.truths)
		} else {
			v := result.asDoubles()(b)
			copy(dst, v.values)
			for i, u := range v.unknown {
				if u == Unknown {
					dst[i] = math.NaN()
				}
			}
			give(b, v)
		}
	})
}

func truthsToDoubles(b *batch, dst []float64, truths conditions) {
	found := b.truths.take(len(dst))
	truths(b, found)
	value := [...]float64{False: 0, Unknown: math.NaN(), True: 1}
	for i, t := range found {
		dst[i] = value[t&3]
	}
	b.truths.give(found)
}

// ready readies a batch of rows of which n results are wanted.
func (e *Evaluator) ready(rows Rows, n int, want Want) error {
	p, total := e.program, int(rows.Record.NumRows())
	switch {
	case !want.allows(p.Type()):
		return fmt.Errorf("%w: found %s, want %s", errWrongResult, p.Type(), want)
	case n != total:
		return fmt.Errorf("%d results are wanted of a batch of %d rows", n, total)
	case p.UsesScore() && len(rows.Hundredths) != total:
		return fmt.Errorf("%d scores for a batch of %d rows", len(rows.Hundredths), total)
	case p.UsesCategory() && len(rows.Category) != total:
		return fmt.Errorf("%d categories for a batch of %d rows", len(rows.Category), total)
	}
	if err := e.follow(rows.Record.Schema()); err != nil {
		return err
	}
	for i, at := range e.at {
		e.batch.columns[i] = rows.Record.Column(at)
	}
	e.batch.hundredths, e.batch.category = rows.Hundredths, rows.Category
	e.batch.begin(total)
	return nil
}

// follow looks the columns up in a schema, unless it is the one last seen.
func (e *Evaluator) follow(schema *arrow.Schema) error {
	if schema == e.schema {
		return nil
	}
	p := e.program
	found := &faults{text: p.expression.text}
	at, kinds := locate(p.expression.columns, schema, found)
	for i, k := range kinds {
		if k != p.kinds[i] && k != 0 {
			c := p.expression.columns[i]
			found.add(c.at, "column %q: found %s, want %s", c.name, schema.Field(at[i]).Type, p.kinds[i])
		}
	}
	if err := found.err(ErrType); err != nil {
		return err
	}
	e.schema, e.at = schema, at
	return nil
}

// run evaluates the batch that was readied and lets go of it.
func (e *Evaluator) run(evaluate func(*batch)) error {
	b := &e.batch
	defer b.end()
	if b.rows == 0 {
		return nil
	}
	err := guarded(errEvaluation, func() error {
		evaluate(b)
		return b.err
	})
	if err != nil {
		return fmt.Errorf("expression %q: %w", shortened(e.program.expression.text), err)
	}
	return nil
}

// shortened gives a text that fits into a line of a message.
func shortened(text string) string {
	if points := []rune(text); len(points) > maxExcerpt {
		return string(points[:maxExcerpt]) + "..."
	}
	return text
}

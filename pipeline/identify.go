package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// SieveKeys passes the keys of one reading to the sieve.
func (p *Plan) SieveKeys(ctx context.Context, r Reading, c *identity.SieveCollector) error {
	var ids identity.IDs
	return r.eachBatch(ctx, []string{r.source.Column}, func(b snapshot.Batch) error {
		if err := r.load(&ids, b); err != nil {
			return err
		}
		if !r.Listed {
			p.Progress.Add(b.Record.NumRows())
		}
		return c.Add(&ids, r.base+b.First)
	})
}

// load takes the keys of a batch, which are in its first column.
func (r Reading) load(ids *identity.IDs, b snapshot.Batch) error {
	load := ids.Load
	if r.question.Contact {
		load = ids.LoadContacts
	}
	if err := load(b.Record.Column(0)); err != nil || !r.Listed {
		return err
	}
	return r.checkListed(ids, b)
}

// checkListed refuses a list with an id that can name nobody: a list of nulls
// would exclude no one without a word. Of contacts, nulls and blanks are common
// and harmless; one that cannot be read may be anyone's.
func (r Reading) checkListed(ids *identity.IDs, b snapshot.Batch) error {
	for i := range ids.Len() {
		reason := ids.Reason(i)
		if reason == identity.Good || r.question.Contact && (reason == identity.Null || reason == identity.Empty) {
			continue
		}
		why := reason.String() + "; every row of a list must hold an id"
		if r.question.Contact {
			why = "a contact that is not UTF-8, has control characters or is longer than 1 KiB; whom it names is unknown"
		}
		return fmt.Errorf("%s %w: file %s: row %d: column %q: %s", r.source.Use, ErrList, b.Part, b.PartRow+int64(i), r.source.Column, why)
	}
	return nil
}

// JudgeSuspects reads one reading again, only if it holds suspects, and passes
// them to the judge with what the policy compares.
func (p *Plan) JudgeSuspects(ctx context.Context, r Reading, suspects *identity.Suspects, c *identity.JudgeCollector) error {
	if !suspects.Any(r.base+r.Split.First, r.Split.Rows) {
		return nil
	}
	columns := []string{r.source.Column}
	if !r.Listed && r.question.comparesRows() {
		columns = append(columns, slices.DeleteFunc(slices.Clone(p.Columns), func(c string) bool { return c == columns[0] })...)
	}
	w := witness{reading: r, suspects: suspects, judge: c, orderBy: slices.Index(columns, p.Rules.OrderBy)}
	return r.eachBatch(ctx, columns, w.testify)
}

func (r Reading) eachBatch(ctx context.Context, columns []string, do func(snapshot.Batch) error) (err error) {
	split := r.source.Files.Split(r.Split, columns)
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
	reading  Reading
	suspects *identity.Suspects
	judge    *identity.JudgeCollector
	orderBy  int // column of every batch

	ids    identity.IDs
	hasher identity.Hasher
	order  []byte
}

func (w *witness) testify(b snapshot.Batch) error {
	if err := w.reading.load(&w.ids, b); err != nil {
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
	if w.reading.question.comparesRows() {
		content = w.hasher.ContentHash(b.Record, i)
	}
	if w.reading.question.Policy == identity.KeepLatest {
		var err error
		if w.order, err = identity.AppendOrderKey(w.order[:0], b.Record.Column(w.orderBy), i); err != nil {
			return fmt.Errorf("part %s: row %d: snapshot.order_by: %w", b.Part, b.PartRow+int64(i), err)
		}
		order = w.order
	}
	return w.judge.AddRow(row, w.ids.At(i), order, content)
}

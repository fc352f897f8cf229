package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/selection"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Plan is the opened work of one night: which rows to read, how they are cut into
// splits, and what each split writes. Everything in it follows from the inputs,
// so every engine works by the same plan.
type Plan struct {
	Night
	Parts   *snapshot.Files
	Lists   []KeyList // in the order of Night.lists
	Splits  []snapshot.Split
	Columns []string      // the wanted columns, in the order of every batch
	Inputs  []score.Input // where the score takes its features from

	prefix   string          // folder of the run in the output bucket
	eligible *filter.Program // nil for all
	selects  selection.Rules
	counting bool   // whom the first audience takes is counted by score
	asked    *asked // who is looked for among the rows; nil for no one
	outputs  []output
}

// opener is snapshot.Open, or what opens parts in another way.
type opener func(context.Context, *snapshot.Pinned, snapshot.Verify, string, snapshot.Limits) (*snapshot.Files, error)

// newPlan opens the inputs, reads their footers and checks every wanted column
// before any row is read. Close the plan when the night is over.
func newPlan(ctx context.Context, n *Night, in *inputs) (*Plan, error) {
	return newPlanOf(ctx, n, in, snapshot.Open)
}

// newPlanOf is newPlan where the parts are opened by open.
func newPlanOf(ctx context.Context, n *Night, in *inputs, open opener) (_ *Plan, err error) {
	p := &Plan{Night: *n}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if p.Parts, err = open(ctx, in.parts, n.Verify, n.Temp, n.Limits); err != nil {
		return nil, err
	}
	if err = p.openLists(ctx, in.lists); err != nil {
		return nil, err
	}
	p.Splits = snapshot.Cut(p.Parts.Parts, p.SplitRows)
	return p, p.bind()
}

// bind fixes the wanted columns and returns every fault of the schema at once.
func (p *Plan) bind() error {
	p.Inputs = p.Rules.Scorer.Inputs(p.Parts.Schema())
	p.Columns = p.wanted()
	if err := errors.Join(p.bindScore(), p.bindFilters(), p.Parts.Check(p.rest()), p.checkTypes()); err != nil {
		return err
	}
	var err error
	p.outputs, err = p.layOut()
	return err
}

// bindScore tries the score on the schema, unless one of its inputs cannot be read
// at all, which Check reports.
func (p *Plan) bindScore() error {
	for _, c := range p.scoreColumns() {
		if _, readable := p.Parts.Type(c); !readable && p.Parts.Has(c) {
			return nil
		}
	}
	_, err := p.Rules.Scorer.Bind(p.Parts.Schema(), p.Now())
	return err
}

// scoreColumns lists the columns that the score reads.
func (p *Plan) scoreColumns() []string { return p.Rules.Scorer.Columns(p.Parts.Schema()) }

// wanted lists the columns that the night reads, the id first, each once.
func (p *Plan) wanted() []string {
	columns := []string{p.Rules.ID}
	add := func(names ...string) {
		for _, c := range names {
			if c != "" && !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	add(p.scoreColumns()...)
	add(p.Rules.OrderBy, p.Rules.AsOf, p.Rules.Contact)
	add(p.Rules.Passthrough...)
	add(p.filterColumns()...)
	for _, a := range p.Rules.Audiences {
		for _, f := range a.Files {
			for _, c := range f.Columns {
				add(p.sourceColumns(c)...)
			}
		}
	}
	return columns
}

// rest lists the wanted columns whose absence neither the score nor a filter
// reports: all but theirs that the first part lacks altogether.
func (p *Plan) rest() []string {
	reported := append(p.scoreColumns(), p.filterColumns()...)
	return slices.DeleteFunc(slices.Clone(p.Columns), func(c string) bool {
		return !p.Parts.Has(c) && slices.Contains(reported, c)
	})
}

// checkTypes checks the columns that have a meaning of their own; a missing one
// is reported elsewhere.
func (p *Plan) checkTypes() error {
	var errs []error
	fault := func(column string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: column %q: %w", snapshot.ErrSchema, column, err))
		}
	}
	if t, ok := p.Parts.Type(p.Rules.ID); ok {
		fault(p.Rules.ID, identity.CheckType(t))
	}
	if t, ok := p.Parts.Type(p.Rules.Contact); ok {
		fault(p.Rules.Contact, identity.CheckType(t))
	}
	if t, ok := p.Parts.Type(p.Rules.OrderBy); ok {
		fault(p.Rules.OrderBy, identity.CheckOrderType(t))
	}
	if t, ok := p.Parts.Type(p.Rules.AsOf); ok {
		fault(p.Rules.AsOf, snapshot.CheckDay(t))
	}
	return errors.Join(errs...)
}

func (p *Plan) openLists(ctx context.Context, pinned []*snapshot.Pinned) error {
	for i, l := range p.lists() {
		f, err := snapshot.Open(ctx, pinned[i], p.Verify, p.Temp, p.Limits)
		if err != nil {
			return fmt.Errorf("%s list %s: %w", l.use, l.URL, err)
		}
		list := KeyList{Use: l.use, URL: l.URL, Column: l.column(), Contact: l.Contact != "", Files: f}
		p.Lists = append(p.Lists, list)
		column := p.Rules.ID
		if list.Contact {
			column = p.Rules.Contact
		}
		if err := p.checkList(list, column); err != nil {
			return err
		}
	}
	return nil
}

// checkList refuses a list whose keys are of another type than those in a column of
// the snapshot: text and numbers that look alike are different users in many
// warehouses.
func (p *Plan) checkList(l KeyList, column string) error {
	if err := l.Files.Check([]string{l.Column}); err != nil {
		return fmt.Errorf("%s %w %s: %w", l.Use, ErrList, l.URL, err)
	}
	listed, _ := l.Files.Type(l.Column)
	keys, ok := p.Parts.Type(column)
	if !ok {
		return nil // reported with the other faults of the snapshot
	}
	if err := identity.CheckType(listed); err != nil {
		return fmt.Errorf("%s %w %s: column %q: %w", l.Use, ErrList, l.URL, l.Column, err)
	}
	if !snapshot.SameKind(listed, keys) {
		return fmt.Errorf("%s %w %s: column %q is %s and the snapshot's %q is %s; write the list with the type of the snapshot",
			l.Use, ErrList, l.URL, l.Column, listed, column, keys)
	}
	return nil
}

// Close frees the parts and the lists.
func (p *Plan) Close() error {
	var errs []error
	if p.Parts != nil {
		errs = append(errs, p.Parts.Close())
	}
	for _, l := range p.Lists {
		errs = append(errs, l.Files.Close())
	}
	return errors.Join(errs...)
}

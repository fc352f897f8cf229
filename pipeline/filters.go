package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/selection"
)

// expression is one filter of a prediction with its place in the config.
type expression struct {
	place, text string
	builtIns    bool // score and category are known
}

// expressions lists all filters: eligible, suppress and the where of audiences.
func (p *Plan) expressions() []expression {
	var all []expression
	if p.Rules.Eligible != "" {
		all = append(all, expression{"eligible", p.Rules.Eligible, false})
	}
	for i, text := range p.Rules.Suppress {
		all = append(all, expression{fmt.Sprintf("suppress: condition %d", i+1), text, true})
	}
	for _, a := range p.Rules.Audiences {
		if a.Where != "" {
			all = append(all, expression{"audience " + a.Name + ": where", a.Where, true})
		}
	}
	return all
}

// filterColumns lists the columns that the filters read.
func (p *Plan) filterColumns() []string {
	var columns []string
	for _, e := range p.expressions() {
		if x, err := filter.Parse(e.text); err == nil {
			columns = append(columns, x.Columns()...)
		}
	}
	return columns
}

// bindFilters binds every filter to the schema and returns the faults of all.
func (p *Plan) bindFilters() error {
	var errs []error
	programs := map[string]*filter.Program{}
	for _, e := range p.expressions() {
		program, err := p.program(e.text, filter.WantBool, e.builtIns)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.place, err))
		}
		programs[e.place] = program
	}
	p.eligible = programs["eligible"]
	p.selects = selection.Rules{Prediction: p.Prediction}
	for i := range p.Rules.Suppress {
		p.selects.Suppress = append(p.selects.Suppress, programs[fmt.Sprintf("suppress: condition %d", i+1)])
	}
	names := categoryNames(p.Rules.Categories)
	for _, a := range p.Rules.Audiences {
		rule := selection.Audience{
			ByCategory: a.Category != "", Category: uint8(max(slices.Index(names, a.Category), 0)), Range: a.Range,
			Where: programs["audience "+a.Name+": where"],
		}
		if a.Limit < p.Parts.Rows() { // else it keeps everyone
			rule.Limit = a.Limit
		}
		p.selects.Audiences = append(p.selects.Audiences, rule)
	}
	for _, name := range p.Rules.Exclusive {
		p.selects.Exclusive = append(p.selects.Exclusive, slices.IndexFunc(p.Rules.Audiences, func(a Audience) bool { return a.Name == name }))
	}
	if h := p.Rules.Holdout; h != nil {
		p.selects.Holdout = &selection.Holdout{Share: h.Share, Salt: h.Salt}
	}
	return errors.Join(errs...)
}

// program binds one expression to the snapshot.
func (p *Plan) program(text string, want filter.Want, builtIns bool) (*filter.Program, error) {
	x, err := filter.Parse(text)
	if err != nil {
		return nil, err
	}
	return x.Bind(p.Parts.Schema(), filter.Options{
		Want: want, Now: p.Now(), BuiltIns: builtIns, Categories: categoryNames(p.Rules.Categories),
	})
}

// sourceColumns lists the snapshot columns that a column of a file is made of.
func (p *Plan) sourceColumns(c Column) []string {
	if isWord(c.From) {
		return nil
	}
	column, x := filter.Resolve(c.From, p.Parts.Schema())
	if x != nil {
		return x.Columns()
	}
	return []string{column}
}

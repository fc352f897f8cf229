package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Checked is what a night would read.
type Checked struct {
	Prediction string        `json:"prediction"`
	Date       date.Date     `json:"date"`
	Rows       int64         `json:"rows"`
	Parts      int           `json:"parts"`
	Splits     int           `json:"splits"`
	Model      string        `json:"model,omitempty"` // in a few words
	Features   []FeatureUsed `json:"features,omitempty"`
	Columns    []ColumnUsed  `json:"columns"`
	Probed     string        `json:"probed,omitempty"` // what the store refuses where it must: "create", "create and replace"
}

// FeatureUsed is one feature of the model and where its values come from.
type FeatureUsed struct {
	Feature   string   `json:"feature"`
	Source    string   `json:"source"`     // a column, "column is value" or an expression
	Type      string   `json:"type"`       // of the source
	NullShare *float64 `json:"null_share"` // of its column in the snapshot; nil where that is not known
}

// ColumnUsed is one wanted column of the snapshot.
type ColumnUsed struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Use  string `json:"use"`
}

// Check opens the inputs of a night, reading footers only, and checks every wanted
// column as a run would.
func Check(ctx context.Context, n Night) (_ *Checked, err error) {
	if _, err := publish.Open(ctx, n.Output, n.Prediction); err != nil {
		return nil, err
	}
	in, err := pin(ctx, &n)
	if err != nil {
		return nil, err
	}
	n.Verify = snapshot.VerifyRead
	p, err := newPlan(ctx, &n, in)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c := &Checked{Prediction: n.Prediction, Date: n.Date, Rows: p.Parts.Rows(), Parts: len(p.Parts.Parts), Splits: len(p.Splits)}
	if n.Rules.Model != nil {
		c.Model = n.Rules.Model.Name + ": " + n.Rules.Scorer.Summary()
		if c.Features, err = p.features(); err != nil {
			return nil, err
		}
	}
	for _, name := range p.Columns {
		t, _ := p.Parts.Type(name)
		c.Columns = append(c.Columns, ColumnUsed{Name: name, Type: t.String(), Use: p.use(name)})
	}
	return c, nil
}

// features gives the full mapping of the model.
func (p *Plan) features() ([]FeatureUsed, error) {
	bound, err := p.Rules.Scorer.Bind(p.Parts.Schema(), p.Now())
	if err != nil {
		return nil, err
	}
	all := make([]FeatureUsed, len(p.Inputs))
	for i, in := range p.Inputs {
		all[i] = FeatureUsed{Feature: in.Feature, Source: in.Source(), Type: bound.Types()[i].String()}
		if nulls, known := p.Parts.Nulls(in.Column); known && p.Parts.Rows() > 0 {
			share := float64(nulls) / float64(p.Parts.Rows())
			all[i].NullShare = &share
		}
	}
	return all, nil
}

// mostNamed is how many features of one column are named.
const mostNamed = 3

// scoreUse names the features that are taken from a column.
func (p *Plan) scoreUse(column string) (use string, used bool) {
	var features []string
	for _, in := range p.Inputs {
		if slices.Contains(in.Columns(), column) {
			features = append(features, in.Feature)
		}
	}
	if len(features) > mostNamed {
		return fmt.Sprintf("score inputs: %d features", len(features)), true
	}
	return strings.TrimRight("score input "+strings.Join(features, ", "), " "), len(features) > 0
}

// use says what a wanted column is for.
func (p *Plan) use(column string) string {
	var uses []string
	add := func(use string, used bool) {
		if used {
			uses = append(uses, use)
		}
	}
	add("id", column == p.Rules.ID)
	add(p.scoreUse(column))
	add("contact", column == p.Rules.Contact)
	add("order_by", column == p.Rules.OrderBy)
	add("as_of", column == p.Rules.AsOf)
	for _, e := range p.expressions() {
		x, err := filter.Parse(e.text)
		add(e.place, err == nil && slices.Contains(x.Columns(), column))
	}
	add("passthrough", slices.Contains(p.Rules.Passthrough, column))
	for _, a := range p.Rules.Audiences {
		add("audience "+a.Name, slices.ContainsFunc(a.Files, func(f File) bool {
			return slices.ContainsFunc(f.Columns, func(c Column) bool { return slices.Contains(p.sourceColumns(c), column) })
		}))
	}
	return strings.Join(uses, ", ")
}

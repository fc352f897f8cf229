package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Checked is what a night would read.
type Checked struct {
	Prediction string       `json:"prediction"`
	Date       date.Date    `json:"date"`
	Rows       int64        `json:"rows"`
	Parts      int          `json:"parts"`
	Splits     int          `json:"splits"`
	Columns    []ColumnUsed `json:"columns"`
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
	for _, name := range p.Columns {
		t, _ := p.Parts.Type(name)
		c.Columns = append(c.Columns, ColumnUsed{Name: name, Type: t.String(), Use: p.use(name)})
	}
	return c, nil
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
	for _, in := range p.Rules.Scorer.Columns() {
		if in.Column == column {
			add("score input "+in.Feature, true)
		}
	}
	add("order_by", column == p.Rules.OrderBy)
	add("as_of", column == p.Rules.AsOf)
	add("passthrough", slices.Contains(p.Rules.Passthrough, column))
	for _, a := range p.Rules.Audiences {
		add("audience "+a.Name, slices.ContainsFunc(a.Files, func(f File) bool {
			return slices.ContainsFunc(f.Columns, func(c Column) bool { return c.From == column && !isWord(c.From) })
		}))
	}
	return strings.Join(uses, ", ")
}

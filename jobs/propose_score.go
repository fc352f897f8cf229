package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/profile"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// score finds where scores come from and, where they can be had, counts them to
// propose cuts.
func (p *Proposal) score(ctx context.Context, f *snapshot.Files, t profile.Table) error {
	var tried *Tried
	var err error
	switch {
	case p.draft.Model != "":
		tried, err = p.scoreByModel(ctx, f, t)
	case p.draft.Column != "":
		tried, err = p.scoreAsAsked(ctx, f)
	default:
		tried, err = p.scoreByGuess(ctx, f, t)
	}
	if err == nil && tried != nil {
		p.cuts(tried)
	}
	return err
}

// scoreByGuess takes the first column that is named like a score and holds one.
func (p *Proposal) scoreByGuess(ctx context.Context, f *snapshot.Files, t profile.Table) (*Tried, error) {
	for _, g := range t.Scores() {
		tried, err := p.scoreByColumn(ctx, f, g)
		if err != nil || tried != nil {
			return tried, err
		}
	}
	p.blank("score.model", "a model file of XGBoost, LightGBM or logistic regression, or else score.column; init --model FILE fits it to the columns")
	return nil, nil
}

func (p *Proposal) scoreAsAsked(ctx context.Context, f *snapshot.Files) (*Tried, error) {
	column := p.draft.Column
	if err := checkColumn(f, column); err != nil {
		return nil, err
	}
	tried, err := p.scoreByColumn(ctx, f, profile.Guess{Column: column, Why: "named by --score-column"})
	if err == nil && tried == nil {
		err = fmt.Errorf("%w: --score-column: more than a hundredth of the values of %q are no number from 0 to 1, and none from 0 to 100", ErrUsage, column)
	}
	return tried, err
}

// scoreByColumn gives nothing for a column of which more than a hundredth is no
// score.
func (p *Proposal) scoreByColumn(ctx context.Context, f *snapshot.Files, g profile.Guess) (*Tried, error) {
	tried, high, err := tryColumn(ctx, f, g.Column)
	if err != nil || tried.Scored < tried.Read-tried.Read/100 {
		return nil, err
	}
	p.draft.Column, p.draft.High = g.Column, high
	p.guess("score.column", fmt.Sprintf("{name: %s, range: [0, %g]}", g.Column, high),
		fmt.Sprintf("%s, and %d of %d values lie in that range", g.Why, tried.Scored, tried.Read))
	return tried, nil
}

// scoreByModel fits a model to the columns. What it cannot fit are blanks, and then
// there are no scores.
func (p *Proposal) scoreByModel(ctx context.Context, f *snapshot.Files, t profile.Table) (*Tried, error) {
	s, _, err := readModel(ctx, p.draft.Model, score.Options{})
	if err != nil {
		return nil, err
	}
	if p.fit(misfits(s, f), t) {
		s, _, err = readModel(ctx, p.draft.Model, score.Options{Features: p.draft.Mapped, OneHot: score.OneHot{Columns: p.draft.OneHot, Separator: "_"}})
		if err != nil {
			return nil, err
		}
	}
	left := misfits(s, f)
	for _, problem := range left {
		p.blank("score.features", problem.String())
	}
	if len(left) > 0 {
		return nil, nil
	}
	return scoreFile(ctx, f, s, "model")
}

// misfits are the inputs of a model that the snapshot's columns cannot serve.
func misfits(s *score.Scorer, f *snapshot.Files) []score.Problem {
	_, err := s.Bind(f.Schema(), time.Time{})
	var unfit *score.SchemaError
	if errors.As(err, &unfit) {
		return unfit.Problems
	}
	return nil
}

// fit guesses which columns were one-hot encoded, and which are called a little
// differently, and says whether it found any.
func (p *Proposal) fit(problems []score.Problem, t profile.Table) bool {
	d := &p.draft
	for _, problem := range problems {
		switch column := dummyOf(problem.Feature, t); {
		case slices.Contains(d.OneHot, column):
		case column != "":
			d.OneHot = append(d.OneHot, column)
			p.guess("score.one_hot", column, fmt.Sprintf("the model has the feature %q, and no column has that name", problem.Feature))
		case problem.Near != "":
			if d.Mapped == nil {
				d.Mapped = map[string]string{}
			}
			d.Mapped[problem.Feature] = problem.Near
			p.guess("score.features", problem.Feature+": "+problem.Near, "the names differ little")
		}
	}
	return len(d.OneHot)+len(d.Mapped) > 0
}

// dummyOf gives the column of few texts of which a feature is named, or "".
func dummyOf(feature string, t profile.Table) string {
	for _, c := range t {
		if c.IsCategory() && strings.HasPrefix(strings.ReplaceAll(feature, " ", "_"), strings.ReplaceAll(c.Name, " ", "_")+"_") {
			return c.Name
		}
	}
	return ""
}

// Default cuts stay where each category holds at least a hundredth of the users and
// the highest at most a quarter. Else the tenth of the highest scores is high, and
// of the rest what belongs to the three tenths of the highest scores is medium, from
// whole scores on.
const (
	leastShare, mostHigh  = 0.01, 0.25
	highShare, aboveShare = 0.10, 0.30
)

// cuts proposes categories from the scores of the night.
func (p *Proposal) cuts(tried *Tried) {
	why := "the default cuts divide the night well"
	categories := tried.Categories
	if !divides(categories, tried.Scored) {
		rules := []distribution.Rule{{Name: "high", TopShare: highShare}, {Name: "medium", TopShare: aboveShare}, {Name: "low"}}
		if cut, err := distribution.Cut(rules, &tried.counts); err == nil && wholeCuts(cut) {
			categories, why = cut.CountIn(&tried.counts), "the default cuts leave a category nearly empty, or a quarter of the users high"
		}
	}
	var shares []string
	for _, c := range categories {
		shares = append(shares, fmt.Sprintf("%s %d", c.Name, c.Count))
	}
	p.draft.Cuts = categories
	p.guess("categories", fmt.Sprintf("from %d, %d, 0", categories[0].From/100, categories[1].From/100), why+": "+strings.Join(shares, ", "))
}

func divides(categories distribution.Categories, scored int64) bool {
	for _, c := range categories {
		if float64(c.Count) < leastShare*float64(scored) {
			return false
		}
	}
	return float64(categories[0].Count) <= mostHigh*float64(scored)
}

// wholeCuts moves both cuts up to whole scores and says whether they still differ.
func wholeCuts(c distribution.Categories) bool {
	c[0].From, c[1].From = (c[0].From+99)/100*100, (c[1].From+99)/100*100
	c[1].To, c[2].To = c[0].From, c[1].From
	return c[1].From > 0 && c[1].From < c[0].From && c[0].From <= distribution.Top
}

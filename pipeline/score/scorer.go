package score

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/filter"
)

// Scorer is where scores come from: a column of the snapshot, or a model and the
// sources of its features. It may be shared by any number of goroutines; each
// binds its own [Bound].
type Scorer struct {
	title   string // such as "model churn.json", for errors
	core    core
	sources sources
}

// core is what a scorer computes, whatever its features are taken from.
type core interface {
	kind() string
	features() []feature
	// newFormula gives the formula with working memory of its own.
	newFormula() formula
}

// feature is what a core reads.
type feature struct {
	name string
	kind InputKind
	// blanks says that the name has underscores where that of the column of
	// training may have blanks.
	blanks bool
}

// Kind names the sort of scorer: "column", "logistic_regression",
// "logistic_regression_pipeline", "xgboost" or "lightgbm".
func (s *Scorer) Kind() string { return s.core.kind() }

// Summary describes a scorer in a few words for people.
func (s *Scorer) Summary() string {
	if m, ok := s.core.(*boosted); ok {
		return m.summary()
	}
	return s.Kind() + ", " + counted(len(s.core.features()), "feature")
}

// Inputs lists the features with their sources, in the order in which they are
// evaluated. Which texts are names of columns and which are expressions, and how
// a column is spelled, depends on the schema; without one (nil) every text that
// can be an expression is one.
func (s *Scorer) Inputs(schema *arrow.Schema) []Input { return s.sources.of(s.core.features(), schema) }

// Columns lists the columns that the inputs read, each once.
func (s *Scorer) Columns(schema *arrow.Schema) []string {
	var all []string
	seen := map[string]bool{}
	for _, in := range s.Inputs(schema) {
		for _, c := range in.Columns() {
			if !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	return all
}

// Bind checks every input against a schema, which may hold other columns too; now
// is the instant of that name in expressions. Its error is a [*SchemaError] that
// names all that do not fit.
func (s *Scorer) Bind(schema *arrow.Schema, now time.Time) (*Bound, error) {
	names := s.Inputs(schema)
	b := &Bound{title: s.title, formula: s.core.newFormula(), schema: schema, batch: newInputs(names)}
	b.batch.missing = s.sources.missing
	var problems []Problem
	b.at, problems = locate(names, schema)
	problems = append(problems, b.bindExpressions(schema, now)...)
	if len(problems) > 0 {
		return nil, &SchemaError{s.title, problems}
	}
	for i, at := range b.at {
		if at != none {
			b.types[i] = schema.Field(at).Type
		}
	}
	return b, nil
}

// Input is one feature of a scorer and where its values come from: a column,
// whether a column holds one value (one-hot), or an expression over columns.
type Input struct {
	Feature    string // in the model; empty for a score column
	Kind       InputKind
	Column     string // in the snapshot; empty for an expression
	OneHot     bool   // the feature is 1 where Column is Value, else 0
	Value      string
	Expression *filter.Expression // nil for a column

	blanks bool // Value has underscores where the texts of the column may have blanks
}

// InputKind says what an input is used as.
type InputKind uint8

// The kinds of input.
const (
	Number InputKind = iota
	Text
	Category     // a text or number that the model has a code for
	CategoryCode // the code itself: the model knows no names
	ScoreValue   // the score column
)

// Columns lists the columns that the input reads.
func (in Input) Columns() []string {
	if in.Expression != nil {
		return in.Expression.Columns()
	}
	return []string{in.Column}
}

// Name tells the inputs of a scorer apart, but for the dummies of one column, which
// share theirs.
func (in Input) Name() string {
	switch {
	case in.OneHot:
		return "one-hot " + in.Column
	case in.Kind == ScoreValue:
		return in.Column
	}
	return in.Feature
}

// StatesCategories says whether the model file lists the categories that it knows.
// With one-hot inputs one may be missing from the list: encoders can drop the first.
func (in Input) StatesCategories() bool {
	return in.OneHot || in.Kind == Text || in.Kind == Category
}

// blamed is the column that a bad row names, or the feature where that is an
// expression.
func (in Input) blamed() string {
	if in.Expression != nil {
		return in.Feature
	}
	return in.Column
}

// Source tells people where the values come from.
func (in Input) Source() string {
	switch {
	case in.Expression != nil:
		return in.Expression.String()
	case in.OneHot:
		return in.Column + " is " + quoted(in.Value)
	}
	return in.Column
}

// place names the source in errors.
func (in Input) place() string {
	if in.Expression != nil {
		return "feature " + quoted(in.Feature)
	}
	return "column " + quoted(in.Column)
}

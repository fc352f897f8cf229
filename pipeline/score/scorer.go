package score

import (
	"slices"
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
	for _, in := range s.Inputs(schema) {
		for _, c := range in.Columns() {
			if !slices.Contains(all, c) {
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

// Name is that of the column, or of the feature where there is more than one
// column to it.
func (in Input) Name() string {
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

package score

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/guess"
	"github.com/churntier/churntier/pipeline/score/forest"
)

// Options say how a model is used where its file does not. The zero value takes
// every feature from the column of its name.
type Options struct {
	// Iterations are the rounds of a boosted model that count; for other models
	// only the zero value, the best, has a meaning.
	Iterations forest.Iterations
	// Missing are the numbers that stand for a missing value.
	Missing []float64
	// Features maps features to columns and expressions. A text that is the name
	// of a column is that column, also when it could be an expression.
	Features map[string]string
	// OneHot is where dummies come from: a feature whose name is a column,
	// Separator and a value is 1 where the column holds the value, unless there is
	// a column of the feature's own name.
	OneHot OneHot
}

// OneHot names columns that the model sees as one feature a value.
type OneHot struct {
	Columns   []string
	Separator string
}

// sources is where the features of a model come from.
type sources struct {
	missing []float64
	mapped  map[string]string // feature to column or expression
	oneHot  OneHot
}

// newSources checks the options against the features of a model. Its error lists
// all that name no feature.
func newSources(o Options, features []feature) (sources, error) {
	s := sources{missing: o.Missing, oneHot: o.OneHot, mapped: o.Features}
	var names []string
	for _, f := range features {
		names = append(names, f.name)
	}
	var errs []error
	for name := range o.Features {
		if !slices.Contains(names, name) {
			errs = append(errs, unknownFeature(name, names))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	for _, column := range o.OneHot.Columns {
		if !slices.ContainsFunc(features, func(f feature) bool { return o.OneHot.prefixes(f, column) }) {
			errs = append(errs, fmt.Errorf("one_hot: the model has no feature whose name begins with %s", quoted(column+o.OneHot.Separator)))
		}
	}
	if len(errs) > 0 {
		return s, fmt.Errorf("%w: %w", ErrOptions, errors.Join(errs...))
	}
	return s, nil
}

func unknownFeature(name string, names []string) error {
	if near := guess.Nearest(name, names); near != "" {
		return fmt.Errorf("features: the model has no feature %s (did you mean %s?)", quoted(name), quoted(near))
	}
	return fmt.Errorf("features: the model has no feature %s", quoted(name))
}

// quoted puts a text of a file into quotes, cut short where it is long.
func quoted(text string) string {
	const most = 60
	if len(text) > most {
		return strconv.Quote(text[:most]) + "..."
	}
	return strconv.Quote(text)
}

func (s *sources) of(features []feature, schema *arrow.Schema) []Input {
	inputs := make([]Input, len(features))
	for i, f := range features {
		inputs[i] = Input{Feature: f.name, Kind: f.kind, blanks: f.blanks}
		s.locate(&inputs[i], f, schema)
	}
	return inputs
}

func (s *sources) locate(in *Input, f feature, schema *arrow.Schema) {
	if text, ok := s.mapped[f.name]; ok {
		in.Column, in.Expression = filter.Resolve(text, schema)
		return
	}
	in.Column = f.name
	if schema != nil && schema.HasField(f.name) {
		return
	}
	if column := s.oneHot.column(f); column != "" {
		in.Column, in.OneHot, in.Value = column, true, f.name[len(column+s.oneHot.Separator):]
		return
	}
	if f.blanks && schema != nil {
		in.Column = withBlanks(f.name, schema)
	}
}

// withBlanks gives the one column whose name has blanks where the feature's has
// underscores, or the feature's name where there is none, or more than one.
func withBlanks(feature string, schema *arrow.Schema) string {
	found := feature
	for _, field := range schema.Fields() {
		if strings.ReplaceAll(field.Name, " ", "_") == feature {
			if found != feature {
				return feature
			}
			found = field.Name
		}
	}
	return found
}

// column gives the column of a dummy, the one with the longest name where several
// could be, or "".
func (o OneHot) column(f feature) string {
	found := ""
	for _, c := range o.Columns {
		if o.prefixes(f, c) && len(c) > len(found) {
			found = c
		}
	}
	return found
}

// prefixes tells whether a feature can be a dummy of a column.
func (o OneHot) prefixes(f feature, column string) bool {
	prefix := column + o.Separator
	if f.blanks {
		prefix = strings.ReplaceAll(prefix, " ", "_")
	}
	return strings.HasPrefix(f.name, prefix)
}

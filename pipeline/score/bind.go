package score

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/guess"
)

// ErrSchema is the kind of every [SchemaError].
var ErrSchema = errors.New("the columns do not fit")

// SchemaError lists all inputs of a scorer that a schema cannot serve.
type SchemaError struct {
	Scorer   string // such as "model churn.json"
	Problems []Problem
}

// Problem is one input without a fitting source.
type Problem struct {
	Feature string // of the model
	Err     error  // of its expression; nil for a column
	Column  string
	Found   string // the type that is there; empty when there is no such column
	Wanted  string // the types that would do, in words
	Near    string // a column with a similar name, for one that is not there; may be empty
}

// maxNamed is how many problems an error names; it counts the others.
const maxNamed = 20

// Error names the problems in the order of the scorer's inputs.
func (e *SchemaError) Error() string {
	var lines []string
	for _, p := range e.Problems[:min(len(e.Problems), maxNamed)] {
		lines = append(lines, p.String())
	}
	if more := len(e.Problems) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%s: %v: %s", e.Scorer, ErrSchema, strings.Join(lines, "; "))
}

// Is reports that the error is of the kind [ErrSchema].
func (e *SchemaError) Is(target error) bool { return target == ErrSchema }

// String gives the problem as a sentence without a full stop.
func (p Problem) String() string {
	switch {
	case p.Err != nil:
		return fmt.Sprintf("feature %q: %v", p.Feature, p.Err)
	case p.Found != "":
		return fmt.Sprintf("column %q: found %s, want %s", p.Column, p.Found, p.Wanted)
	case p.Near != "":
		return fmt.Sprintf("column %q: missing, want %s (did you mean %q?)", p.Column, p.Wanted, p.Near)
	default:
		return fmt.Sprintf("column %q: missing, want %s", p.Column, p.Wanted)
	}
}

// accepted is a set of column types and its name in words.
type accepted struct {
	fits  func(arrow.DataType) bool
	words string
}

var (
	numberTypes = accepted{isNumber, "a number, bool, date or timestamp"}
	textTypes   = accepted{isText, "text, integers or bool"}
	namedTypes  = accepted{func(dt arrow.DataType) bool { return isText(dt) || isPlainNumber(dt) }, "text, a number or bool"}
	codeTypes   = accepted{isNumber, "a number, the code of a category, as the model file holds no names of categories"}
	scoreTypes  = accepted{isPlainNumber, "a number"}
)

func (in Input) types() accepted {
	switch {
	case in.OneHot, in.Kind == Category:
		return namedTypes
	case in.Kind == Text:
		return textTypes
	case in.Kind == CategoryCode:
		return codeTypes
	case in.Kind == ScoreValue:
		return scoreTypes
	}
	return numberTypes
}

func isPlainNumber(dt arrow.DataType) bool {
	id := valueType(dt).ID()
	return arrow.IsInteger(id) || arrow.IsFloating(id) || id == arrow.DECIMAL128 || id == arrow.DECIMAL256
}

func isNumber(dt arrow.DataType) bool {
	switch valueType(dt).ID() {
	case arrow.BOOL, arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return true
	}
	return isPlainNumber(dt)
}

func isText(dt arrow.DataType) bool {
	switch valueType(dt).ID() {
	case arrow.STRING, arrow.LARGE_STRING:
		return true
	}
	return dt.ID() == arrow.BOOL || arrow.IsInteger(dt.ID())
}

// valueType gives the type of the values of a dictionary, and any other type itself.
func valueType(dt arrow.DataType) arrow.DataType {
	if dict, ok := dt.(*arrow.DictionaryType); ok {
		return dict.ValueType
	}
	return dt
}

// maxSuggestions bounds the search for similar names when a model and a snapshot
// have nothing in common.
const maxSuggestions = 20

// locate finds the position of every input's column in the schema: none for an
// expression.
func locate(inputs []Input, schema *arrow.Schema) (at []int, problems []Problem) {
	at = make([]int, len(inputs))
	for i, in := range inputs {
		if in.Expression != nil {
			at[i] = none
			continue
		}
		want := in.types()
		p := Problem{Column: in.Column, Feature: in.Feature, Wanted: want.words}
		switch found := schema.FieldIndices(in.Column); {
		case len(found) == 0:
			if len(problems) < maxSuggestions {
				p.Near = guess.Nearest(in.Column, namesOf(schema))
			}
			problems = append(problems, p)
		case len(found) > 1:
			p.Found = fmt.Sprintf("%d columns of that name", len(found))
			problems = append(problems, p)
		case !want.fits(schema.Field(found[0]).Type):
			p.Found = schema.Field(found[0]).Type.String()
			problems = append(problems, p)
		default:
			at[i] = found[0]
		}
	}
	return at, problems
}

// none stands for the column of an expression.
const none = -1

// bindExpressions makes the evaluators of the inputs that are expressions.
func (b *Bound) bindExpressions(schema *arrow.Schema, now time.Time) (problems []Problem) {
	b.expressions = make([]*filter.Evaluator, len(b.batch.names))
	b.types = make([]arrow.DataType, len(b.batch.names))
	for i, in := range b.batch.names {
		if in.Expression == nil {
			continue
		}
		want := in.types()
		program, err := in.Expression.Bind(schema, filter.Options{Want: filter.WantAny, Now: now})
		if err == nil && !want.fits(program.Type().ArrowType()) {
			err = fmt.Errorf("expression %s: found %s, want %s", quoted(in.Expression.String()), program.Type(), want.words)
		}
		if err != nil {
			problems = append(problems, Problem{Feature: in.Feature, Err: err})
			continue
		}
		b.expressions[i], b.types[i] = program.NewEvaluator(), program.Type().ArrowType()
	}
	return problems
}

func namesOf(schema *arrow.Schema) []string {
	names := make([]string, schema.NumFields())
	for i, f := range schema.Fields() {
		names[i] = f.Name
	}
	return names
}

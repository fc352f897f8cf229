package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/churntier/churntier/pipeline/filter"
)

// expressionKind is a text in the language of package filter; its value is that
// text. Whether it fits the columns is told by the snapshot alone.
type expressionKind struct {
	name   string // what it is, for faults
	column bool   // whether it may be the name of a column instead
	scored bool   // whether score and category are known where it stands
}

var (
	featureSource = expressionKind{name: "a column or an expression", column: true}
	columnSource  = expressionKind{name: "a snapshot column, an expression, " + alternatives(builtIn), column: true, scored: true}
	condition     = expressionKind{name: "an expression that is true or false", scored: true}
	eligibility   = expressionKind{name: "an expression that is true or false"}
)

// plainColumn matches what may be the name of a column. Such a text is left to
// the snapshot, be it an expression as well, like a - b.
var plainColumn = regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_ .-]*$`)

func (k expressionKind) want() string { return k.name }

func (k expressionKind) read(r *reading, path string, n *node) {
	if n.form != text || n.raw == "" {
		r.add(n.at, path, n.describe(), k.name+", as text"+spelling(n, k))
		return
	}
	if k.column && plainColumn.MatchString(n.raw) {
		n.value = n.raw
		return
	}
	x, err := filter.Parse(n.raw)
	switch {
	case err != nil:
		k.addFaults(r, path, n, err)
	case !k.scored && (x.UsesScore() || x.UsesCategory()):
		r.add(n.at, path, n.describe()+": no user has a score or a category yet", `columns; one of that name is written col("score")`)
	default:
		n.value = n.raw
	}
}

func (expressionKind) schema() map[string]any {
	return map[string]any{"type": "string", "minLength": 1}
}

// addFaults reports what is wrong with an expression.
func (k expressionKind) addFaults(r *reading, path string, n *node, err error) {
	var e *filter.Error
	if !errors.As(err, &e) {
		r.add(n.at, path, n.describe()+": "+err.Error(), k.name)
		return
	}
	for _, f := range e.Faults {
		at := fmt.Sprintf("at character %d", f.Column)
		if strings.Contains(n.raw, "\n") {
			at += fmt.Sprintf(" of line %d", f.Line)
		}
		r.add(n.at, path, n.describe()+": "+at+": "+f.Message, k.name+`; a column with an odd name is written col("odd name")`)
	}
}

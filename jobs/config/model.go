package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/churntier/churntier/pipeline/filter"
)

// numbersKind is a number or a list of them; its value is a []float64.
type numbersKind struct{}

func (numbersKind) want() string { return "a number or a list of numbers" }

func (k numbersKind) read(r *reading, path string, n *node) {
	items := []*node{n}
	if n.form == list && len(n.items) > 0 {
		items = n.items
	}
	values := make([]float64, len(items))
	for i, item := range items {
		v, ok := item.float()
		if !ok || math.IsInf(v, 0) {
			r.refuse(n, path, k)
			return
		}
		values[i] = v
	}
	n.value = values
}

func (numbersKind) schema() map[string]any {
	number := map[string]any{"type": "number"}
	return map[string]any{"anyOf": []any{number, map[string]any{"type": "array", "items": number, "minItems": 1}}}
}

// Values of Score.Iterations besides a number of rounds.
const (
	IterationsBest = 0
	IterationsAll  = -1
)

// iterationsKind is best, all or a number of rounds; its value is an int.
type iterationsKind struct{}

func (iterationsKind) want() string { return "best, all or a whole number of at least 1" }

func (k iterationsKind) read(r *reading, path string, n *node) {
	rounds, err := strconv.ParseInt(n.raw, 10, 32)
	_, decimal := n.float()
	switch {
	case n.form == text && n.raw == "best":
		n.value = IterationsBest
	case n.form == text && n.raw == "all":
		n.value = IterationsAll
	case decimal && err == nil && rounds > 0:
		n.value = int(rounds)
	default:
		r.refuse(n, path, k)
	}
}

func (iterationsKind) schema() map[string]any {
	return map[string]any{"anyOf": []any{
		map[string]any{"enum": []string{"best", "all"}},
		map[string]any{"type": "integer", "minimum": 1},
	}}
}

// featuresKind maps features of a model to columns and expressions. Its value is
// a map[string]string.
type featuresKind struct{}

func (featuresKind) want() string {
	return "a mapping from a feature of the model to a column or an expression"
}

func (k featuresKind) read(r *reading, path string, n *node) {
	if n.form != mapping || len(n.entries) == 0 {
		r.refuse(n, path, k)
		return
	}
	features := map[string]string{}
	for _, e := range n.entries {
		if source, ok := columnOrExpression(r, under(path, e.key), e.value); ok {
			features[e.key] = source
		}
	}
	if len(features) == len(n.entries) {
		n.value = features
	}
}

func (featuresKind) schema() map[string]any {
	return map[string]any{
		"type": "object", "minProperties": 1,
		"additionalProperties": map[string]any{"type": "string", "minLength": 1},
	}
}

// columnOrExpression reads a text that names a column or is an expression over
// columns. A text that could be the name of a column is left to the snapshot.
func columnOrExpression(r *reading, path string, n *node) (string, bool) {
	if n.form != text || n.raw == "" {
		r.add(n.at, path, n.describe(), "a column or an expression, as text"+spelling(n, columnName))
		return "", false
	}
	x, err := filter.Parse(n.raw)
	switch {
	case plainColumn.MatchString(n.raw):
		return n.raw, true
	case err != nil:
		addFaults(r, path, n, err)
		return "", false
	case x.UsesScore() || x.UsesCategory():
		r.add(n.at, path, n.describe()+": no user has a score or a category yet", `columns; one of that name is written col("score")`)
		return "", false
	}
	return n.raw, true
}

// addFaults reports what is wrong with an expression.
func addFaults(r *reading, path string, n *node, err error) {
	var e *filter.Error
	if !errors.As(err, &e) {
		r.add(n.at, path, n.describe()+": "+err.Error(), "")
		return
	}
	for _, f := range e.Faults {
		r.add(n.at, path, fmt.Sprintf("%s: at character %d: %s", n.describe(), f.Column, f.Message),
			`a column or an expression; a column with an odd name is written col("odd name")`)
	}
}

// modelOnly says that keys go with a model and not with a score column.
func modelOnly(keys ...string) func(*reading, string, *node) {
	return func(r *reading, path string, n *node) {
		if n.get("column") == nil {
			return
		}
		for _, key := range keys {
			if child := n.get(key); child != nil {
				r.add(child.at, under(path, key), fmt.Sprintf("found %s with column", key), "it with model only")
			}
		}
	}
}

package config

import (
	"fmt"
	"math"
	"strconv"
)

// numbersKind is a number or a list of them; its value is a []float64.
type numbersKind struct{}

func (numbersKind) want() string { return "a finite number or a list of them" }

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
	return "a mapping from a feature of the model to " + featureSource.name
}

func (k featuresKind) read(r *reading, path string, n *node) {
	if n.form != mapping || len(n.entries) == 0 {
		r.refuse(n, path, k)
		return
	}
	features := map[string]string{}
	for _, e := range n.entries {
		featureSource.read(r, under(path, e.key), e.value)
		if source, ok := e.value.value.(string); ok {
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
		"additionalProperties": featureSource.schema(),
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

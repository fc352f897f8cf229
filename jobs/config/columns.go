package config

import (
	"regexp"
	"slices"
)

// columnsKind maps the columns of an audience's file, in the order written, to
// what they are written from. Its value is a []OutColumn.
type columnsKind struct{}

func (columnsKind) want() string {
	return "a mapping from a column to write to " + columnSource.name
}

func (k columnsKind) read(r *reading, path string, n *node) {
	if n.form != mapping || len(n.entries) == 0 {
		r.refuse(n, path, k)
		return
	}
	var columns []OutColumn
	before := len(r.faults)
	for _, e := range n.entries {
		columns = append(columns, k.column(r, under(path, e.key), e))
	}
	if len(r.faults) == before {
		n.value = columns
	}
}

// column reads one column, whose value counts only without a fault.
func (columnsKind) column(r *reading, path string, e entry) OutColumn {
	if !regexp.MustCompile(columnName.pattern).MatchString(e.key) {
		r.add(e.at, path, "the name has characters that no column may have", columnName.name)
	}
	if e.value.form != mapping {
		columnSource.read(r, path, e.value)
		from, _ := e.value.value.(string)
		return OutColumn{Name: e.key, From: from}
	}
	rewrittenKind.read(r, path, e.value)
	return OutColumn{
		Name: e.key, From: get[string](e.value, "from"),
		Hash: get[string](e.value, "hash"), Normalise: get[string](e.value, "normalise"),
	}
}

func (columnsKind) schema() map[string]any {
	return map[string]any{
		"type": "object", "minProperties": 1,
		"propertyNames":        map[string]any{"pattern": columnName.pattern},
		"additionalProperties": map[string]any{"anyOf": []any{columnSource.schema(), rewrittenKind.schema()}},
	}
}

var builtIn = []string{FromScore, FromCategory, FromProbability, FromSnapshotDate, FromHeldOut}

// rewrittenKind is a column of the snapshot, or an expression, whose texts are
// normalised or hashed.
var rewrittenKind = mapKind{
	keys: []key{
		{name: "from", kind: columnSource, required: true, doc: "The snapshot column, an expression, or a built-in word."},
		{name: "hash", kind: oneOf(HashSHA256LowerTrim), doc: "Hash that is written in place of a text, after it was normalised."},
		{name: "normalise", kind: oneOf(NormaliseE164), doc: "Form of a text; null for one that cannot be brought into it."},
	},
	rules: []rule{notOfWords},
}

// notOfWords says that what a built-in word stands for is written as it is.
var notOfWords = rule{
	schema: map[string]any{
		"if":   map[string]any{"properties": map[string]any{"from": map[string]any{"enum": builtIn}}},
		"then": map[string]any{"properties": map[string]any{"hash": false, "normalise": false}},
	},
	check: func(r *reading, path string, n *node) {
		from, _ := valueOf[string](n, "from")
		for _, key := range []string{"hash", "normalise"} {
			if v := n.get(key); v != nil && slices.Contains(builtIn, from) {
				r.add(v.at, under(path, key), "found "+key+" of "+from, key+" only of a snapshot column or an expression")
			}
		}
	},
}

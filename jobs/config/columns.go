package config

import "regexp"

// columnsKind maps the columns of an audience's file, in the order written, to
// built-in words and columns of the snapshot. Its value is a []OutColumn.
type columnsKind struct{}

func (columnsKind) want() string {
	return "a mapping from a column to write to a snapshot column, " +
		alternatives(builtIn)
}

var builtIn = []string{FromScore, FromCategory, FromProbability, FromSnapshotDate}

// A value with other characters is an expression over columns, not a column.
var plainColumn = regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_ .-]*$`)

func (k columnsKind) read(r *reading, path string, n *node) {
	if n.form != mapping || len(n.entries) == 0 {
		r.refuse(n, path, k)
		return
	}
	var columns []OutColumn
	for _, e := range n.entries {
		if from, ok := k.from(r, under(path, e.key), e); ok {
			columns = append(columns, OutColumn{e.key, from})
		}
	}
	if len(columns) == len(n.entries) {
		n.value = columns
	}
}

// from gives the source of one column.
func (k columnsKind) from(r *reading, path string, e entry) (string, bool) {
	switch v := e.value; {
	case !regexp.MustCompile(columnName.pattern).MatchString(e.key):
		r.add(e.at, path, "the name has characters that no column may have", columnName.name)
	case v.form == mapping:
		r.add(v.at, path, "hash and normalise: not supported yet", "a snapshot column or "+alternatives(builtIn))
	case v.form != text || v.raw == "":
		r.add(v.at, path, v.describe(), "a snapshot column or "+alternatives(builtIn)+", as text")
	case v.raw == "held_out":
		r.add(v.at, path, "held_out: not supported yet", "a snapshot column or "+alternatives(builtIn))
	case !plainColumn.MatchString(v.raw):
		r.add(v.at, path, v.describe()+"; expressions: not supported yet", "a snapshot column or "+alternatives(builtIn))
	default:
		return v.raw, true
	}
	return "", false
}

func (columnsKind) schema() map[string]any {
	return map[string]any{
		"type": "object", "minProperties": 1,
		"propertyNames":        map[string]any{"pattern": columnName.pattern},
		"additionalProperties": map[string]any{"type": "string", "pattern": plainColumn.String(), "not": map[string]any{"const": "held_out"}},
	}
}

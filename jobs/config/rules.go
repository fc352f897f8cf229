package config

import (
	"cmp"
	"fmt"
	"slices"
)

// exactlyOne of the keys is there.
func exactlyOne(keys ...string) rule {
	alone := make([]any, len(keys))
	for i, key := range keys {
		alone[i] = requires(key)
	}
	expected := "exactly one of " + enumeration(keys, "and")
	return rule{
		schema: map[string]any{"oneOf": alone},
		check: func(r *reading, path string, n *node) {
			there := n.among(keys)
			if len(there) == 0 {
				r.add(n.at, path, "found neither "+enumeration(keys, "nor"), expected)
			}
			for _, other := range there[min(1, len(there)):] {
				r.add(n.get(other).at, path, "found both "+there[0]+" and "+other, expected)
			}
		},
	}
}

// requires is the JSON schema of mappings with a key.
func requires(key string) map[string]any { return map[string]any{"required": []string{key}} }

// distinct says that no two elements of a list have the same text under key.
func distinct(key string) rule {
	return rule{check: func(r *reading, path string, n *node) {
		seen := map[string]bool{}
		for i, item := range n.items {
			v, ok := valueOf[string](item, key)
			if ok && seen[v] {
				r.add(item.get(key).at, under(element(path, i), key), fmt.Sprintf("found %s a second time", v), "each "+key+" once")
			}
			seen[v] = true
		}
	}}
}

// ascending says that one key's value is not above the other's.
func ascending[T cmp.Ordered](low, high string) func(*reading, string, *node) {
	return func(r *reading, path string, n *node) {
		a, okA := valueOf[T](n, low)
		b, okB := valueOf[T](n, high)
		if okA && okB && a > b {
			r.add(written(n, low, high), path, fmt.Sprintf("found %s %v above %s %v", low, a, high, b), low+" of at most "+high)
		}
	}
}

// warnsFirst warns about a level that refuses before it has warned.
func warnsFirst(r *reading, path string, n *node) {
	warn, okWarn := valueOf[float64](n, "warn")
	refuse, okRefuse := valueOf[float64](n, "refuse")
	if okWarn && okRefuse && warn > refuse {
		r.warn(written(n, "warn", "refuse"), path, fmt.Sprintf("warn %v is above refuse %v, so it refuses without a warning", warn, refuse))
	}
}

// written gives the place of key a, or of b when a stands at its default.
func written(n *node, a, b string) place {
	if at := n.get(a).at; at != (place{}) {
		return at
	}
	return n.get(b).at
}

// orderByRule ties order_by to the one policy that uses it.
var orderByRule = rule{
	schema: map[string]any{
		"if":   map[string]any{"required": []string{"duplicates"}, "properties": map[string]any{"duplicates": map[string]any{"const": DuplicatesKeepLatest}}},
		"then": map[string]any{"required": []string{"order_by"}},
		"else": map[string]any{"not": map[string]any{"required": []string{"order_by"}}},
	},
	check: func(r *reading, path string, n *node) {
		policy, ok := valueOf[string](n, "duplicates")
		orderBy := n.get("order_by")
		switch latest := policy == DuplicatesKeepLatest; {
		case ok && latest && orderBy == nil:
			r.add(n.get("duplicates").at, under(path, "order_by"), "missing", columnName.name+" that tells the latest row, as duplicates is keep_latest")
		case ok && !latest && orderBy != nil:
			r.add(orderBy.at, under(path, "order_by"), "found order_by with duplicates: "+policy, "order_by only with keep_latest")
		}
	},
}

// coversScores says that categories are the highest first, end at 0 and do not
// mix cuts by score with cuts by share.
func coversScores(r *reading, path string, n *node) {
	last := len(n.items) - 1
	byShare := slices.ContainsFunc(n.items[:max(last, 0)], func(c *node) bool { return c.get("top_share") != nil })
	for i, c := range n.items {
		at := element(path, i)
		switch {
		case i == last:
			endsAtZero(r, at, c)
		case byShare && c.get("from") != nil && c.get("top_share") == nil:
			r.add(c.get("from").at, at, "found from among categories with top_share", "top_share in all but the last, which has from: 0")
		}
		if i > 0 {
			below(r, at, n.items[i-1], c)
		}
	}
}

func endsAtZero(r *reading, path string, c *node) {
	from, ok := valueOf[float64](c, "from")
	byShare := c.get("top_share")
	if ok && from != 0 {
		r.add(c.get("from").at, path, fmt.Sprintf("found from %v in the last category, so lower scores have none", from), "from: 0")
	}
	if byShare != nil {
		r.add(byShare.at, path, "found top_share in the last category, so the users below have none", "from: 0")
	}
}

// below says that a category's cut is below that of the one before it.
func below(r *reading, path string, higher, c *node) {
	a, okA := valueOf[float64](higher, "from")
	b, okB := valueOf[float64](c, "from")
	if okA && okB && b >= a {
		r.add(c.get("from").at, path, fmt.Sprintf("found from %v after from %v", b, a), "the highest category first, each cut once")
	}
	a, okA = valueOf[float64](higher, "top_share")
	b, okB = valueOf[float64](c, "top_share")
	if okA && okB && b <= a {
		r.add(c.get("top_share").at, path, fmt.Sprintf("found top_share %v after top_share %v", b, a), "shares counted from the top, each above the one before")
	}
}

// scoreColumns are what the table of scores holds besides the id.
var scoreColumns = []string{"churn_probability", "churn_score", "churn_category", "snapshot_date"}

// idHasOwnName keeps the id column apart from the columns written beside it.
func idHasOwnName(r *reading, _ string, n *node) {
	snapshot := n.get("snapshot")
	id, ok := valueOf[string](snapshot, "id")
	if ok && (slices.Contains(builtIn, id) || slices.Contains(scoreColumns, id)) {
		r.add(snapshot.get("id").at, "snapshot.id", fmt.Sprintf("found %s, the name of a column that is written beside the id", id), "another name")
	}
}

// passthroughIsFree keeps the names of the score table's columns apart.
func passthroughIsFree(r *reading, _ string, n *node) {
	id, _ := valueOf[string](n.get("snapshot"), "id")
	taken := append([]string{id}, scoreColumns...)
	passthrough := n.get("publish").get("passthrough")
	if passthrough == nil {
		return
	}
	for i, item := range passthrough.items {
		name, ok := item.value.(string)
		if ok && slices.Contains(taken, name) {
			r.add(item.at, element("publish.passthrough", i), fmt.Sprintf("found %s, which the table of scores holds already", name), "other columns, each once")
		}
		taken = append(taken, name)
	}
}

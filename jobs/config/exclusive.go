package config

import (
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/guess"
)

// eachOnce says that no two elements of a list are the same text.
var eachOnce = rule{
	schema: map[string]any{"uniqueItems": true},
	check: func(r *reading, path string, n *node) {
		seen := map[string]bool{}
		for i, item := range n.items {
			v, ok := item.value.(string)
			if ok && seen[v] {
				r.add(item.at, element(path, i), fmt.Sprintf("found %s a second time", v), "each name once")
			}
			seen[v] = true
		}
	},
}

// exclusiveNamesAudiences says that what is exclusive are audiences. Those of
// categories, which are there when no others are, have no user in common anyway.
func exclusiveNamesAudiences(r *reading, _ string, n *node) {
	exclusive, audiences := n.get("exclusive"), n.get("audiences")
	if exclusive == nil {
		return
	}
	if audiences != nil {
		namesOf(r, exclusive, audiences)
		return
	}
	namesOf(r, exclusive, n.get("categories"))
	r.warn(exclusive.at, "exclusive", "has no effect on audiences of categories, of which a user has one")
}

// namesOf says that every element of exclusive is the name of one of a list, when
// these have names.
func namesOf(r *reading, exclusive, of *node) {
	var names []string
	for _, item := range of.items {
		name, ok := valueOf[string](item, "name")
		if !ok {
			return
		}
		names = append(names, name)
	}
	for i, item := range exclusive.items {
		name, ok := item.value.(string)
		if !ok || len(names) == 0 || slices.Contains(names, name) {
			continue
		}
		found := fmt.Sprintf("found %s, which is no audience", name)
		if near := guess.Nearest(name, names); near != "" {
			found += " (did you mean " + near + "?)"
		}
		r.add(item.at, element("exclusive", i), found, alternatives(names))
	}
}

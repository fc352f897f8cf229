package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/guess"
)

// A key describes one key of a mapping. The table of keys.go is made of them.
type key struct {
	name     string
	kind     kind
	doc      string // one sentence for people
	def      string // the default as YAML; "" = none
	required bool
}

// A rule holds between several values of a mapping or a list. It passes over
// values that are at fault themselves.
type rule struct {
	check  func(r *reading, path string, n *node)
	schema map[string]any // what JSON schema can say of it; may be nil
}

// mapKind is a mapping with described keys.
type mapKind struct {
	keys  []key
	rules []rule
}

func (k mapKind) want() string { return "a mapping of " + strings.Join(k.names(), ", ") }

func (k mapKind) names() []string {
	var names []string
	for _, key := range k.keys {
		names = append(names, key.name)
	}
	return names
}

func (k mapKind) read(r *reading, path string, n *node) {
	if n.form != mapping {
		r.refuse(n, path, k)
		return
	}
	k.refuseUnknown(r, path, n)
	for _, key := range k.keys {
		key.read(r, path, n)
	}
	for _, rule := range k.rules {
		rule.check(r, path, n)
	}
}

func (k mapKind) refuseUnknown(r *reading, path string, n *node) {
	for _, e := range n.entries {
		if slices.ContainsFunc(k.keys, func(key key) bool { return key.name == e.key }) {
			continue
		}
		found := "unknown key"
		if near := guess.Nearest(e.key, k.names()); near != "" {
			found += " (did you mean " + near + "?)"
		}
		r.add(e.at, under(path, e.key), found, alternatives(k.names()))
	}
}

// read reads the key's value within the mapping n.
func (k key) read(r *reading, path string, n *node) {
	child := n.get(k.name)
	path = under(path, k.name)
	switch {
	case child != nil:
		k.kind.read(r, path, child)
	case k.required:
		r.add(n.at, path, "missing", k.kind.want())
	case k.def != "":
		child = k.standard()
		n.put(k.name, place{}, child)
		k.kind.read(r, path, child)
	}
}

// standard gives the default as if it had been written.
func (k key) standard() *node {
	s := source{report: &report{}, text: k.def, at: func(int) place { return place{} }}
	return s.parse()
}

func (k mapKind) schema() map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, key := range k.keys {
		properties[key.name] = key.schema()
		if key.required {
			required = append(required, key.name)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return withRules(s, k.rules)
}

func (k key) schema() map[string]any {
	s := k.kind.schema()
	s["description"] = k.doc
	if k.def != "" {
		s["default"] = k.standard().plain()
	}
	return s
}

// listKind is a list of values of one kind.
type listKind struct {
	of       kind
	min, max int // of elements; max 0 = no bound
	rules    []rule
}

func (k listKind) want() string { return "a list, each " + k.of.want() }

func (k listKind) read(r *reading, path string, n *node) {
	if n.form != list {
		r.refuse(n, path, k)
		return
	}
	if len(n.items) < k.min || k.max > 0 && len(n.items) > k.max {
		r.add(n.at, path, n.describe(), k.bounds())
		return
	}
	for i, item := range n.items {
		k.of.read(r, element(path, i), item)
	}
	for _, rule := range k.rules {
		rule.check(r, path, n)
	}
}

func (k listKind) bounds() string {
	if k.max == 0 {
		return fmt.Sprintf("a list of at least %d", k.min)
	}
	return fmt.Sprintf("a list of %d to %d", k.min, k.max)
}

func (k listKind) schema() map[string]any {
	s := map[string]any{"type": "array", "items": k.of.schema()}
	if k.min > 0 {
		s["minItems"] = k.min
	}
	if k.max > 0 {
		s["maxItems"] = k.max
	}
	return withRules(s, k.rules)
}

// withRules adds what the rules say to a schema; each says something else.
func withRules(s map[string]any, rules []rule) map[string]any {
	for _, rule := range rules {
		for keyword, v := range rule.schema {
			s[keyword] = v
		}
	}
	return s
}

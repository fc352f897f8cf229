package config

import (
	"fmt"
	"slices"
)

// suppressedBy are the keys that tell the kinds of a suppress entry.
var suppressedBy = []string{"url", "where", "publication"}

// suppressKeys are the other keys of an entry, with the kinds that have them.
var suppressKeys = []struct {
	name  string
	kinds []string
}{
	{"id", []string{"url", "publication"}},
	{"contact", []string{"url"}},
	{"max_age", []string{"url"}},
	{"min_ratio", []string{"url"}},
	{"audience", []string{"publication"}},
}

var idOrContact = exactlyOne("id", "contact")

// suppressRule ties the keys of an entry to its kind.
var suppressRule = rule{
	schema: map[string]any{"dependencies": suppressDependencies()},
	check: func(r *reading, path string, n *node) {
		kinds := n.among(suppressedBy)
		if len(kinds) != 1 {
			return
		}
		kind := kinds[0]
		for _, k := range suppressKeys {
			if child := n.get(k.name); child != nil && !slices.Contains(k.kinds, kind) {
				r.add(child.at, under(path, k.name), "found "+k.name+" with "+kind, k.name+" only with "+alternatives(k.kinds))
			}
		}
		if kind == "url" {
			idOrContact.check(r, path, n)
		}
		if kind == "publication" && n.get("audience") == nil {
			r.add(n.get(kind).at, under(path, "audience"), "missing", shortName.want())
		}
	},
}

// suppressDependencies is what JSON schema can say of the rule.
func suppressDependencies() map[string]any {
	dependencies := map[string]any{"url": idOrContact.schema, "publication": requires("audience")}
	for _, k := range suppressKeys {
		kinds := make([]any, len(k.kinds))
		for i, kind := range k.kinds {
			kinds[i] = requires(kind)
		}
		dependencies[k.name] = map[string]any{"anyOf": kinds}
	}
	return dependencies
}

// contactIsKnown says that the snapshot has the contacts that are asked for.
func contactIsKnown(r *reading, _ string, n *node) {
	snapshot := n.get("snapshot")
	if snapshot == nil || snapshot.form != mapping || snapshot.get("contact") != nil {
		return
	}
	const expected = "snapshot.contact, the snapshot's column of addresses"
	if key, _ := valueOf[string](n.get("holdout"), "key"); key == HoldoutByContact {
		r.add(n.get("holdout").get("key").at, "holdout.key", "found contact without snapshot.contact", expected)
	}
	if suppress := n.get("suppress"); suppress != nil {
		for i, entry := range suppress.items {
			if entry.get("url") != nil && entry.get("contact") != nil {
				r.add(entry.get("contact").at, element("suppress", i)+".contact", "found contact without snapshot.contact", expected)
			}
		}
	}
}

// publicationOfOthers says that no audience waits for the publication it is in.
func publicationOfOthers(r *reading, _ string, n *node) {
	own, ok := valueOf[string](n.get("publish"), "url")
	suppress := n.get("suppress")
	if !ok || suppress == nil {
		return
	}
	for i, entry := range suppress.items {
		if other, _ := valueOf[string](entry, "publication"); other == own {
			r.add(entry.get("publication").at, element("suppress", i)+".publication", fmt.Sprintf("found %s, where this prediction publishes", entry.get("publication").written()), "the publish.url of another prediction")
		}
	}
}

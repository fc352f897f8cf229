package config

import (
	"regexp"
	"slices"
	"strings"
)

// A kind is a set of values that a key may have.
type kind interface {
	// read checks n, which stands at path, fills in defaults below it and
	// leaves the Go value in n.value; or it reports what is wrong.
	read(r *reading, path string, n *node)
	// want names the values for a fault: "expected ...".
	want() string
	// schema is the JSON schema of the values.
	schema() map[string]any
}

// A reading is one pass of the table's kinds over a config.
type reading struct {
	*report
	folder string // of the config file, absolute
	getenv func(string) string
}

// refuse reports that n is not what k wants.
func (r *reading) refuse(n *node, path string, k kind) {
	r.add(n.at, path, n.describe(), k.want()+spelling(n, k))
}

// spelling tells how n would have to be written to have the right form.
func spelling(n *node, k kind) string {
	_, decimal := n.float()
	schema := k.schema()
	pattern, _ := schema["pattern"].(string)
	switch form := schema["type"]; {
	case form == "string" && (n.form == number || n.form == boolean) && regexp.MustCompile(pattern).MatchString(n.raw):
		return ", in quotes"
	case form == "number" && n.form == number && !decimal:
		return ", in decimal digits"
	case form == "number" && n.form == text && plainNumber.MatchString(n.raw):
		return ", without quotes"
	}
	return ""
}

// choiceKind is one of a few words.
type choiceKind struct{ words []string }

func oneOf(words ...string) choiceKind { return choiceKind{words} }

func (k choiceKind) want() string { return alternatives(k.words) }

func (k choiceKind) read(r *reading, path string, n *node) {
	if n.form != text || !slices.Contains(k.words, n.raw) {
		r.refuse(n, path, k)
		return
	}
	n.value = n.raw
}

func (k choiceKind) schema() map[string]any { return map[string]any{"enum": k.words} }

// boolKind is true or false, in that spelling.
type boolKind struct{}

func (boolKind) want() string { return "true or false" }

func (k boolKind) read(r *reading, path string, n *node) {
	if n.form != boolean {
		r.refuse(n, path, k)
		return
	}
	n.value = strings.EqualFold(n.raw, "true")
}

func (boolKind) schema() map[string]any { return map[string]any{"type": "boolean"} }

// alternatives joins words as "a, b or c".
func alternatives(words []string) string { return enumeration(words, "or") }

// enumeration joins words by commas, and the last one by another word.
func enumeration(words []string, by string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + by + " " + words[last]
}

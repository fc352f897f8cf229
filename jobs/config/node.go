package config

import (
	"fmt"
	"regexp"
	"strconv"
)

// A form is what a value looks like in YAML, before anything is expected of it.
type form uint8

const (
	nothing form = iota
	boolean
	number
	text
	list
	mapping
)

// A node is one value of the config with the place where it was written. value
// is what its kind made of it; it stays nil when the node is at fault, so that
// rules over several nodes can pass over it.
type node struct {
	at      place
	form    form
	raw     string  // of a scalar: as written, without quotes
	items   []*node // of a list
	entries []entry // of a mapping, in the order written
	value   any
}

type entry struct {
	key   string
	at    place
	value *node
}

// get gives the value of a mapping's key, nil when there is none or n is no
// mapping.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// among lists those of the keys that a mapping has.
func (n *node) among(keys []string) []string {
	var there []string
	for _, key := range keys {
		if n.get(key) != nil {
			there = append(there, key)
		}
	}
	return there
}

// put sets the value of a mapping's key.
func (n *node) put(key string, at place, v *node) {
	for i, e := range n.entries {
		if e.key == key {
			n.entries[i] = entry{key, at, v}
			return
		}
	}
	n.entries = append(n.entries, entry{key, at, v})
}

// valueOf gives the value under a key of n when it is there and not at fault.
func valueOf[T any](n *node, key string) (T, bool) {
	var none T
	child := n.get(key)
	if child == nil {
		return none, false
	}
	v, ok := child.value.(T)
	return v, ok
}

// describe says what n is, for a fault.
func (n *node) describe() string {
	switch n.form {
	case nothing:
		return "found nothing"
	case boolean:
		return "found " + n.written()
	case number:
		return "found the number " + n.written()
	case text:
		return "found the text " + n.written()
	case list:
		return fmt.Sprintf("found a list of %d", len(n.items))
	}
	return fmt.Sprintf("found a mapping of %d", len(n.entries))
}

// written gives a scalar as a fault shows it, texts in quotes.
func (n *node) written() string {
	if n.form == text {
		return strconv.Quote(shorten(n.raw, 60))
	}
	return shorten(n.raw, 60)
}

var (
	plainNumber = regexp.MustCompile(`^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	simpleKey   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// float reads a number in decimal digits; ok is false for hexadecimal, octal,
// grouped and infinite ones and those that are none.
func (n *node) float() (v float64, ok bool) {
	if n.form != number || !plainNumber.MatchString(n.raw) {
		return 0, false
	}
	v, err := strconv.ParseFloat(n.raw, 64)
	return v, err == nil
}

// under gives the path of a key below path.
func under(path, key string) string {
	if !simpleKey.MatchString(key) {
		key = strconv.Quote(shorten(key, 60))
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// element gives the path of a list's element.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// override applies one --set flag, key.path=value, to the tree. The value is a
// YAML scalar, or a list or a mapping in brackets.
func (r *report) override(root *node, flag string) {
	at := place{flag: flag}
	path, value, ok := strings.Cut(flag, "=")
	if !ok || path == "" {
		r.add(at, "", "found no key and =", "--set key.path=value")
		return
	}
	s := source{report: r, text: value, at: func(int) place { return at }}
	v := s.parse()
	if v == nil {
		return
	}
	if (v.form == mapping || v.form == list) && !strings.ContainsAny(strings.TrimSpace(value)[:1], "[{") {
		r.add(at, "", v.describe()+" without brackets", "a value such as 5, [1, 2] or {a: 1}")
		return
	}
	if _, err := root.with(at, strings.Split(path, "."), v); err != nil {
		r.add(at, "", err.Error(), "the path of a key, such as audiences.0.score")
	}
}

// with puts v below n at the end of the keys and gives what then stands in n's
// stead. Mappings on the way are made where there is nothing.
func (n *node) with(at place, keys []string, v *node) (*node, error) {
	if len(keys) == 0 {
		return v, nil
	}
	if n == nil || n.form == nothing {
		n = &node{at: at, form: mapping}
		if _, err := strconv.ParseUint(keys[0], 10, 31); err == nil {
			return n, fmt.Errorf("found no list that has an element %s; set the list as a whole", keys[0])
		}
	}
	switch n.form {
	case mapping:
		child, err := n.get(keys[0]).with(at, keys[1:], v)
		if child != n.get(keys[0]) {
			n.put(keys[0], at, child)
		}
		return n, err
	case list:
		i, err := strconv.ParseUint(keys[0], 10, 31)
		if err != nil || int(i) >= len(n.items) {
			return n, fmt.Errorf("found no element %q in a list of %d (from 0)", keys[0], len(n.items))
		}
		n.items[i], err = n.items[i].with(at, keys[1:], v)
		return n, err
	}
	return n, errors.New(n.describe() + fmt.Sprintf(", which has no key %q", keys[0]))
}

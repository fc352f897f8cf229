package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// node turns what the YAML parser gave into a node. Below a key, lists and
// mappings stand where their key stands, which is the line a person looks for.
func (s source) node(n ast.Node, path string) *node {
	out := &node{at: s.at(n.GetToken().Position.Line)}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.form = mapping
		s.mapping(out, n, path)
	case *ast.SequenceNode:
		out.form = list
		for i, v := range n.Values {
			out.items = append(out.items, s.node(v, element(path, i)))
		}
	case *ast.LiteralNode:
		out.form, out.raw = text, n.Value.Value
	default:
		out.form, out.raw = scalar(n)
	}
	return out
}

func (s source) mapping(out *node, n *ast.MappingNode, path string) {
	first := map[string]int{}
	for _, v := range n.Values {
		t := v.Key.GetToken()
		key, at := t.Value, s.at(t.Position.Line)
		if _, ok := v.Key.(*ast.StringNode); !ok {
			s.add(at, path, fmt.Sprintf("found the key %q, which is no text", key), "a name; write it in quotes")
			continue
		}
		if line, twice := first[key]; twice {
			s.add(at, under(path, key), fmt.Sprintf("found the key a second time, after line %d", line), "each key once")
			continue
		}
		first[key] = t.Position.Line
		child := s.node(v.Value, under(path, key))
		if child.form == list || child.form == mapping || child.form == nothing {
			child.at = at
		}
		out.put(key, at, child)
	}
}

// scalar tells a number from a text as YAML 1.2 does, which the parser does not
// do for every spelling: to it 1e3 is a text.
func scalar(n ast.Node) (form, string) {
	raw := n.GetToken().Value
	switch n := n.(type) {
	case *ast.NullNode:
		return nothing, ""
	case *ast.BoolNode:
		return boolean, raw
	case *ast.StringNode:
		if n.Token.Type == token.StringType && plainNumber.MatchString(raw) {
			return number, raw
		}
		return text, n.Value
	}
	return number, raw
}

package filter

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// membership checks the list at the right of in and gives what is to be visited.
func (s *syntax) membership(args []ast.Expr) []ast.Expr {
	list := args[1]
	if list.Kind() != ast.ListKind {
		s.add(s.place(list), "in needs a list of values: x in [1, 2]")
		return args[:1]
	}
	s.nodes++
	elements := list.AsList().Elements()
	counts := map[string]int{}
	for _, element := range elements {
		what := elementOf(element)
		if what == "" {
			s.add(s.place(element), "a list holds texts, numbers or bools in plain writing")
			return args[:1]
		}
		counts[what]++
	}
	if counts["double"] > 0 && counts["int"] > 0 {
		s.allDoubles(elements)
		counts["double"] += counts["int"]
	}
	if len(elements) > 0 && counts[elementOf(elements[0])] != len(elements) {
		s.add(s.place(list), "a list holds values of one kind: texts, numbers or bools")
	}
	return args[:1]
}

// elementOf names the kind of a literal, "" when it cannot be in a list.
func elementOf(e ast.Expr) string {
	if e.Kind() != ast.LiteralKind {
		return ""
	}
	return elementKinds[e.AsLiteral().Type()]
}

var elementKinds = map[ref.Type]string{
	types.BoolType: "bool", types.IntType: "int", types.DoubleType: "double", types.StringType: "string",
}

// allDoubles makes doubles of the integers among doubles: both compare alike as
// long as no other integer becomes the same double.
func (s *syntax) allDoubles(elements []ast.Expr) {
	const exact = 1 << 53
	for _, e := range elements {
		n, ok := e.AsLiteral().(types.Int)
		if !ok {
			continue
		}
		if n <= -exact || n >= exact {
			s.add(s.place(e), "a list with decimals cannot hold an integer beyond 2^53")
		}
		e.SetKindCase(s.make.NewLiteral(e.ID(), types.Double(n)))
	}
}

package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// syntax walks a parsed expression: it refuses what is not supported, numbers the
// columns, and rewrites the parts that the checker is to see differently.
type syntax struct {
	faults
	lines  []string
	parsed *ast.AST
	make   ast.ExprFactory
	nodes  int
	out    *Expression
}

func newSyntax(text string, parsed *ast.AST) *syntax {
	return &syntax{
		faults: faults{text: text},
		lines:  strings.Split(text, "\n"),
		parsed: parsed,
		make:   ast.NewExprFactory(),
		out: &Expression{
			text:     text,
			parsed:   parsed,
			patterns: map[int64]*regexp.Regexp{},
			fixed:    map[int64]literal{},
		},
	}
}

func (s *syntax) result() (*Expression, error) {
	if s.nodes > maxNodes {
		s.add(start, "the expression has more than %d parts", maxNodes)
	}
	if err := s.err(ErrSyntax); err != nil {
		return nil, err
	}
	return s.out, nil
}

// place gives where an expression is: of an operator its symbol, of a function its name.
func (s *syntax) place(e ast.Expr) place { return placeIn(s.lines, s.parsed, e) }

func placeIn(lines []string, parsed *ast.AST, e ast.Expr) place {
	p := placeOfLocation(parsed.SourceInfo().GetStartLocation(e.ID()))
	if e.Kind() != ast.CallKind || p.line > len(lines) {
		return p
	}
	points := []rune(lines[p.line-1])
	before := strings.TrimRight(string(points[:min(p.column-1, len(points))]), " \t.`")
	if shorter, ok := strings.CutSuffix(before, e.AsCall().FunctionName()); ok {
		p.column = 1 + len([]rune(shorter))
	}
	return p
}

func (s *syntax) visit(e ast.Expr) {
	if s.nodes++; s.nodes > maxNodes {
		return
	}
	switch e.Kind() {
	case ast.LiteralKind:
		s.literal(e)
	case ast.IdentKind:
		s.name(e)
	case ast.CallKind:
		s.call(e)
	case ast.SelectKind:
		s.selection(e)
	case ast.ListKind:
		s.add(s.place(e), "a list can only stand at the right of in")
	case ast.MapKind:
		s.add(s.place(e), "maps are not supported")
	case ast.StructKind:
		s.add(s.place(e), "messages are not supported")
	default:
		s.add(s.place(e), "this is not supported; use %s", supported)
	}
}

func (s *syntax) literal(e ast.Expr) {
	switch e.AsLiteral().(type) {
	case types.Bool, types.Int, types.Double, types.String:
	case types.Null:
		s.add(s.place(e), "null can only be compared: x == null or x != null")
	case types.Uint:
		s.add(s.place(e), "unsigned numbers are not supported: write it without the u")
	default:
		s.add(s.place(e), `bytes are not supported: write a text, "..."`)
	}
}

// name reads an identifier: a built-in or a column.
func (s *syntax) name(e ast.Expr) {
	switch name := e.AsIdent(); name {
	case "score", "category", "now":
		s.out.score = s.out.score || name == "score"
		s.out.category = s.out.category || name == "category"
		e.SetKindCase(s.make.NewIdent(e.ID(), "@"+name))
	default:
		if strings.HasPrefix(name, ".") {
			s.add(s.place(e), "a name does not begin with a dot")
		}
		s.column(e, name)
	}
}

// column makes a numbered reference to a column of e.
func (s *syntax) column(e ast.Expr, name string) {
	at := s.place(e)
	number := slices.IndexFunc(s.out.columns, func(c reference) bool { return c.name == name })
	if number < 0 {
		number = len(s.out.columns)
		s.out.columns = append(s.out.columns, reference{name, at})
	}
	e.SetKindCase(s.make.NewIdent(e.ID(), columnName(number)))
}

// columnName is how the checker knows a column.
func columnName(number int) string { return "@" + strconv.Itoa(number) }

func (s *syntax) selection(e ast.Expr) {
	name := e.AsSelect().FieldName()
	operand := e.AsSelect().Operand()
	for ; operand.Kind() == ast.SelectKind; operand = operand.AsSelect().Operand() {
		name = operand.AsSelect().FieldName() + "." + name
	}
	if operand.Kind() != ast.IdentKind {
		s.add(s.place(e), "fields are not supported")
		return
	}
	name = operand.AsIdent() + "." + name
	s.add(s.place(operand), "fields are not supported: a column with a dot in its name is written col(%q)", name)
}

func (s *syntax) call(e ast.Expr) {
	call := e.AsCall()
	name := call.FunctionName()
	if name == "col" && !call.IsMemberFunction() {
		s.namedColumn(e)
		return
	}
	f, known := functions[name]
	args := arguments(call)
	switch {
	case !known:
		s.add(s.place(e), "%s not supported; use %s", described(name), supported)
		return
	case !f.accepts(call.IsMemberFunction(), len(args)):
		s.add(s.place(e), "%s is written %s", f.symbol, f.usage)
		return
	case name == operators.Equals || name == operators.NotEquals:
		args = s.nullTest(e, args)
	case name == operators.In:
		args = s.membership(args)
	case name == "matches":
		args = s.pattern(e, args)
	case name == "timestamp" || name == "duration":
		s.time(e, args[0])
		args = nil
	}
	for _, arg := range args {
		s.visit(arg)
	}
}

// described names what is not supported.
func described(function string) string {
	switch function {
	case operators.Conditional:
		return "a choice, x ? y : z, is"
	case operators.Index:
		return "an index, x[y], is"
	}
	return fmt.Sprintf("the function %q is", function)
}

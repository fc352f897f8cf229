package filter

import (
	"regexp"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// namedColumn reads col("name").
func (s *syntax) namedColumn(e ast.Expr) {
	args := e.AsCall().Args()
	if len(args) != 1 {
		s.add(s.place(e), `col is written col("column name")`)
		return
	}
	name, ok := textOf(args[0])
	if !ok {
		s.add(s.place(args[0]), `col needs the name of a column in quotes: col("column name")`)
		return
	}
	s.column(e, name)
}

func textOf(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

// nullTest makes a test of a comparison with null and gives what is to be visited.
func (s *syntax) nullTest(e ast.Expr, args []ast.Expr) []ast.Expr {
	test := isNull
	if e.AsCall().FunctionName() == operators.NotEquals {
		test = isNotNull
	}
	for i, arg := range args {
		if arg.Kind() == ast.LiteralKind && arg.AsLiteral() == types.NullValue {
			tested := args[1-i]
			e.SetKindCase(s.make.NewCall(e.ID(), test, tested))
			return []ast.Expr{tested}
		}
	}
	return args
}

// pattern compiles the pattern of matches.
func (s *syntax) pattern(e ast.Expr, args []ast.Expr) []ast.Expr {
	text, ok := textOf(args[1])
	if !ok {
		s.add(s.place(args[1]), `matches needs a pattern in quotes: x.matches("pattern")`)
		return args[:1]
	}
	if len(text) > maxPattern {
		s.add(s.place(args[1]), "the pattern has %d bytes, more than %d", len(text), maxPattern)
		return args[:1]
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		s.add(s.place(args[1]), "%v", err)
	}
	s.out.patterns[e.ID()] = compiled
	return args
}

// time reads the literal of timestamp and duration.
func (s *syntax) time(e, arg ast.Expr) {
	name := e.AsCall().FunctionName()
	text, ok := textOf(arg)
	if !ok {
		s.add(s.place(arg), "%s needs a text in quotes: %s", name, functions[name].usage)
		return
	}
	to := types.TimestampType
	if name == "duration" {
		to = types.DurationType
	}
	switch v := types.String(text).ConvertToType(to).(type) {
	case types.Timestamp:
		s.out.fixed[e.ID()] = literal{Timestamp, constant{time: instantOf(v.Time)}}
	case types.Duration:
		s.out.fixed[e.ID()] = literal{Duration, constant{int: int64(v.Duration)}}
	default:
		s.add(s.place(arg), "%q is no %s; one is written %s", text, name, functions[name].usage)
	}
}

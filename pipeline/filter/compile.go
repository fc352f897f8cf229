package filter

import (
	"regexp"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// compiler turns a checked expression into loops. What it is given has been
// checked, so it finds a loop for everything.
type compiler struct {
	checked  *ast.AST
	names    map[string]operand // of columns and built-ins, as they are named in checked
	patterns map[int64]*regexp.Regexp
	fixed    map[int64]literal
	err      error // of a constant
}

// literal is a constant and its kind.
type literal struct {
	kind  Kind
	value constant
}

func (c *compiler) compile(e ast.Expr) operand {
	switch e.Kind() {
	case ast.LiteralKind:
		return literalOperand(e)
	case ast.IdentKind:
		return c.names[e.AsIdent()]
	}
	if known, ok := c.fixed[e.ID()]; ok {
		return constantOperand(known.kind, known.value)
	}
	return c.call(e)
}

func literalOperand(e ast.Expr) operand {
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		return constantOperand(Bool, constant{truth: truthOf(bool(v))})
	case types.Int:
		return constantOperand(Int, constant{int: int64(v)})
	case types.Double:
		return constantOperand(Double, constant{double: float64(v)})
	case types.String:
		return constantOperand(String, constant{text: string(v)})
	}
	return operand{}
}

// call compiles a call, once and for all when its arguments are constants.
func (c *compiler) call(e ast.Expr) operand {
	args := arguments(e.AsCall())
	if e.AsCall().FunctionName() == operators.In {
		return c.fold(operand{kind: Bool, truths: membership(c.compile(args[0]), args[1].AsList().Elements())}, args[:1])
	}
	if pattern, ok := c.patterns[e.ID()]; ok {
		return c.fold(operand{kind: Bool, truths: matching(c.compile(args[0]), pattern)}, args[:1])
	}
	operands := make([]operand, len(args))
	for i, arg := range args {
		operands[i] = c.compile(arg)
	}
	return c.fold(c.apply(e, operands), args)
}

// fold makes a constant of o if all of what it is computed from are.
func (c *compiler) fold(o operand, from []ast.Expr) operand {
	for _, e := range from {
		if c.reads(e) {
			return o
		}
	}
	value, err := o.evaluate()
	if err != nil {
		c.err = err
		return o
	}
	return constantOperand(o.kind, value)
}

// reads reports whether the expression depends on the row.
func (c *compiler) reads(e ast.Expr) bool {
	found := false
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.IdentKind && c.names[e.AsIdent()].fixed == nil
	}))
	return found
}

// arguments gives what a function is applied to: x and y of both f(x, y) and x.f(y).
func arguments(call ast.CallExpr) []ast.Expr {
	if call.IsMemberFunction() {
		return append([]ast.Expr{call.Target()}, call.Args()...)
	}
	return call.Args()
}

var comparisons = map[string]comparison{
	operators.Equals: equal, operators.NotEquals: notEqual,
	operators.Less: less, operators.LessEquals: lessEqual,
	operators.Greater: greater, operators.GreaterEquals: greaterEqual,
}

// apply compiles a function of any kind but those with literal arguments.
func (c *compiler) apply(e ast.Expr, args []operand) operand {
	name := e.AsCall().FunctionName()
	if op, ok := comparisons[name]; ok {
		return operand{kind: Bool, truths: compareOperands(op, args[0], args[1])}
	}
	if relation, ok := textRelations[name]; ok {
		if fixed, ok := args[1].known(); ok {
			return operand{kind: Bool, truths: args[0].asking(relation.with(fixed.text))}
		}
		return operand{kind: Bool, truths: relateTexts(relation.holds, args[0].texts, args[1].texts)}
	}
	switch name {
	case operators.LogicalAnd:
		return operand{kind: Bool, truths: combine(and, args[0], args[1])}
	case operators.LogicalOr:
		return operand{kind: Bool, truths: combine(or, args[0], args[1])}
	case operators.LogicalNot:
		return operand{kind: Bool, truths: negation(args[0])}
	case isNull, isNotNull:
		return operand{kind: Bool, truths: args[0].unknowns(name == isNull)}
	case "size":
		return operand{kind: Int, ints: codePoints(args[0].texts)}
	case "double":
		return operand{kind: Double, doubles: args[0].asDoubles()}
	case operators.Negate:
		return negate(args[0])
	default:
		return computing(name, kindOfType(c.checked.GetType(e.ID())), args[0], args[1])
	}
}

func combine(loop func(dst, other []Truth), x, y operand) conditions {
	return func(b *batch, dst []Truth) {
		x.truths(b, dst)
		other := b.truths.take(len(dst))
		y.truths(b, other)
		loop(dst, other)
		b.truths.give(other)
	}
}

func negation(x operand) conditions {
	return func(b *batch, dst []Truth) {
		x.truths(b, dst)
		not(dst)
	}
}

// known gives the value of an operand that is a constant and not unknown.
func (o operand) known() (constant, bool) {
	if o.fixed == nil || o.fixed.unknown {
		return constant{}, false
	}
	return *o.fixed, true
}

func matching(x operand, pattern *regexp.Regexp) conditions {
	return x.asking(func(dst []Truth, values []string) {
		for i, s := range values {
			dst[i] = truthOf(pattern.MatchString(s))
		}
	})
}

// asking applies a test to a text: to the vocabulary of a column if it has one.
func (o operand) asking(test textTest) conditions {
	if o.source != nil {
		return o.source.ask(test)
	}
	return textSource(func(b *batch) (vocabulary, vector[string]) {
		return vocabulary{}, o.texts(b)
	}).ask(test)
}

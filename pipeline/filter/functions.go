package filter

import (
	"fmt"

	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/containers"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// function is an operator or a function that expressions may use.
type function struct {
	name       string // CEL's
	symbol     string // as it is written
	usage      string // how it is written
	style      style
	signatures []signature
}

// style says how a function is called.
type style uint8

const (
	operator style = iota // x + y
	plainly               // f(x)
	member                // x.f(y)
	anyhow                // f(x) or x.f()
)

// signature is the kinds of the arguments and then of the result.
type signature []*types.Type

// The null tests: Parse puts them in the place of x == null and x != null.
const (
	isNull    = "@is_null"
	isNotNull = "@is_not_null"
)

// supported is all that an expression may call, col apart.
const supported = "== != < <= > >= && || ! + - * / % in " +
	`startsWith endsWith contains matches size double timestamp duration col("name") now score category`

var (
	tBool, tInt, tDouble, tString = types.BoolType, types.IntType, types.DoubleType, types.StringType
	tTime, tSpan, tAny            = types.TimestampType, types.DurationType, types.NewTypeParamType("A")
)

var (
	comparable6 = []signature{
		{tInt, tInt, tBool}, {tInt, tDouble, tBool}, {tDouble, tInt, tBool}, {tDouble, tDouble, tBool},
		{tString, tString, tBool}, {tBool, tBool, tBool}, {tTime, tTime, tBool}, {tSpan, tSpan, tBool},
	}
	twoNumbers = []signature{{tInt, tInt, tInt}, {tDouble, tDouble, tDouble}}
	twoBools   = []signature{{tBool, tBool, tBool}}
	twoTexts   = []signature{{tString, tString, tBool}}
)

var functions = byName(
	function{operators.Equals, "==", "x == y", operator, comparable6},
	function{operators.NotEquals, "!=", "x != y", operator, comparable6},
	function{operators.Less, "<", "x < y", operator, comparable6},
	function{operators.LessEquals, "<=", "x <= y", operator, comparable6},
	function{operators.Greater, ">", "x > y", operator, comparable6},
	function{operators.GreaterEquals, ">=", "x >= y", operator, comparable6},
	function{operators.LogicalAnd, "&&", "x && y", operator, twoBools},
	function{operators.LogicalOr, "||", "x || y", operator, twoBools},
	function{operators.LogicalNot, "!", "!x", operator, []signature{{tBool, tBool}}},
	function{isNull, "== null", "x == null", operator, []signature{{tAny, tBool}}},
	function{isNotNull, "!= null", "x != null", operator, []signature{{tAny, tBool}}},
	function{operators.Add, "+", "x + y", operator, append(twoNumbers[:2:2], signature{tString, tString, tString},
		signature{tTime, tSpan, tTime}, signature{tSpan, tTime, tTime}, signature{tSpan, tSpan, tSpan})},
	function{operators.Subtract, "-", "x - y", operator, append(twoNumbers[:2:2],
		signature{tTime, tTime, tSpan}, signature{tTime, tSpan, tTime}, signature{tSpan, tSpan, tSpan})},
	function{operators.Multiply, "*", "x * y", operator, twoNumbers},
	function{operators.Divide, "/", "x / y", operator, twoNumbers},
	function{operators.Modulo, "%", "x % y", operator, twoNumbers[:1]},
	function{operators.Negate, "-", "-x", operator, []signature{{tInt, tInt}, {tDouble, tDouble}}},
	function{operators.In, "in", "x in [1, 2]", operator, []signature{
		{tString, types.NewListType(tString), tBool}, {tBool, types.NewListType(tBool), tBool},
		{tInt, types.NewListType(tInt), tBool}, {tInt, types.NewListType(tDouble), tBool},
		{tDouble, types.NewListType(tInt), tBool}, {tDouble, types.NewListType(tDouble), tBool}}},
	function{"startsWith", "startsWith", `x.startsWith("y")`, member, twoTexts},
	function{"endsWith", "endsWith", `x.endsWith("y")`, member, twoTexts},
	function{"contains", "contains", `x.contains("y")`, member, twoTexts},
	function{"matches", "matches", `x.matches("pattern")`, member, twoTexts},
	function{"size", "size", "size(x)", anyhow, []signature{{tString, tInt}}},
	function{"double", "double", "double(x)", plainly, []signature{{tInt, tDouble}, {tDouble, tDouble}}},
	function{"timestamp", "timestamp", `timestamp("2026-11-22T00:00:00Z")`, plainly, []signature{{tString, tTime}}},
	function{"duration", "duration", `duration("36h")`, plainly, []signature{{tString, tSpan}}},
)

func byName(list ...function) map[string]function {
	names := make(map[string]function, len(list))
	for _, f := range list {
		names[f.name] = f
	}
	return names
}

// accepts reports whether the function can be called in this way with n arguments.
func (f function) accepts(asMember bool, n int) bool {
	called := f.style == anyhow || asMember == (f.style == member)
	return called && n == len(f.signatures[0])-1
}

// declaration declares the function to the checker.
func (f function) declaration() (*decls.FunctionDecl, error) {
	var overloads []decls.FunctionOpt
	for i, s := range f.signatures {
		args, result := s[:len(s)-1], s[len(s)-1]
		if f.style != member {
			overloads = append(overloads, decls.Overload(fmt.Sprint(f.name, i), args, result))
		}
		if f.style == member || f.style == anyhow {
			overloads = append(overloads, decls.MemberOverload(fmt.Sprint("member ", f.name, i), args, result))
		}
	}
	return decls.NewFunction(f.name, overloads...)
}

// newChecker gives a checker that knows the functions and these variables.
func newChecker(variables []*decls.VariableDecl) (*checker.Env, error) {
	env, err := checker.NewEnv(containers.DefaultContainer, types.NewEmptyRegistry())
	if err != nil {
		return nil, err
	}
	for _, f := range functions {
		declared, err := f.declaration()
		if err != nil {
			return nil, err
		}
		if err := env.AddFunctions(declared); err != nil {
			return nil, err
		}
	}
	return env, env.AddIdents(variables...)
}

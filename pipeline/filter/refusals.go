package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// refusals words what is wrong with the types of an expression.
type refusals struct {
	*faults
	lines   []string
	checked *ast.AST
}

func quote(name string) string { return strconv.Quote(name) }

// builtIns refuses the built-ins that are not known where the expression stands.
func (r refusals) builtIns(o Options) {
	ast.PreOrderVisit(r.checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind {
			return
		}
		at := placeIn(r.lines, r.checked, e)
		switch name := e.AsIdent(); {
		case !o.BuiltIns && (name == "@score" || name == "@category"):
			r.add(at, "%s is not known here; a column of that name is written col(%q)", name[1:], name[1:])
		case name == "@now" && o.Now.IsZero():
			r.add(at, `now is not known here; a column of that name is written col("now")`)
		}
	}))
}

// explain adds a fault of the checker, worded from the types that it found.
func (r refusals) explain(problem *common.Error) {
	e := r.find(problem.ExprID)
	switch {
	case e == nil:
		r.add(placeOfLocation(problem.Location), "%s", problem.Message)
	case e.Kind() == ast.CallKind && strings.HasPrefix(problem.Message, "found no matching overload"):
		r.add(placeIn(r.lines, r.checked, e), "%s", r.mismatch(e.AsCall()))
	default: // an argument of && or ||
		r.add(placeIn(r.lines, r.checked, e), "found %s, want bool", r.typeOf(e))
	}
}

func (r refusals) find(id int64) ast.Expr {
	var found ast.Expr
	ast.PreOrderVisit(r.checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id && found == nil {
			found = e
		}
	}))
	return found
}

// typeOf names the type of an expression as a person would.
func (r refusals) typeOf(e ast.Expr) string {
	t := r.checked.GetType(e.ID())
	if k := kindOfType(t); k != 0 {
		return k.String()
	}
	if t.Kind() == types.ListKind {
		return "a list of " + t.Parameters()[0].String()
	}
	return t.String()
}

// mismatch says which types a function was given, and what would mend it.
func (r refusals) mismatch(call ast.CallExpr) string {
	f := functions[call.FunctionName()]
	args := arguments(call)
	names := make([]string, len(args))
	for i, arg := range args {
		names[i] = r.typeOf(arg)
	}
	given := strings.Join(names, " and ")
	if f.style == operator {
		return fmt.Sprintf("%s cannot be applied to %s%s", quote(f.symbol), given, remedy(call.FunctionName(), names))
	}
	return fmt.Sprintf("%s cannot be applied to %s: it is written %s", f.symbol, given, f.usage)
}

// remedy tells how to write what was probably meant.
func remedy(function string, types []string) string {
	has := func(name string) bool { return slices.Contains(types, name) }
	_, compares := comparisons[function]
	switch {
	case function == operators.Modulo && has("double"):
		return ": it takes integers"
	case has("int") && has("double"):
		return ": write double(x) to make a double of the int"
	case compares && has("timestamp") && has("string"):
		return `: an instant is written timestamp("2026-11-22T00:00:00Z")`
	case compares && has("duration") && (has("string") || has("int")):
		return `: a duration is written duration("36h")`
	case compares && has("bool"):
		return ": bools are compared with true and false"
	case compares && has("string"):
		return `: a text is written in quotes, a number without`
	}
	return ""
}

package filter

import (
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/types"
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/guess"
)

// Want says which results an expression may have.
type Want uint8

// The wants.
const (
	WantBool   Want = iota // for Truth
	WantNumber             // int, double or bool, for Float64s
	WantAny                // all that a column can hold, for Array: no duration
)

// allows reports whether a result of the kind will do.
func (w Want) allows(k Kind) bool {
	switch w {
	case WantBool:
		return k == Bool
	case WantNumber:
		return k == Bool || k == Int || k == Double
	default:
		return k != Duration
	}
}

// String says in words what is wanted.
func (w Want) String() string {
	names := [...]string{"a bool", "a number or bool", "a bool, number, string or timestamp"}
	return names[min(int(w), len(names)-1)]
}

// Options are what an expression can read besides columns, and what it is for.
type Options struct {
	Want       Want
	Now        time.Time // the instant called now; without it, now is an error
	BuiltIns   bool      // score and category may be read
	Categories []string  // the names of the categories by their codes
}

// Program is an expression bound to columns. It is immutable and may be shared;
// each worker makes its own [Evaluator].
type Program struct {
	expression *Expression
	options    Options
	schema     *arrow.Schema
	at         []int  // of each column in schema
	kinds      []Kind // of each column
	result     operand
}

// Type gives the kind of the result.
func (p *Program) Type() Kind { return p.result.kind }

// Columns lists the columns that the program reads, as [Expression.Columns] does.
func (p *Program) Columns() []string { return p.expression.Columns() }

// UsesScore reports whether a batch must come with its scores.
func (p *Program) UsesScore() bool { return p.expression.score }

// UsesCategory reports whether a batch must come with its categories.
func (p *Program) UsesCategory() bool { return p.expression.category }

// Bind checks the expression against the columns of a schema, which may hold
// others too. Its error is an [*Error] of the kind [ErrType] that lists all faults.
func (x *Expression) Bind(schema *arrow.Schema, o Options) (*Program, error) {
	o.Categories = slices.Clone(o.Categories)
	p := &Program{expression: x, options: o, schema: schema}
	if err := guarded(ErrType, p.bind); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Program) bind() error {
	found := &faults{text: p.expression.text}
	p.at, p.kinds = locate(p.expression.columns, p.schema, found)
	checked, err := p.check(found)
	if err != nil {
		return err
	}
	if err := found.err(ErrType); err != nil {
		return err
	}
	c := compiler{checked, p.operands(), p.expression.patterns, p.expression.fixed, nil}
	p.result = c.compile(checked.Expr())
	return c.err
}

// maxSuggestions bounds the search for similar names when an expression and a
// schema have nothing in common.
const maxSuggestions = 20

// locate finds every column in the schema, and its kind: 0 for one that cannot be
// read, which is a fault.
func locate(columns []reference, schema *arrow.Schema, found *faults) (at []int, kinds []Kind) {
	at, kinds = make([]int, len(columns)), make([]Kind, len(columns))
	for i, c := range columns {
		positions := schema.FieldIndices(c.name)
		switch len(positions) {
		case 1:
			at[i] = positions[0]
			dt := schema.Field(at[i]).Type
			if kinds[i] = kindOfColumn(dt); kinds[i] == 0 {
				found.add(c.at, "column %q: found %s, want %s", c.name, dt, columnTypes)
			}
		case 0:
			found.add(c.at, "there is no column %q%s", c.name, didYouMean(c.name, schema, len(found.found)))
		default:
			found.add(c.at, "there are %d columns %q", len(positions), c.name)
		}
	}
	return at, kinds
}

func didYouMean(name string, schema *arrow.Schema, before int) string {
	if before >= maxSuggestions {
		return ""
	}
	names := make([]string, schema.NumFields())
	for i, f := range schema.Fields() {
		names[i] = f.Name
	}
	if near := guess.Nearest(name, names); near != "" {
		return " (did you mean " + quote(near) + "?)"
	}
	return ""
}

// check runs cel-go's checker; what it finds wrong is added in our words.
func (p *Program) check(found *faults) (*ast.AST, error) {
	env, err := newChecker(p.variables())
	if err != nil {
		return nil, err
	}
	text := p.expression.text
	checked, problems := checker.Check(ast.Copy(p.expression.parsed), common.NewTextSource(text), env)
	r := refusals{found, strings.Split(text, "\n"), checked}
	r.builtIns(p.options)
	for _, problem := range problems.GetErrors() {
		r.explain(problem)
	}
	root := checked.Expr()
	if k := kindOfType(checked.GetType(root.ID())); found.found == nil && !p.options.Want.allows(k) {
		found.add(start, "the result is %s, want %s", k, p.options.Want)
	}
	return checked, nil
}

// variables declares the columns and built-ins to the checker; a column that
// cannot be read is of any kind.
func (p *Program) variables() []*decls.VariableDecl {
	list := []*decls.VariableDecl{
		decls.NewVariable("@score", types.DoubleType),
		decls.NewVariable("@category", types.StringType),
		decls.NewVariable("@now", types.TimestampType),
	}
	for i, k := range p.kinds {
		t := types.DynType
		if k != 0 {
			t = kinds[k].cel
		}
		list = append(list, decls.NewVariable(columnName(i), t))
	}
	return list
}

// operands gives what the names of the checked expression stand for.
func (p *Program) operands() map[string]operand {
	category := categories(p.options.Categories)
	names := map[string]operand{
		"@score":    {kind: Double, doubles: scores},
		"@category": {kind: String, source: category, texts: category.rows},
		"@now":      constantOperand(Timestamp, constant{time: instantOf(p.options.Now)}),
	}
	for i, k := range p.kinds {
		names[columnName(i)] = columnOperand(i, k)
	}
	return names
}

package filter

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/parser"
)

// Limits of an expression. A list is bounded by the text.
const (
	maxText    = 16 << 10 // bytes
	maxNodes   = 1000     // operators, functions, columns and values; a list is one
	maxDepth   = 100      // of operators within operators
	maxPattern = 1000     // bytes
)

// Expression is a parsed expression, not yet bound to columns. It is immutable.
type Expression struct {
	text     string
	parsed   *ast.AST // its columns are named by number, its null tests are calls
	columns  []reference
	score    bool
	category bool
	patterns map[int64]*regexp.Regexp // of matches, by the number of the call
	fixed    map[int64]literal        // timestamps and durations, by the number of the call
}

// reference is a column and where it is first used.
type reference struct {
	name string
	at   place
}

// Parse reads an expression and finds in it whatever is wrong whatever the columns
// are. Its error is an [*Error] of the kind [ErrSyntax] that lists all faults.
func Parse(text string) (*Expression, error) {
	var x *Expression
	err := guarded(ErrSyntax, func() (err error) {
		x, err = parse(text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

func parse(text string) (*Expression, error) {
	found := faults{text: text}
	switch {
	case len(text) > maxText:
		found.add(start, "the expression has %d bytes, more than %d", len(text), maxText)
		found.text = ""
	case !utf8.ValidString(text):
		at := strings.IndexRune(strings.ToValidUTF8(text, "\uFFFD"), utf8.RuneError)
		found.add(placeOf(text, at), "the expression is not valid UTF-8")
	}
	if found.found != nil {
		return nil, found.err(ErrSyntax)
	}
	p, err := parser.NewParser(parser.MaxRecursionDepth(maxDepth), parser.ErrorReportingLimit(maxFaults))
	if err != nil {
		return nil, err
	}
	parsed, problems := p.Parse(common.NewTextSource(text))
	if list := problems.GetErrors(); len(list) > 0 {
		return nil, unparsed(found, list)
	}
	s := newSyntax(text, parsed)
	s.visit(parsed.Expr(), 0)
	return s.result()
}

// String gives the text of the expression.
func (x *Expression) String() string { return x.text }

// Columns lists the columns that the expression reads, in the order of first use.
func (x *Expression) Columns() []string {
	names := make([]string, len(x.columns))
	for i, c := range x.columns {
		names[i] = c.name
	}
	return names
}

// UsesScore reports whether the expression reads the score of a row.
func (x *Expression) UsesScore() bool { return x.score }

// UsesCategory reports whether the expression reads the category of a row.
func (x *Expression) UsesCategory() bool { return x.category }

// placeOf gives the place of a byte of the text.
func placeOf(text string, at int) place {
	before := text[:min(max(at, 0), len(text))]
	line := strings.LastIndexByte(before, '\n') + 1
	return place{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[line:])}
}

func placeOfLocation(l common.Location) place {
	return place{max(l.Line(), 1), 1 + max(l.Column(), 0)}
}

// unparsed words what the parser found. Only the first error of the grammar counts:
// those that follow it are mostly of its making.
func unparsed(found faults, problems []*common.Error) error {
	broken := false
	for _, problem := range problems {
		message, grammar := strings.CutPrefix(problem.Message, "Syntax error: ")
		if !grammar || !broken {
			found.add(placeOfLocation(problem.Location), "%s", plainWords(message))
		}
		broken = broken || grammar
	}
	return found.err(ErrSyntax)
}

// sqlWords are what people write who know SQL better.
var sqlWords = strings.NewReplacer(
	"token recognition error at: '= '", `"=" is not an operator: equality is written ==`,
	"token recognition error at: '& '", `"&" is not an operator: and is written &&`,
	"token recognition error at: '| '", `"|" is not an operator: or is written ||`,
	"mismatched input 'and'", `"and" is not an operator: it is written &&`,
	"mismatched input 'or'", `"or" is not an operator: it is written ||`,
	"extraneous input 'and'", `"and" is not an operator: it is written &&`,
	"extraneous input 'or'", `"or" is not an operator: it is written ||`,
	"mismatched input 'in'", `there is nothing at the left of in; the column of that name is written col("in")`,
	"mismatched input '<EOF>'", "something is missing at the end",
)

// plainWords shortens a message of cel-go's parser.
func plainWords(message string) string {
	message, _, _ = strings.Cut(message, " expecting ")
	if name, ok := strings.CutPrefix(message, "reserved identifier: "); ok {
		return `"` + name + `" is a word of the language: the column of that name is written col("` + name + `")`
	}
	return sqlWords.Replace(message)
}

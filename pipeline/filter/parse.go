package filter

import (
	"cmp"
	"fmt"
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
	maxDepth   = 100      // of parts within parts, as the parser counts
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
	switch bad := firstInvalid(text); {
	case len(text) > maxText:
		found.add(start, "the expression has %d bytes, more than %d", len(text), maxText)
		found.text = ""
	case bad >= 0:
		found.add(placeOf(text, bad), "the expression is not valid UTF-8")
	case strings.TrimSpace(text) == "":
		found.add(start, "the expression is empty")
	}
	if err := found.err(ErrSyntax); err != nil {
		return nil, err
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
	s.visit(parsed.Expr())
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

// firstInvalid gives the first byte that is not UTF-8, or -1.
func firstInvalid(text string) int {
	for at, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[at:], "\uFFFD") {
			return at
		}
	}
	return -1
}

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

// commonMistakes are mostly made by people who know SQL better.
var commonMistakes = map[string]string{
	"=":     `"=" is not an operator: equality is written ==`,
	"&":     `"&" is not an operator: and is written &&`,
	"|":     `"|" is not an operator: or is written ||`,
	"and":   `"and" is not an operator: it is written &&`,
	"or":    `"or" is not an operator: it is written ||`,
	"not":   `"not" is not an operator: it is written !`,
	"is":    `"is" is not an operator: a null test is written x == null`,
	"in":    `there is nothing at the left of in; the column of that name is written col("in")`,
	"IN":    `"IN" is written in, with a list: x in ["a", "b"]`,
	"<eof>": "something is missing at the end",
}

// unexpected finds the word that cel-go's parser stopped at.
var unexpected = regexp.MustCompile(`^(?s:token recognition error at: |mismatched input |extraneous input |no viable alternative at input )'(.*?) ?'(?: expecting .*)?$`)

// plainWords says what a message of cel-go's parser means.
func plainWords(message string) string {
	if name, ok := strings.CutPrefix(message, "reserved identifier: "); ok {
		return fmt.Sprintf("%q is a word of the language: the column of that name is written col(%q)", name, name)
	}
	if strings.Contains(message, "recursion") {
		return fmt.Sprintf("the expression is nested deeper than %d levels", maxDepth)
	}
	found := unexpected.FindStringSubmatch(message)
	if found == nil {
		message, _, _ = strings.Cut(message, " expecting ")
		return strings.ReplaceAll(message, "'<EOF>'", "the end")
	}
	word := found[1]
	if mistake := cmp.Or(commonMistakes[word], commonMistakes[strings.ToLower(word)]); mistake != "" {
		return mistake
	}
	if word != "" && strings.ContainsAny(word[:1], `"'`) {
		return "the text has no closing quote"
	}
	return fmt.Sprintf(`%q cannot stand here; a column with such a name is written col("name")`, word)
}

package filter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The kinds of an [Error].
var (
	// ErrSyntax is the kind of what [Parse] refuses: no schema can mend it.
	ErrSyntax = errors.New("the expression is not valid")
	// ErrType is the kind of what [Expression.Bind] refuses: the expression and
	// the columns do not fit each other.
	ErrType = errors.New("the expression does not fit the columns")
)

// Error lists all that is wrong with an expression.
type Error struct {
	Text   string // the expression
	Faults []Fault
	kind   error
}

// Fault is one thing that is wrong, at a place in the expression.
type Fault struct {
	Line, Column int // both from 1, the column in code points
	Message      string
}

// Is reports whether target is the kind of the error, [ErrSyntax] or [ErrType].
func (e *Error) Is(target error) bool { return target == e.kind }

// Error gives every fault with its place, and shows the places in the text:
//
//	1:1: there is no column "cuntry" (did you mean "country"?)
//	  cuntry == "FR"
//	  ^
func (e *Error) Error() string {
	var out strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "%d:%d: %s", f.Line, f.Column, f.Message)
		if line, column := excerpt(e.Text, f); line != "" {
			fmt.Fprintf(&out, "\n  %s\n  %s^", line, strings.Repeat(" ", column))
		}
	}
	return out.String()
}

// maxExcerpt bounds how much of a line an error shows, in code points.
const maxExcerpt = 100

// excerpt gives the line of a fault, or the part of it around the fault, and how
// many code points of that stand before the fault.
func excerpt(text string, f Fault) (line string, column int) {
	lines := strings.Split(text, "\n")
	if f.Line < 1 || f.Line > len(lines) {
		return "", 0
	}
	points := []rune(strings.TrimSuffix(lines[f.Line-1], "\r"))
	column = min(max(f.Column-1, 0), len(points))
	from := 0
	if column > maxExcerpt*3/4 {
		from = column - maxExcerpt/2
	}
	points = points[from:min(len(points), from+maxExcerpt)]
	for i, r := range points {
		if r < ' ' || r == 0x7F {
			points[i] = ' '
		}
	}
	return string(points), column - from
}

// faults collects what is wrong with an expression.
type faults struct {
	text  string
	found []Fault
}

// maxFaults bounds how many are reported.
const maxFaults = 20

func (f *faults) add(p place, format string, args ...any) {
	if len(f.found) < maxFaults {
		f.found = append(f.found, Fault{p.line, p.column, fmt.Sprintf(format, args...)})
	}
}

// err gives what was found as an error of the kind, in the order of the text.
func (f *faults) err(kind error) error {
	if f.found == nil {
		return nil
	}
	slices.SortStableFunc(f.found, func(x, y Fault) int {
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	return &Error{f.text, f.found, kind}
}

// place is where in the text something is, both from 1.
type place struct{ line, column int }

var start = place{1, 1}

// guarded runs f, which calls cel-go or Arrow, and makes an error of a panic.
func guarded(kind error, f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%w: it could not be handled: %v", kind, fault)
		}
	}()
	return f()
}

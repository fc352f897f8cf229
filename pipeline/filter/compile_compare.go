package filter

import (
	"cmp"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// compareOperands compiles a comparison of two operands of one kind, or of an
// integer and a double.
func compareOperands(op comparison, x, y operand) conditions {
	if _, ok := x.known(); ok && y.fixed == nil {
		x, y, op = y, x, op.flipped()
	}
	c, fixed := y.known()
	if x.kind != y.kind {
		c.double += float64(c.int) // one of them is 0
		return compareVectors(op, x.asDoubles(), y.asDoubles(), c.double, fixed)
	}
	switch x.kind {
	case Bool:
		return combine(func(dst, other []Truth) { compareTruths(op, dst, other) }, x, y)
	case Int, Duration:
		return compareVectors(op, x.ints, y.ints, c.int, fixed)
	case Double:
		return compareVectors(op, x.doubles, y.doubles, c.double, fixed)
	case String:
		if fixed {
			return x.asking(func(dst []Truth, values []string) { compareWith(op, dst, values, c.text) })
		}
		return comparingRows(op, x.texts, y.texts, compare)
	default:
		if fixed && x.date > 0 {
			return comparingDates(op, x.date-1, c.time)
		}
		return comparingRows(op, x.times, y.times, compareInstants)
	}
}

// compareVectors compares x with y, or with c where that is what y is.
func compareVectors[T cmp.Ordered](op comparison, x, y vectors[T], c T, fixed bool) conditions {
	if fixed {
		return comparing(op, x, c)
	}
	return comparingRows(op, x, y, compare)
}

// membership compiles the test whether x is one of some literals, which are all
// texts, all bools, all integers or all doubles.
func membership(x operand, list []ast.Expr) conditions {
	var texts, ints, doubles = set[string]{}, set[int64]{}, set[float64]{}
	var truths [True + 1]Truth
	for _, e := range list {
		switch v := e.AsLiteral().(type) {
		case types.String:
			texts = append(texts, string(v))
		case types.Int:
			ints = append(ints, int64(v))
			doubles = append(doubles, float64(v))
		case types.Double:
			doubles = append(doubles, float64(v))
		case types.Bool:
			truths[truthOf(bool(v))] = True
		}
	}
	switch {
	case x.kind == String:
		return x.asking(texts.test())
	case x.kind == Bool:
		truths[Unknown] = Unknown
		return func(b *batch, dst []Truth) {
			x.truths(b, dst)
			for i, t := range dst {
				dst[i] = truths[t&3]
			}
		}
	case x.kind == Int && len(ints) == len(list):
		return looking(x.ints, ints.test())
	default:
		return looking(x.asDoubles(), doubles.test())
	}
}

// set is the values of a list.
type set[T cmp.Ordered] []T

// few is the longest list that is compared with one value after the other.
const few = 6

// test gives the loop that looks values up in the set.
func (s set[T]) test() func(dst []Truth, values []T) {
	if len(s) <= few {
		return s.testFew
	}
	members := make(map[T]struct{}, len(s))
	for _, x := range s {
		members[x] = struct{}{}
	}
	return func(dst []Truth, values []T) {
		for i, x := range values {
			_, found := members[x]
			dst[i] = truthOf(found)
		}
	}
}

func (s set[T]) testFew(dst []Truth, values []T) {
	clear(dst)
	for _, c := range s {
		for i, x := range values {
			dst[i] |= truthOf(x == c)
		}
	}
}

func looking[T any](x vectors[T], test func(dst []Truth, values []T)) conditions {
	return func(b *batch, dst []Truth) {
		v := x(b)
		test(dst, v.values)
		mask(dst, v.unknown)
		give(b, v)
	}
}

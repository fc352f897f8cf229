package filter

import "cmp"

// comparison is one of the six comparing operators.
type comparison uint8

const (
	equal comparison = iota
	notEqual
	less
	lessEqual
	greater
	greaterEqual
)

// flipped gives the comparison that holds of (y, x) where op holds of (x, y).
func (op comparison) flipped() comparison {
	return [...]comparison{equal, notEqual, greater, greaterEqual, less, lessEqual}[op]
}

// compareWith compares every value with c, as IEEE 754 does when they are floats.
func compareWith[T cmp.Ordered](op comparison, dst []Truth, values []T, c T) {
	dst = dst[:len(values)]
	switch op {
	case equal:
		for i, x := range values {
			dst[i] = truthOf(x == c)
		}
	case notEqual:
		for i, x := range values {
			dst[i] = truthOf(x != c)
		}
	case less:
		for i, x := range values {
			dst[i] = truthOf(x < c)
		}
	case lessEqual:
		for i, x := range values {
			dst[i] = truthOf(x <= c)
		}
	case greater:
		for i, x := range values {
			dst[i] = truthOf(x > c)
		}
	case greaterEqual:
		for i, x := range values {
			dst[i] = truthOf(x >= c)
		}
	}
}

// compare compares the values of x and y row by row.
func compare[T cmp.Ordered](op comparison, dst []Truth, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	switch op {
	case equal:
		for i := range x {
			dst[i] = truthOf(x[i] == y[i])
		}
	case notEqual:
		for i := range x {
			dst[i] = truthOf(x[i] != y[i])
		}
	case less:
		for i := range x {
			dst[i] = truthOf(x[i] < y[i])
		}
	case lessEqual:
		for i := range x {
			dst[i] = truthOf(x[i] <= y[i])
		}
	case greater:
		for i := range x {
			dst[i] = truthOf(x[i] > y[i])
		}
	case greaterEqual:
		for i := range x {
			dst[i] = truthOf(x[i] >= y[i])
		}
	}
}

// compareTruths compares bools, false being less than true; a row is unknown
// where one of the two is.
func compareTruths(op comparison, dst, other []Truth) {
	var compared [4][4]Truth
	for _, x := range [...]Truth{False, True} {
		for _, y := range [...]Truth{False, True} {
			compare(op, compared[x][y:y+1], []Truth{x}, []Truth{y})
		}
	}
	for _, t := range [...]Truth{False, Unknown, True} {
		compared[t][Unknown], compared[Unknown][t] = Unknown, Unknown
	}
	other = other[:len(dst)]
	for i, x := range dst {
		dst[i] = compared[x&3][other[i]&3]
	}
}

// compareInstants compares the instants of x and y row by row.
func compareInstants(op comparison, dst []Truth, x, y []instant) {
	var of [3]Truth // by the order of the two, less first
	compareWith(op, of[:], []int{-1, 0, 1}, 0)
	dst, y = dst[:len(x)], y[:len(x)]
	for i := range x {
		dst[i] = of[1+x[i].compare(y[i])]
	}
}

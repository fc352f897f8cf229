package filter

import (
	"math"
	"math/bits"
)

// A checked loop computes dst from x and y row by row, where dst may be one of
// the two, and marks the rows Unknown whose result an int64 does not hold.
type checked func(dst, x, y []int64, unknown []Truth)

func addInts(dst, x, y []int64, unknown []Truth) {
	y, dst, unknown = y[:len(x)], dst[:len(x)], unknown[:len(x)]
	for i, a := range x {
		c := y[i]
		sum := a + c
		dst[i] = sum
		unknown[i] |= negative((a ^ sum) & (c ^ sum))
	}
}

func subtractInts(dst, x, y []int64, unknown []Truth) {
	y, dst, unknown = y[:len(x)], dst[:len(x)], unknown[:len(x)]
	for i, a := range x {
		c := y[i]
		difference := a - c
		dst[i] = difference
		unknown[i] |= negative((a ^ c) & (a ^ difference))
	}
}

func multiplyInts(dst, x, y []int64, unknown []Truth) {
	y, dst, unknown = y[:len(x)], dst[:len(x)], unknown[:len(x)]
	for i, a := range x {
		product, fits := multiply(a, y[i])
		dst[i] = product
		if !fits {
			unknown[i] = Unknown
		}
	}
}

// multiply gives the product, and whether an int64 holds it.
func multiply(x, y int64) (int64, bool) {
	high, low := bits.Mul64(uint64(x), uint64(y))
	signed := int64(high) - x>>63&y - y>>63&x
	return int64(low), signed == int64(low)>>63
}

func divideInts(dst, x, y []int64, unknown []Truth) {
	for i, a := range x {
		if c := y[i]; dividable(a, c) {
			dst[i] = a / c
		} else {
			unknown[i] = Unknown
		}
	}
}

func remainderInts(dst, x, y []int64, unknown []Truth) {
	for i, a := range x {
		if c := y[i]; dividable(a, c) {
			dst[i] = a % c
		} else {
			unknown[i] = Unknown
		}
	}
}

func dividable(x, y int64) bool {
	return y != 0 && (y != -1 || x != math.MinInt64)
}

// negative is Unknown for a number below zero, else False.
func negative(n int64) Truth { return Truth(uint64(n) >> 63) }

// A plain loop computes dst from x and y row by row, where dst may be one of the
// two, and every result will do.
type plain func(dst, x, y []float64)

func addDoubles(dst, x, y []float64) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, a := range x {
		dst[i] = a + y[i]
	}
}

func subtractDoubles(dst, x, y []float64) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, a := range x {
		dst[i] = a - y[i]
	}
}

func multiplyDoubles(dst, x, y []float64) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, a := range x {
		dst[i] = a * y[i]
	}
}

func divideDoubles(dst, x, y []float64) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, a := range x {
		dst[i] = a / y[i]
	}
}

func toDoubles(dst []float64, src []int64) {
	dst = dst[:len(src)]
	for i, n := range src {
		dst[i] = float64(n)
	}
}

func negateInts(dst, x []int64, unknown []Truth) {
	for i, n := range x {
		dst[i] = -n
		if n == math.MinInt64 {
			unknown[i] = Unknown
		}
	}
}

// since writes the nanoseconds from y to x.
func since(dst []int64, x, y []instant, unknown []Truth) {
	for i := range x {
		nanos, ok := x[i].since(y[i])
		dst[i] = nanos
		if !ok {
			unknown[i] = Unknown
		}
	}
}

// since gives the nanoseconds from y to x; false where CEL's arithmetic, seconds
// first, overflows.
func (x instant) since(y instant) (int64, bool) {
	s := x.seconds - y.seconds
	if (x.seconds^y.seconds)&(x.seconds^s) < 0 {
		return 0, false
	}
	whole, ok := multiply(s, second)
	nanos := x.nanos - y.nanos
	sum := whole + nanos
	return sum, ok && (whole^sum)&(nanos^sum) >= 0
}

// shift moves the instants in place by durations, or back.
func shift(times []instant, durations []int64, back bool, unknown []Truth) {
	for i, d := range durations {
		ok := true
		if back {
			ok = d != math.MinInt64
			d = -d
		}
		if ok {
			times[i], ok = times[i].plus(d)
		}
		if !ok {
			unknown[i] = Unknown
		}
	}
}

// plus gives x moved by a duration; false outside the years 1 to 9999.
func (x instant) plus(nanos int64) (instant, bool) {
	if x.seconds < 2*firstSecond || x.seconds > 2*lastSecond {
		return x, false // farther away than any duration reaches
	}
	n := x.nanos + nanos%second
	carry := floorDivide(n, second)
	moved := instant{x.seconds + nanos/second + carry, n - carry*second}
	return moved, moved.seconds >= firstSecond && moved.seconds <= lastSecond
}

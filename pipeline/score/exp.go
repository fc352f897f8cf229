package score

import "math"

const (
	expSteps = 128 // entries of expTable, a power of two
	expBits  = 7   // its logarithm

	stepsPerLn2 = expSteps / math.Ln2
	// ln2/expSteps in two parts; the high one ends in 21 zero bits, so that its
	// product with any step number below is exact.
	ln2High = 0x1.62e42feep-01 / expSteps
	ln2Low  = 0x1.a39ef35793c76p-33 / expSteps

	// Adding 1.5*2^52 leaves a number rounded to a whole one in the low bits.
	roundingShift = 0x1.8p52

	expOverflow  = 710  // e^x is above every float64
	expUnderflow = -746 // e^x is below half of the smallest float64
)

// Exp gives e^x within one unit in the last place, over the whole range: 0 or a
// subnormal number far below, +Inf above 709.78, NaN for NaN. It is the same
// bits on every processor, which [math.Exp] is not: every product is rounded by
// a conversion, so that no compiler may fuse it with a sum.
//
// The method is Tang's (ACM TOMS 15, 1989): x = n*ln2/128 + r, and then
// e^x = 2^(n/128) * e^r from a table of 128 powers and a polynomial in the
// small r.
func Exp(x float64) float64 {
	switch {
	case x > expOverflow:
		return math.Inf(1)
	case x < expUnderflow:
		return 0
	case x != x:
		return x
	}
	shifted := float64(x*stepsPerLn2) + roundingShift
	n := int32(math.Float64bits(shifted))
	steps := shifted - roundingShift
	r := (x - float64(steps*ln2High)) - float64(steps*ln2Low)

	power := &expTable[n&(expSteps-1)]
	m := power[0] + (power[1] + float64(power[0]*expMinus1(r)))
	return scale2(m, n>>expBits)
}

// expMinus1 gives e^r-1 for |r| <= ln2/256: the Taylor sum to r^5, whose
// remainder is below 2^-60.
func expMinus1(r float64) float64 {
	rr := float64(r * r)
	low := 1.0/2 + float64(r*(1.0/6))
	high := 1.0/24 + float64(r*(1.0/120))
	return r + float64(rr*(low+float64(rr*high)))
}

// scale2 gives m * 2^k for m in [0.5, 2) and |k| <= 1100, in two steps of which
// only the second can round.
func scale2(m float64, k int32) float64 {
	half := k >> 1
	return float64(float64(m*power2(half)) * power2(k-half))
}

func power2(k int32) float64 { return math.Float64frombits(uint64(k+1023) << 52) }

// Logistic gives 1/(1+e^-m), the probability of a margin; NaN for NaN.
func Logistic(m float64) float64 { return 1 / (1 + Exp(-m)) }

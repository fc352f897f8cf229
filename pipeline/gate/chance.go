package gate

import (
	"math"
	"math/big"
)

// A limit says what is too much; among few users as much can come about by chance.
// A gate therefore refuses, and warns, only of what exceeds its limit and is not
// explained by chance. The tests of this file say what is: they suppose that
// nothing changed, and call chance what then happens to more than one night in
// 100,000, or for a count of rows, to more than one in 400. The users of two nights
// are taken for independent samples; as most users are the same, chance moves less
// than that.

// byChanceAbove is the normal deviate below which a difference between two nights
// is taken for chance: two-sided, one night in 100,000.
const byChanceAbove = 4.4172

// sample is n of total users.
type sample struct{ n, total int64 }

func (s sample) share() *big.Rat { return share(s.n, s.total) }

// differByChance is the two-proportion z-test with the pooled share (J. L. Fleiss,
// B. Levin, M. C. Paik, Statistical Methods for Rates and Proportions, 3rd edition,
// Wiley 2003, section 3.1).
func differByChance(a, b sample) bool {
	n, m := float64(a.total), float64(b.total)
	pooled := (float64(a.n) + float64(b.n)) / (n + m)
	variance := pooled * (1 - pooled) * (1/n + 1/m)
	d := float64(a.n)/n - float64(b.n)/m
	return d*d <= byChanceAbove*byChanceAbove*variance
}

// countsAsStated is the count above which a share is compared with its limit alone:
// so many rows are no accident of few.
const countsAsStated = 30

// rareCount is the chance below which a count of rows is no accident.
const rareCount = 0.0025

// exceedsByChance says whether n or more of total would be no rare accident if the
// share were just the limit: the exact binomial test (C. J. Clopper, E. S. Pearson,
// The use of confidence or fiducial limits, Biometrika 26, 1934). One rejected row
// of 500 is above a limit of 0.1 % and tells nothing; four do.
func exceedsByChance(s sample, limit float64) bool {
	if s.n > countsAsStated || !(limit > 0 && limit < 1) {
		return false
	}
	n, below := float64(s.total), 0.0
	all, _ := math.Lgamma(n + 1)
	for k := range s.n {
		chosen, _ := math.Lgamma(float64(k) + 1)
		left, _ := math.Lgamma(n - float64(k) + 1)
		below += math.Exp(all - chosen - left + float64(k)*math.Log(limit) + (n-float64(k))*math.Log1p(-limit))
	}
	return 1-below >= rareCount
}

// indexByChance is the stability index that two samples of the same users stay
// below but for one night in 100,000: without a change the index is distributed as
// (1/n + 1/m) times chi-square with one degree less than there are buckets
// (B. Yurdakul, J. Naranjo, Statistical properties of the population stability
// index, Journal of Risk Model Validation 14(4), 2020). Buckets that are empty in
// both have no part in it.
func indexByChance(now, before [20]int64) float64 {
	used := -1.0
	for i := range now {
		if now[i]+before[i] > 0 {
			used++
		}
	}
	return (1/float64(sum(now[:])) + 1/float64(sum(before[:]))) * rareChiSquare(used)
}

// rareChiSquare gives the quantile of chi-square that one value in 100,000 exceeds,
// by the cube root that is nearly normal (E. B. Wilson, M. M. Hilferty, The
// distribution of chi-square, PNAS 17, 1931).
func rareChiSquare(degrees float64) float64 {
	const deviate = 4.2649 // one-sided
	if degrees < 1 {
		return 0
	}
	v := 2 / (9 * degrees)
	root := 1 - v + deviate*math.Sqrt(v)
	return degrees * root * root * root
}

// leastConstant is the number of users from which one score for all is no accident:
// of ten users whose commonest score is that of every second one, all have it on
// one night in a thousand.
const leastConstant = 10

// pardoned turns a verdict into a pass when what exceeds the limit is explained by
// chance, and says so.
func (r Result) pardoned(byChance bool) Result {
	if byChance && (r.Status == Refuse || r.Status == Warn) {
		r.Status = Pass
		r.Message = trimStop(r.Message) + "; among so few users that can be chance."
	}
	return r
}

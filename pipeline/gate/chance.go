package gate

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
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

// degreesOf is one less than there are buckets that are not empty in both: those
// that are have no part in any comparison.
func degreesOf(now, before [20]int64) float64 {
	degrees := -1.0
	for i := range now {
		if now[i]+before[i] > 0 {
			degrees++
		}
	}
	return degrees
}

// indexByChance gives what the stability index of two samples of the same users is
// on average, and what it stays below but for one night in 100,000: without a
// change it is distributed as (1/n + 1/m) times chi-square (B. Yurdakul, J. Naranjo,
// Statistical properties of the population stability index, Journal of Risk Model
// Validation 14(4), 2020).
func indexByChance(now, before [20]int64) (mean, most float64) {
	degrees := degreesOf(now, before)
	unit := 1/float64(sum(now[:])) + 1/float64(sum(before[:]))
	return unit * degrees, unit * rareChiSquare(degrees)
}

// spreadByChance says whether two samples of the same users fall into the buckets as
// differently on more than one night in 100,000: the chi-square test of homogeneity
// (Fleiss, Levin, Paik, section 9.1). Where buckets hold one or two users, whose
// logarithms carry the index far beyond its distribution, this one holds.
func spreadByChance(now, before [20]int64) bool {
	n, m := float64(sum(now[:])), float64(sum(before[:]))
	square := 0.0
	for i := range now {
		a, b := float64(now[i]), float64(before[i])
		if a+b > 0 {
			square += (a*m - b*n) * (a*m - b*n) / (a + b)
		}
	}
	return square/(n*m) <= rareChiSquare(degreesOf(now, before))
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

// ofChance excuses what few users may show by chance.
const ofChance = "among so few users that can be chance"

// ofWeek excuses what was so a week before.
func ofWeek(week Night) string {
	return "so it was on " + week.Date.String() + ", the same day of the week"
}

// weekBefore gives the publication of the same day of the week before, for users
// behave by the week; false where there is none, or where an operator let it pass
// the gate, so that it is no example.
func (c comparison) weekBefore(gate string) (Night, bool) {
	for _, n := range c.history {
		if n.Date == c.tonight.Date.AddDays(-7) && sum(n.Counts) > 0 {
			return n, !slices.Contains(n.Accepted, gate)
		}
	}
	return Night{}, false
}

// pardoned turns a verdict into a pass when there is an excuse for what exceeds the
// limit, and says it.
func (r Result) pardoned(excuse string) Result {
	if excuse != "" && (r.Status == Refuse || r.Status == Warn) {
		r.Status = Pass
		r.Message = fmt.Sprintf("%s; %s.", strings.TrimSuffix(r.Message, "."), excuse)
	}
	return r
}

// excuseOfChance is ofChance, or no excuse.
func excuseOfChance(byChance bool) string {
	if byChance {
		return ofChance
	}
	return ""
}

package gate

import (
	"fmt"
	"math/big"
	"slices"
)

// rows compares the rows read with the median of the earlier publications, so
// that one odd night does not move what is usual.
func rows(c comparison) (Result, bool) {
	if c.tonight.Read == 0 {
		return Result{}, false
	}
	usual := medianRows(c.history)
	if usual.Sign() == 0 {
		return noHistory(fmt.Sprintf("The snapshot has %s rows", Count(c.tonight.Read))), true
	}
	limits := c.limits.Rows
	value := new(big.Rat).Quo(share(c.tonight.Read, 1), usual)
	r := limits.judge(value)
	r.Message = fmt.Sprintf("The snapshot has %s rows, usually %s (median of earlier publications: %d): %s times as many, allowed are %s to %s times.",
		Count(c.tonight.Read), decimals(usual, 1), len(c.history), decimals(value, 4), number(limits.Min), number(limits.Max))
	return r, true
}

// medianRows gives the middle one of the rows read, or the mean of the middle two;
// zero without history.
func medianRows(history []Night) *big.Rat {
	if len(history) == 0 {
		return new(big.Rat)
	}
	var read []int64
	for _, n := range history {
		read = append(read, n.Read)
	}
	slices.Sort(read)
	low, high := share(read[(len(read)-1)/2], 2), share(read[len(read)/2], 2)
	return low.Add(low, high)
}

func rejected(c comparison) (Result, bool) {
	return partOfRows(c.tonight, c.tonight.Rejected, c.limits.Rejected, "could not be scored")
}

func duplicates(c comparison) (Result, bool) {
	return partOfRows(c.tonight, c.tonight.Duplicates, c.limits.Duplicates, "repeated the id of another")
}

// partOfRows judges the n of the rows read whose fate is told by what.
func partOfRows(tonight Night, n int64, limit float64, what string) (Result, bool) {
	if tonight.Read == 0 {
		return Result{}, false
	}
	value := share(n, tonight.Read)
	r := atMost(value, limit)
	r.Message = fmt.Sprintf("%s of %s rows %s: %s, at most %s is allowed.",
		Count(n), Count(tonight.Read), what, percent(value), percentOf(limit))
	return r.pardoned(excuseOfChance(exceedsByChance(sample{n, tonight.Read}, limit))), true
}

// empty refuses a night without a scored user.
func empty(c comparison) (Result, bool) {
	r := Result{Value: float64(c.tonight.Scored), Status: Pass}
	switch {
	case c.tonight.Scored > 0:
		r.Message = fmt.Sprintf("%s users were scored, at least 1 is expected.", Count(c.tonight.Scored))
		return r, true
	case c.tonight.Read > 0:
		r.Message = fmt.Sprintf("None of the %s rows gave a scored user, at least 1 is expected.", Count(c.tonight.Read))
	default:
		r.Message = "The snapshot has no rows, at least 1 is expected."
	}
	r.Status = Refuse
	return r, true
}

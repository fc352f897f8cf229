package gate

import (
	"fmt"
	"math"
	"math/big"
	"slices"
)

// previous gives the newest earlier publication that holds scored users.
func (c comparison) previous() (Night, bool) {
	i := slices.IndexFunc(c.history, func(n Night) bool { return sum(n.Counts) > 0 })
	if i < 0 {
		return Night{}, false
	}
	return c.history[i], true
}

func sum(counts []int64) int64 {
	n := int64(0)
	for _, c := range counts {
		n += c
	}
	return n
}

// categoryShift compares each category's share of the users with the share that
// the previous publication's scores have under tonight's cuts, so that a change of
// the cuts is no shift, and reports the category that changed most.
func categoryShift(c comparison) (Result, bool) {
	if c.tonight.Scored == 0 || len(c.tonight.Categories) == 0 {
		return Result{}, false
	}
	before, ok := c.previous()
	if !ok {
		return noHistory("The shares of the categories are known"), true
	}
	var worst shift
	for i, s := range recut(before.Counts, c.tonight.Categories) {
		t := shift{s.Name, share(c.tonight.Categories[i].Count, c.tonight.Scored), s.Count, sum(before.Counts)}
		if worst.now == nil || t.change().Cmp(worst.change()) > 0 {
			worst = t
		}
	}
	r := c.limits.CategoryShift.judge(worst.change())
	r.Message = fmt.Sprintf("Category %q holds %s of the users, %s on %s: a change by %s, warned above %s and refused above %s.",
		worst.name, percent(worst.now), percent(share(worst.users, worst.total)), before.Date,
		percent(worst.change()), percentOf(c.limits.CategoryShift.Warn), percentOf(c.limits.CategoryShift.Refuse))
	return r, true
}

// recut counts the users of each of the categories, highest first, from the
// counts of the scores.
func recut(counts []int64, categories []Share) []Share {
	out := slices.Clone(categories)
	end := len(counts)
	for i := range out {
		from := min(int(out[i].From), end)
		out[i].Count = sum(counts[from:end])
		end = from
	}
	return out
}

// shift is how the share of one category moved: from users of total to now.
type shift struct {
	name         string
	now          *big.Rat
	users, total int64
}

// change gives |now - then| / then. A category that was empty counts as one user:
// from nothing, every change would be infinite.
func (s shift) change() *big.Rat {
	if s.users == 0 && s.now.Sign() == 0 {
		return new(big.Rat)
	}
	then := share(max(s.users, 1), s.total)
	d := new(big.Rat).Sub(s.now, then)
	return d.Quo(d.Abs(d), then)
}

// stability compares the shares of 20 equal score buckets with those of the
// previous publication.
func stability(c comparison) (Result, bool) {
	if sum(c.tonight.Counts) == 0 {
		return Result{}, false
	}
	before, ok := c.previous()
	if !ok {
		return noHistory("The distribution of the scores is known"), true
	}
	value := psi(buckets(c.tonight.Counts), buckets(before.Counts))
	r := c.limits.PSI.judge(new(big.Rat).SetFloat64(value))
	r.Message = fmt.Sprintf("The distribution of the scores moved by a population stability index of %.4f since %s, warned above %s and refused above %s.",
		value, before.Date, number(c.limits.PSI.Warn), number(c.limits.PSI.Refuse))
	return r, true
}

// buckets sums the counts of the scores in 20 buckets of width 5; the last one
// holds 100 too.
func buckets(counts []int64) (b [20]int64) {
	for score, n := range counts {
		b[min(score/500, len(b)-1)] += n
	}
	return b
}

// leastShare stands in the index for the share of a bucket that is empty or
// smaller: one user in 10,000. So the index stays finite, and a few users in a
// bucket that was empty do not raise it, whatever the size of the night.
const leastShare = 0.0001

// psi is the population stability index, the sum over the buckets of
// (a - b) ln(a / b) with a and b the shares of a bucket now and before
// (N. Siddiqi, Credit Risk Scorecards, Wiley 2006, chapter 9; it is the symmetric
// divergence of H. Jeffreys, 1946). Below 0.1 counts as stable, above 0.25 as
// a different population. Both distributions hold at least one user.
func psi(now, before [20]int64) float64 {
	total, totalBefore := float64(sum(now[:])), float64(sum(before[:]))
	index := 0.0
	for i := range now {
		a := max(float64(now[i])/total, leastShare)
		b := max(float64(before[i])/totalBefore, leastShare)
		index += (a - b) * math.Log(a/b)
	}
	return index
}

// constant judges how many users share the most frequent score. A single user
// tells nothing.
func constant(c comparison) (Result, bool) {
	total := sum(c.tonight.Counts)
	if total < 2 {
		return Result{}, false
	}
	most := slices.Max(c.tonight.Counts)
	value := share(most, total)
	r := atMost(value, c.limits.Constant)
	r.Message = fmt.Sprintf("%s of %s users have the score %.2f: %s, at most %s is allowed.",
		count(most), count(total), float64(slices.Index(c.tonight.Counts, most))/100, percent(value), percentOf(c.limits.Constant))
	return r, true
}

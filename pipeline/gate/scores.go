package gate

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
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
// the cuts is no shift, and reports the category that changed most, of those that
// did not change by chance if there is any.
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
		t := shift{s.Name, sample{c.tonight.Categories[i].Count, c.tonight.Scored}, sample{s.Count, sum(before.Counts)}}
		if i == 0 || t.worseThan(worst) {
			worst = t
		}
	}
	r := c.limits.CategoryShift.judge(worst.change())
	r.Message = fmt.Sprintf("Category %q holds %s of the users, %s on %s: a change by %s, warned above %s and refused above %s.",
		worst.name, percent(worst.now.share()), percent(worst.then.share()), before.Date,
		percent(worst.change()), percentOf(c.limits.CategoryShift.Warn), percentOf(c.limits.CategoryShift.Refuse))
	r = r.pardoned(worst.byChance())
	r.Message += c.noteOfCuts(before)
	return r, true
}

// noteOfCuts says what a change of the cuts does to the numbers of users, which is
// no shift of the scores; "" where they are the same, or move by themselves.
func (c comparison) noteOfCuts(before Night) string {
	same := func(a, b Share) bool { return a.Name == b.Name && (a.From == b.From || c.tonight.ByShare) }
	if before.Categories == nil || slices.EqualFunc(c.tonight.Categories, before.Categories, same) {
		return ""
	}
	return fmt.Sprintf(" The categories changed since %s: tonight %s; by the cuts of then it would be %s.",
		before.Date, sizes(c.tonight.Categories), sizes(recut(c.tonight.Counts, before.Categories)))
}

// sizes lists how many users each category holds.
func sizes(categories []Share) string {
	var all []string
	for _, s := range categories {
		all = append(all, s.Name+" "+count(s.Count))
	}
	return strings.Join(all, ", ")
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

// shift is how the share of one category moved.
type shift struct {
	name      string
	now, then sample
}

func (s shift) byChance() bool { return differByChance(s.now, s.then) }

// worseThan says whether s tells more than o: no chance, or else the greater change.
func (s shift) worseThan(o shift) bool {
	if s.byChance() != o.byChance() {
		return o.byChance()
	}
	return s.change().Cmp(o.change()) > 0
}

// change gives |now - then| / then. A category that was empty counts as one user:
// from nothing, every change would be infinite.
func (s shift) change() *big.Rat {
	if s.then.n == 0 && s.now.n == 0 {
		return new(big.Rat)
	}
	then := share(max(s.then.n, 1), s.then.total)
	d := new(big.Rat).Sub(s.now.share(), then)
	return d.Quo(d.Abs(d), then)
}

// stability compares the shares of 20 equal score buckets with those of the
// previous publication and of the baseline, and reports the one that differs more.
func stability(c comparison) (Result, bool) {
	if sum(c.tonight.Counts) == 0 {
		return Result{}, false
	}
	var since []drift
	now := buckets(c.tonight.Counts)
	if before, ok := c.previous(); ok {
		since = append(since, driftSince(before.Date.String(), now, buckets(before.Counts)))
	}
	if b := c.tonight.Baseline; b != nil && sum(b.Counts) > 0 {
		since = append(since, driftSince("the baseline "+b.Date.String(), now, buckets(b.Counts)))
	}
	if since == nil {
		return noHistory("The distribution of the scores is known"), true
	}
	slices.SortStableFunc(since, drift.compare)
	worst, rest := since[0], ""
	for _, d := range since[1:] {
		rest = fmt.Sprintf(" (%.4f since %s)", d.index, d.since)
	}
	r := c.limits.PSI.judge(new(big.Rat).SetFloat64(worst.index))
	r.Message = fmt.Sprintf("The distribution of the scores moved by a population stability index of %.4f since %s%s, warned above %s and refused above %s.",
		worst.index, worst.since, rest, number(c.limits.PSI.Warn), number(c.limits.PSI.Refuse))
	return r.pardoned(worst.byChance), true
}

// drift is how far the scores moved since another publication.
type drift struct {
	since    string
	index    float64
	byChance bool
}

func driftSince(since string, now, before [20]int64) drift {
	index := psi(now, before)
	return drift{since, index, index <= indexByChance(now, before)}
}

// compare orders the worse first: no chance, or else the greater index.
func (d drift) compare(o drift) int {
	if d.byChance != o.byChance {
		if d.byChance {
			return 1
		}
		return -1
	}
	return cmp.Compare(o.index, d.index)
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

// constant judges how many users share the most frequent score. Few users tell
// nothing.
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
	return r.pardoned(total < leastConstant), true
}

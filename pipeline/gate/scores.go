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
// the cuts is no shift, and reports the category that changed most, of those whose
// change has no excuse if there is any.
func categoryShift(c comparison) (Result, bool) {
	if c.tonight.Scored == 0 || len(c.tonight.Categories) == 0 {
		return Result{}, false
	}
	before, ok := c.previous()
	if !ok {
		return noHistory("The shares of the categories are known"), true
	}
	worst := slices.MaxFunc(c.shifts(before), shift.compare)
	r := c.limits.CategoryShift.judge(worst.change())
	r.Message = fmt.Sprintf("Category %q holds %s of the users, %s on %s: a change by %s, warned above %s and refused above %s.",
		worst.name, percent(worst.now.share()), percent(worst.then.share()), before.Date,
		percent(worst.change()), percentOf(c.limits.CategoryShift.Warn), percentOf(c.limits.CategoryShift.Refuse))
	r = r.pardoned(worst.excuse)
	r.Message += c.noteOfCuts(before)
	return r, true
}

// shifts gives the shift of each category, highest first, with its excuse.
func (c comparison) shifts(before Night) []shift {
	all := c.shiftsSince(before)
	week, ok := c.weekBefore("category_shift")
	var sinceWeek []shift
	if ok {
		sinceWeek = c.shiftsSince(week)
	}
	for i, s := range all {
		switch {
		case s.byChance():
			all[i].excuse = ofChance
		case ok && !above(sinceWeek[i].change(), c.limits.CategoryShift.Warn):
			all[i].excuse = ofWeek(week)
		}
	}
	return all
}

func (c comparison) shiftsSince(before Night) []shift {
	var all []shift
	for i, s := range recut(before.Counts, c.tonight.Categories) {
		now := sample{c.tonight.Categories[i].Count, c.tonight.Scored}
		all = append(all, shift{name: s.Name, now: now, then: sample{s.Count, sum(before.Counts)}})
	}
	return all
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
		all = append(all, s.Name+" "+Count(s.Count))
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
	excuse    string // "" for none
}

func (s shift) byChance() bool { return differByChance(s.now, s.then) }

// compare orders what tells more last: no excuse, or else the greater change.
func (s shift) compare(o shift) int {
	return cmp.Or(compareExcuses(s.excuse, o.excuse), s.change().Cmp(o.change()))
}

func compareExcuses(a, b string) int {
	switch {
	case (a == "") == (b == ""):
		return 0
	case a == "":
		return 1
	}
	return -1
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
	drifts := c.drifts()
	if drifts == nil {
		return noHistory("The distribution of the scores is known"), true
	}
	slices.SortStableFunc(drifts, func(a, b drift) int { return b.compare(a) })
	worst, rest := drifts[0], ""
	for _, d := range drifts[1:] {
		rest = fmt.Sprintf(" (%.4f since %s)", d.index, d.since)
	}
	r := c.limits.PSI.judge(rational(worst.index))
	r.Message = fmt.Sprintf("The distribution of the scores moved by a population stability index of %.4f since %s%s, warned above %s and refused above %s.",
		worst.index, worst.since, rest, number(c.limits.PSI.Warn), number(c.limits.PSI.Refuse))
	if without := worst.index - worst.chance; r.Status == Refuse && !above(rational(without), c.limits.PSI.Refuse) {
		r.Status = Warn
		r.Message = fmt.Sprintf("%s; without what chance adds among so few users it is %.4f.", strings.TrimSuffix(r.Message, "."), without)
	}
	return r.pardoned(worst.excuse), true
}

func rational(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

// drift is how far the scores moved since another publication.
type drift struct {
	since         string
	index, chance float64 // the index, and what of it chance explains on average
	excuse        string  // "" for none
}

// drifts gives the one since the previous publication and the one since the
// baseline, where they are there.
func (c comparison) drifts() []drift {
	var all []drift
	if before, ok := c.previous(); ok {
		d := c.driftSince(before)
		if week, ok := c.weekBefore("psi"); ok && d.excuse == "" && c.driftSince(week).index <= c.limits.PSI.Warn {
			d.excuse = ofWeek(week)
		}
		all = append(all, d)
	}
	if b := c.tonight.Baseline; b != nil && sum(b.Counts) > 0 {
		d := c.driftSince(*b)
		d.since = "the baseline " + d.since
		all = append(all, d)
	}
	return all
}

// driftSince excuses an index that chance makes, or that would not be above the
// warning without what chance adds.
func (c comparison) driftSince(before Night) drift {
	now, then := buckets(c.tonight.Counts), buckets(before.Counts)
	d := drift{since: before.Date.String(), index: psi(now, then)}
	mean, most := indexByChance(now, then)
	d.chance = mean
	d.excuse = excuseOfChance(d.index <= most || spreadByChance(now, then) || d.index-mean <= c.limits.PSI.Warn)
	return d
}

// compare orders what tells more last: no excuse, or else the greater index.
func (d drift) compare(o drift) int {
	return cmp.Or(compareExcuses(d.excuse, o.excuse), cmp.Compare(d.index, o.index))
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
		Count(most), Count(total), float64(slices.Index(c.tonight.Counts, most))/100, percent(value), percentOf(c.limits.Constant))
	return r.pardoned(excuseOfChance(total < leastConstant)), true
}

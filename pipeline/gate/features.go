package gate

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
)

// features judges two things of the inputs of the score: how their nulls changed
// since the previous publication, and how often they hold what the model does not
// know. It reports the worse one, and both when both refuse.
func features(c comparison) (Result, bool) {
	nulls, compared := c.nulls()
	unseen, counted := c.unseen()
	switch {
	case !compared && !counted:
		return noHistory("The nulls of the features are counted"), len(c.tonight.Features) > 0
	case !counted:
		return nulls, true
	case !compared:
		return unseen, true
	case nulls.Status == Refuse && unseen.Status == Refuse:
		nulls.Message += " " + unseen.Message
		return nulls, true
	case unseen.Status == Refuse:
		return unseen, true
	}
	return nulls, true
}

// change is how a share of one feature's rows moved, in either direction.
type change struct {
	feature, is string // what the rows are
	now, then   sample
	excuse      string // "" for none
}

func (c change) size() *big.Rat {
	d := new(big.Rat).Sub(c.now.share(), c.then.share())
	return d.Abs(d)
}

// compare orders what tells more last: no excuse, or else the greater change.
func (c change) compare(o change) int {
	return cmp.Or(compareExcuses(c.excuse, o.excuse), c.size().Cmp(o.size()))
}

// changesSince lists how the features moved: their nulls, and where the model may
// know a category that its file does not state, what else they hold.
func (c comparison) changesSince(before Night) []change {
	var all []change
	then := before.byName()
	for _, f := range c.tonight.Features {
		was := then[f.Name]
		if f.Rows == 0 || was.Rows == 0 {
			continue
		}
		all = append(all, change{feature: f.Name, is: "null", now: sample{f.Nulls, f.Rows}, then: sample{was.Nulls, was.Rows}})
		if f.Partial && f.Unseen != nil && was.Unseen != nil {
			all = append(all, change{feature: f.Name, is: "of a category that the model file does not state",
				now: sample{*f.Unseen, f.Rows}, then: sample{*was.Unseen, was.Rows}})
		}
	}
	return all
}

// changes lists how the features moved since the previous publication, with the
// excuses.
func (c comparison) changes(before Night) []change {
	all := c.changesSince(before)
	week, ok := c.weekBefore("features")
	var sinceWeek []change
	if ok {
		sinceWeek = c.changesSince(week)
	}
	for i, moved := range all {
		asThen := func(w change) bool {
			return w.feature == moved.feature && w.is == moved.is && !above(w.size(), c.limits.NullShift)
		}
		switch {
		case differByChance(moved.now, moved.then):
			all[i].excuse = ofChance
		case slices.ContainsFunc(sinceWeek, asThen):
			all[i].excuse = ofWeek(week)
		}
	}
	return all
}

// nulls judges the feature that changed most since the previous publication; false
// where no feature was there.
func (c comparison) nulls() (Result, bool) {
	before, _ := c.previous()
	changes := c.changes(before)
	if changes == nil {
		return Result{}, false
	}
	worst := slices.MaxFunc(changes, change.compare)
	r := atMost(worst.size(), c.limits.NullShift)
	r.Message = fmt.Sprintf("Feature %q is %s in %s of the rows, %s on %s: a difference of %s of the rows, at most %s is allowed.",
		worst.feature, worst.is, percent(worst.now.share()), percent(worst.then.share()), before.Date, percent(worst.size()), percentOf(c.limits.NullShift))
	return r.pardoned(worst.excuse), true
}

// unseen judges the feature that holds categories unknown to the model most often;
// false where no feature's were counted. It names no category: a value may be
// anything, an address too.
func (c comparison) unseen() (Result, bool) {
	before, _ := c.previous()
	then := before.byName()
	var worst *Feature
	most := new(big.Rat)
	for _, f := range c.tonight.Features {
		if f.Unseen == nil || f.Rows == 0 || f.Partial && !then[f.Name].statesAll(c.limits.UnseenShare) {
			continue
		}
		if v := share(*f.Unseen, f.Rows); worst == nil || v.Cmp(most) > 0 {
			worst, most = &f, v
		}
	}
	if worst == nil {
		return Result{}, false
	}
	r := atMost(most, c.limits.UnseenShare)
	r.Message = fmt.Sprintf("Feature %q holds a category that the model does not know in %s of %s rows: %s, at most %s is allowed.",
		worst.Name, Count(*worst.Unseen), Count(worst.Rows), percent(most), percentOf(c.limits.UnseenShare))
	return r.pardoned(excuseOfChance(exceedsByChance(sample{*worst.Unseen, worst.Rows}, c.limits.UnseenShare))), true
}

// statesAll says whether the model file stated nearly every category that the
// feature held: none is in use that an encoder dropped.
func (f Feature) statesAll(limit float64) bool {
	return f.Unseen != nil && f.Rows > 0 && !above(share(*f.Unseen, f.Rows), limit)
}

func (n Night) byName() map[string]Feature {
	all := map[string]Feature{}
	for _, f := range n.Features {
		all[f.Name] = f
	}
	return all
}

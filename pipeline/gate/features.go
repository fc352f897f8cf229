package gate

import (
	"fmt"
	"math/big"
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
	feature   string
	now, then sample
}

func (c change) size() *big.Rat {
	d := new(big.Rat).Sub(c.now.share(), c.then.share())
	return d.Abs(d)
}

// worseThan says whether c tells more than o: no chance, or else the greater change.
func (c change) worseThan(o change) bool {
	byChance, otherByChance := differByChance(c.now, c.then), differByChance(o.now, o.then)
	if byChance != otherByChance {
		return otherByChance
	}
	return c.size().Cmp(o.size()) > 0
}

// nulls judges the feature whose share of nulls changed most since the previous
// publication; false where no feature was there.
func (c comparison) nulls() (Result, bool) {
	before, _ := c.previous()
	then := before.byName()
	var worst *change
	for _, f := range c.tonight.Features {
		was := then[f.Name]
		if f.Rows == 0 || was.Rows == 0 {
			continue
		}
		moved := &change{f.Name, sample{f.Nulls, f.Rows}, sample{was.Nulls, was.Rows}}
		if worst == nil || moved.worseThan(*worst) {
			worst = moved
		}
	}
	if worst == nil {
		return Result{}, false
	}
	r := atMost(worst.size(), c.limits.NullShift)
	r.Message = fmt.Sprintf("Feature %q is null in %s of the rows, %s on %s: a difference of %s of the rows, at most %s is allowed.",
		worst.feature, percent(worst.now.share()), percent(worst.then.share()), before.Date, percent(worst.size()), percentOf(c.limits.NullShift))
	return r.pardoned(differByChance(worst.now, worst.then)), true
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
		if f.Unseen == nil || f.Rows == 0 {
			continue
		}
		if v, judged := f.unseenShare(then[f.Name]); judged && (worst == nil || v.Cmp(most) > 0) {
			worst, most = &f, v
		}
	}
	if worst == nil {
		return Result{}, false
	}
	r := atMost(most, c.limits.UnseenShare)
	found := fmt.Sprintf("Feature %q holds a category that the model does not know in %s of %s rows", worst.Name, count(*worst.Unseen), count(worst.Rows))
	if worst.Partial {
		found = fmt.Sprintf("%s, %s of %s on %s", found, count(*then[worst.Name].Unseen), count(then[worst.Name].Rows), before.Date)
	}
	r.Message = fmt.Sprintf("%s: %s, at most %s is allowed.", found, percent(most), percentOf(c.limits.UnseenShare))
	return r.pardoned(worst.unseenByChance(then[worst.Name], c.limits.UnseenShare)), true
}

// unseenShare is the share of rows with an unknown category, or how much it rose
// where the model may know one that its file does not state. Then it is false
// without an earlier count.
func (f Feature) unseenShare(was Feature) (*big.Rat, bool) {
	now := share(*f.Unseen, f.Rows)
	if !f.Partial {
		return now, true
	}
	if was.Unseen == nil || was.Rows == 0 {
		return nil, false
	}
	rise := now.Sub(now, share(*was.Unseen, was.Rows))
	if rise.Sign() < 0 {
		rise = new(big.Rat)
	}
	return rise, true
}

func (f Feature) unseenByChance(was Feature, limit float64) bool {
	now := sample{*f.Unseen, f.Rows}
	if f.Partial {
		return differByChance(now, sample{*was.Unseen, was.Rows})
	}
	return exceedsByChance(now, limit)
}

func (n Night) byName() map[string]Feature {
	all := map[string]Feature{}
	for _, f := range n.Features {
		all[f.Name] = f
	}
	return all
}

package gate

import (
	"fmt"
	"math/big"
)

// features compares each feature's share of nulls with the previous publication
// and reports the feature that changed most.
func features(c comparison) (Result, bool) {
	before, _ := c.previous()
	then := map[string]Feature{}
	for _, f := range before.Features {
		then[f.Name] = f
	}
	worst, change := "", new(big.Rat)
	for _, f := range c.tonight.Features {
		was := then[f.Name]
		if f.Rows == 0 || was.Rows == 0 {
			continue
		}
		now, earlier := share(f.Nulls, f.Rows), share(was.Nulls, was.Rows)
		d := new(big.Rat).Sub(now, earlier)
		if d.Abs(d); worst == "" || d.Cmp(change) > 0 {
			change = d
			worst = fmt.Sprintf("Feature %q is null in %s of the rows, %s on %s", f.Name, percent(now), percent(earlier), before.Date)
		}
	}
	if worst == "" {
		return noHistory("The nulls of the features are counted"), len(c.tonight.Features) > 0
	}
	r := atMost(change, c.limits.NullShift)
	r.Message = fmt.Sprintf("%s: a difference of %s of the rows, at most %s is allowed.",
		worst, percent(change), percentOf(c.limits.NullShift))
	return r, true
}

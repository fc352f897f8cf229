package pipeline

import (
	"fmt"
	"math"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/publish"
)

// warnOfResults says what is allowed and yet looks like a mistake in the categories
// and audiences of a night.
func (r *run) warnOfResults() {
	for _, name := range r.categories.Empty() {
		r.warn("category %s is empty", name)
	}
	scored := r.tally.Scored
	for i, a := range r.manifest.Audiences {
		rule := r.Rules.Audiences[i]
		switch selected := a.Members + a.Control; {
		case rule.Category != "" || scored == 0:
		case selected == 0:
			r.warn("audience %s selects no one of %d scored users", a.Name, scored)
		case selected == scored:
			r.warn("audience %s selects everyone: all %d scored users", a.Name, scored)
		}
		r.warnOfArms(a)
	}
	if n := r.tally.NoContact; n > 0 {
		r.warn("%d scored users have no contact in column %q and are suppressed, as the suppression lists go by contact", n, r.Rules.Contact)
	}
	if h := r.Rules.Holdout; h != nil && h.ByContact {
		if n := r.found.Contacts.Count(identity.Crowded); n > 0 {
			r.warn("%d rows have a contact that more than %d rows share; the holdout goes by their id", n, identity.CrowdedAbove)
		}
	}
}

func (r *run) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// mismatch is the normal deviate of a two-sided test at 0.001, beyond which arms
// that should be a random split are not: the usual threshold for a sample-ratio
// mismatch (Kohavi, Tang, Xu: Trustworthy Online Controlled Experiments, ch. 21).
const mismatch = 3.2905

// leastExpected is the number of users in the smaller arm below which the normal
// approximation says nothing.
const leastExpected = 10

// warnOfArms tests the sizes of the arms against the share of the holdout. Users of
// one contact move together, so that shared contacts can raise a false alarm.
func (r *run) warnOfArms(a publish.Audience) {
	if r.Rules.Holdout == nil {
		return
	}
	n, share := float64(a.Members+a.Control), r.Rules.Holdout.Share
	expected := n * share
	if min(expected, n-expected) < leastExpected {
		return
	}
	if z := (float64(a.Control) - expected) / math.Sqrt(n*share*(1-share)); math.Abs(z) > mismatch {
		r.warn("audience %s: %d of %d users are held out, %.0f were expected at a share of %v: a sample-ratio mismatch",
			a.Name, a.Control, a.Members+a.Control, expected, share)
	}
}

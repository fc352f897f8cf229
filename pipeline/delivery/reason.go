package delivery

import (
	"context"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/publish"
)

// Reason says why a user left.
type Reason string

// The reasons, the first that holds.
const (
	Absent          Reason = "absent"     // not in the snapshot any more
	Rejected        Reason = "rejected"   // the row could not be scored, or the tool would not take it
	Excluded        Reason = "excluded"   // on an exclude list
	Duplicate       Reason = "duplicate"  // removed by the duplicates policy
	Ineligible      Reason = "ineligible" // not of the prediction's audience
	Suppressed      Reason = "suppressed"
	HeldOut         Reason = "held_out"
	Score           Reason = "score"        // outside the audience's range or category
	Filter          Reason = "filter"       // where is not true any more
	RuleChanged     Reason = "rule_changed" // as score or filter, and the audience's rule is another one
	Exclusive       Reason = "exclusive"    // an exclusive audience before took the user
	Limit           Reason = "limit"
	CadenceEnd      Reason = "cadence_end"
	AudienceRemoved Reason = "audience_removed"
	Withdrawn       Reason = "withdrawn"
	Renamed         Reason = "renamed" // the tool knew the user by another identifier; never counted, as the user stays
)

// Leaver is a user who is not selected for an audience any more, and what the
// publication is known to say of the user for certain.
type Leaver struct {
	ID, Audience string

	Elsewhere bool // a member of another audience
	HeldOut   bool // in the control arm of an audience
	Unscored  bool // in no row of the snapshot that has a score
}

// Source says what reasons are from.
type Source string

// The sources: the snapshot, which is exact, or the files of the run, which cannot
// tell all reasons apart. A user of whom these say nothing is Absent.
const (
	FromSnapshot Source = "snapshot"
	FromRun      Source = "run"
)

// Explanation is why users are not selected any more: a reason for each leaver, in
// their order, and why these are not from the snapshot.
type Explanation struct {
	Reasons []Reason
	From    Source // "" where neither was needed: what is known of the leavers tells, which is exact
	Note    string // for people; "" where they are
}

// Explainer explains by what is published.
type Explainer func(ctx context.Context, p *publish.Published, leavers []Leaver) (Explanation, error)

// leaving is a leaver on the way to the files: what they need of one.
type leaving struct {
	ID, Audience string
	Identity     string // what the tool knew the user by
	Place        int64
	Moved        bool   // to another audience or identity, or told of already: no reason is counted
	Elsewhere    bool   // as in Leaver
	HeldOut      bool   // as in Leaver
	Why          Reason // where it is known without asking
}

// Leavers are explained as many at once as take half of memory, leavingSize bytes
// each with their reasons, within bounds: each time all rows of the snapshot are read,
// unless what is known tells all.
const (
	leavingSize     = 384
	fewestExplained = 64 << 10
	mostExplained   = 256 << 10
)

// explanations asks why users left.
type explanations struct {
	*builder
	ask []Leaver
	to  []*uint8 // where the code of the reason goes

	scored bool // everyone with a score is in an audience here, or in its control arm
	atOnce int  // how many are asked about
}

// explain finds the reasons of all leavers.
func (b *builder) explain(ctx context.Context) error {
	e := explanations{
		builder: b, scored: b.publication != nil && b.users == b.publication.Manifest.Rows.Scored,
		atOnce: int(min(max(b.Memory/2/leavingSize, fewestExplained), mostExplained)),
	}
	for _, name := range b.series() {
		for _, list := range b.leavers[name] {
			list.reasons = make([]uint8, list.count)
			reasons := list.reasons
			err := inOrder(ctx, b.Workers, len(list.parts), func(_ context.Context, n int) ([]leaving, error) {
				return list.part(n)
			}, func(some []leaving) error {
				err := e.add(ctx, some, reasons)
				reasons = reasons[len(some):]
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return e.answer(ctx)
}

// add takes leavers, and has all answered when they are enough. Reasons are where their
// codes go.
func (e *explanations) add(ctx context.Context, some []leaving, reasons []uint8) error {
	for i, l := range some {
		if why := e.known(l); why != "" {
			reasons[i] = e.reasons.code(why)
			continue
		}
		unscored := e.scored && !l.Elsewhere && !l.HeldOut
		e.ask = append(e.ask, Leaver{l.ID, l.Audience, l.Elsewhere, l.HeldOut, unscored})
		e.to = append(e.to, &reasons[i])
		if len(e.ask) == e.atOnce {
			if err := e.answer(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// known gives the reason of a leaver where it is known without asking, "" where not.
func (b *builder) known(l leaving) Reason {
	switch {
	case b.target.Run == "":
		return Withdrawn
	case !b.has(l.Audience):
		return AudienceRemoved
	}
	return l.Why
}

// answer explains those who were collected.
func (e *explanations) answer(ctx context.Context) error {
	if len(e.ask) == 0 {
		return nil
	}
	answer, err := e.Explain(ctx, e.publication, e.ask)
	if err == nil && len(answer.Reasons) != len(e.ask) {
		err = fmt.Errorf("%d reasons for %d leavers", len(answer.Reasons), len(e.ask))
	}
	if err != nil {
		return err
	}
	for i, r := range answer.Reasons {
		*e.to[i] = e.reasons.code(e.byRule(r, e.ask[i].Audience))
	}
	if answer.From != "" {
		e.intent.ReasonsFrom, e.intent.ReasonsNote = answer.From, answer.Note
	}
	e.ask, e.to = e.ask[:0], e.to[:0]
	return nil
}

// reasonCodes numbers reasons, of which there are few, in the order of their use.
type reasonCodes []Reason

func (c *reasonCodes) code(r Reason) uint8 {
	at := slices.Index(*c, r)
	if at < 0 {
		at = len(*c)
		*c = append(*c, r)
	}
	return uint8(at)
}

// byRule tells a user whom the audience's rule does not take from one whom its rule
// of the delivery before would not have taken either.
func (b *builder) byRule(r Reason, audience string) Reason {
	same := func(a Audience) bool { return a.Name == audience && a.Rule == b.last.Rules[audience] }
	if (r == Score || r == Filter) && !slices.ContainsFunc(b.Audiences, same) {
		return RuleChanged
	}
	return r
}

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

// Leaver is a user who is not selected for an audience any more.
type Leaver struct{ ID, Audience string }

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
	From    Source
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
	Why          Reason // where it is known without asking
}

// explain gives the reasons of leavers. Those who moved have none.
func (b *builder) explain(ctx context.Context, all []leaving) ([]Reason, error) {
	reasons := make([]Reason, len(all))
	var ask []Leaver
	var at []int
	for i, l := range all {
		switch {
		case b.target.Run == "":
			reasons[i] = Withdrawn
		case !b.has(l.Audience):
			reasons[i] = AudienceRemoved
		case l.Why != "":
			reasons[i] = l.Why
		default:
			ask, at = append(ask, Leaver{l.ID, l.Audience}), append(at, i)
		}
	}
	if len(ask) == 0 {
		return reasons, nil
	}
	answer, err := b.Explain(ctx, b.publication, ask)
	if err == nil && len(answer.Reasons) != len(ask) {
		err = fmt.Errorf("%d reasons for %d leavers", len(answer.Reasons), len(ask))
	}
	if err != nil {
		return nil, err
	}
	for i, r := range answer.Reasons {
		reasons[at[i]] = b.byRule(r, ask[i].Audience)
	}
	b.intent.ReasonsFrom, b.intent.ReasonsNote = answer.From, answer.Note
	return reasons, nil
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

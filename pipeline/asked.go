package pipeline

import (
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/selection"
)

// Outsider is a user who is not a member of an audience.
type Outsider struct{ ID, Audience string }

// Why says why a user is not a member of an audience.
type Why = selection.Why

// The reasons for a user without a score; those with one have the reasons of
// selection.
const (
	Absent     Why = "absent"     // in no row of the snapshot
	Rejected   Why = "rejected"   // the row cannot be scored
	Excluded   Why = "excluded"   // on an exclude list
	Duplicate  Why = "duplicate"  // every row is removed by the duplicates policy
	Ineligible Why = "ineligible" // not one for whom the prediction is
)

// asked is a set of outsiders to find among rows, by their place in the order in
// which they were asked for.
type asked struct {
	first    map[string]int32 // by id
	next     []int32          // the next outsider with the same id, or -1
	audience []int            // index into Rules.Audiences
}

func (r *Rules) ask(outsiders []Outsider) (*asked, error) {
	q := &asked{first: make(map[string]int32, len(outsiders)), next: make([]int32, len(outsiders)), audience: make([]int, len(outsiders))}
	for at, o := range outsiders {
		q.audience[at] = slices.IndexFunc(r.Audiences, func(a Audience) bool { return a.Name == o.Audience })
		if q.audience[at] < 0 {
			return nil, fmt.Errorf("no audience %q", o.Audience)
		}
		q.next[at] = -1
		if first, found := q.first[o.ID]; found {
			q.next[at] = first
		}
		q.first[o.ID] = int32(at)
	}
	return q, nil
}

// each visits the outsiders with this id.
func (q *asked) each(id []byte, visit func(at int32)) {
	at, found := q.first[string(id)]
	for found && at >= 0 {
		visit(at)
		at = q.next[at]
	}
}

// pending are scored rows of one audience that are asked for, ascending, and for
// whom.
type pending struct{ rows, at []int32 }

// answer notes of the asked users in the batch why they are no members.
func (r *rows) answer() error {
	q := r.plan.asked
	if q == nil {
		return nil
	}
	for i := range r.ids.Len() {
		if r.ids.Reason(i) == identity.Good {
			q.each(r.ids.At(i), func(at int32) { r.answerRow(i, at) })
		}
	}
	for a := range r.pending {
		p := &r.pending[a]
		whys, err := r.segments.explain(a, p.rows)
		if err != nil {
			return err
		}
		for k, why := range whys {
			r.tally.tell(p.at[k], why)
		}
		p.rows, p.at = p.rows[:0], p.at[:0]
	}
	return nil
}

// answerRow notes what row i says of one of the asked; of a row with a score, the
// selection of the whole batch has to.
func (r *rows) answerRow(i int, at int32) {
	why := r.fate(i)
	if why != scored {
		r.tally.tell(at, why)
		return
	}
	p := &r.pending[r.plan.asked.audience[at]]
	p.rows, p.at = append(p.rows, int32(i)), append(p.at, at)
}

package pipeline

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/selection"
)

// Outsider is a user who is not a member of an audience, and what is known of the user
// for certain: see Known.
type Outsider struct {
	ID, Audience string

	Elsewhere bool // a member of another audience
	HeldOut   bool // in the control arm of an audience
	Unscored  bool // in no row that has a score
}

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
	maybe    []uint64         // two bits for the hash of each id: most rows are of nobody asked for
	first    map[string]int32 // by id
	next     []int32          // the next outsider with the same id, or -1
	audience []int            // index into Rules.Audiences
}

func (r *Rules) ask(outsiders []Outsider) (*asked, error) {
	q := &asked{first: make(map[string]int32, len(outsiders)), next: make([]int32, len(outsiders)), audience: make([]int, len(outsiders))}
	q.maybe = make([]uint64, 1<<bits.Len(uint(len(outsiders)/4)))
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
		word, both := q.bits(xxh3.HashString(o.ID))
		q.maybe[word] |= both
	}
	return q, nil
}

// bits gives the bits of a hash, both in one word. There are 16 or more for each of the
// asked, so that all fit into the cache of a core, and one in sixty others has both.
func (q *asked) bits(hash uint64) (word int, both uint64) {
	return int(hash >> 12 & uint64(len(q.maybe)-1)), 1<<(hash&63) | 1<<(hash>>6&63)
}

// each visits the outsiders with this id.
func (q *asked) each(id []byte, visit func(at int32)) {
	if word, both := q.bits(xxh3.Hash(id)); q.maybe[word]&both != both {
		return
	}
	at, found := q.first[string(id)]
	for found && at >= 0 {
		visit(at)
		at = q.next[at]
	}
}

// pending are scored rows of one audience that are asked for, ascending, and for
// whom.
type pending struct{ rows, at []int32 }

// find notes of the asked users in the batch why they have no score. Of the scored
// rows it leaves those that are asked for: on them the selection has to answer.
func (r *rows) find() {
	q := r.plan.asked
	if q == nil {
		return
	}
	r.out.scored = r.out.scored[:0]
	for i := range r.ids.Len() {
		if r.ids.Reason(i) != identity.Good {
			continue
		}
		q.each(r.ids.At(i), func(at int32) {
			if why := r.fate(i); why != scored {
				r.tally.tell(at, why)
				return
			}
			if n := len(r.out.scored); n == 0 || r.out.scored[n-1] != int32(i) {
				r.out.scored = append(r.out.scored, int32(i))
			}
			p := &r.pending[q.audience[at]]
			p.rows, p.at = append(p.rows, int32(i)), append(p.at, at)
		})
	}
}

// answer notes why the asked users in the batch who have a score are no members.
func (r *rows) answer() error {
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

package selection

import (
	"cmp"
	"slices"
)

// place is where a user stands in an audience with a limit.
type place struct {
	score uint16 // hundredths
	tie   uint64
}

// placeSize is the bytes of a place in memory.
const placeSize = 16

// before puts higher scores first, and of equal ones the lower hash.
func (p place) before(o place) int {
	return cmp.Or(cmp.Compare(o.score, p.score), cmp.Compare(p.tie, o.tie))
}

// tieOf is the hash that orders users of one score: xxh3_64(prediction, 0x00, id).
func tieOf(prediction string, id []byte) uint64 { return saltedHash(prediction, id) }

// Top keeps the first users of an audience, as many as its limit, out of all that
// it is shown, in any order. It takes up to 32 bytes for each of them. Tops of
// pieces of a snapshot add up to that of the whole.
type Top struct {
	limit  int64
	places []place
	full   bool // the worst of the limit was found: only better ones matter
	worst  place
	seen   int64 // users that it was shown
}

// NewTop gives a Top without users.
func NewTop(limit int64) *Top { return &Top{limit: limit} }

// skips tells that a score alone keeps a user out.
func (t *Top) skips(score uint16) bool { return t.full && score < t.worst.score }

func (t *Top) offer(p place) {
	if t.full && p.before(t.worst) >= 0 {
		return
	}
	t.places = append(t.places, p)
	if int64(len(t.places)) >= 2*t.limit {
		t.prune()
	}
}

// prune forgets all but the first.
func (t *Top) prune() {
	slices.SortFunc(t.places, place.before)
	if int64(len(t.places)) >= t.limit {
		t.places = t.places[:t.limit]
		t.full, t.worst = true, t.places[t.limit-1]
	}
}

// Merge adds what another Top of the same limit was shown.
func (t *Top) Merge(o *Top) {
	t.seen += o.seen
	for _, p := range o.places {
		t.offer(p)
	}
}

// Cut gives the last place within the limit. It keeps everyone when no more than
// the limit were seen.
func (t *Top) Cut() Cut {
	if t.seen <= t.limit {
		return Cut{}
	}
	t.prune()
	return Cut{limited: true, last: t.worst}
}

// Cut is where a limit falls among the users of an audience. The zero value keeps
// everyone.
type Cut struct {
	limited bool
	last    place
}

// keeps tells whether a user of this score is within the limit; the hash is asked
// for only where the score does not decide.
func (c Cut) keeps(score uint16, tie func() uint64) bool {
	if !c.limited || score != c.last.score {
		return !c.limited || score > c.last.score
	}
	return tie() <= c.last.tie
}

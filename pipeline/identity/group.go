package identity

import "bytes"

// group is what has to be known of all records of one id to tell the fate of
// each. It does not depend on their order.
type group struct {
	rows    int      // of the snapshot
	listed  bool     // on a list
	latest  []byte   // the greatest order key
	first   int64    // the lowest row with that key
	content [16]byte // of a row with that key
	differ  bool     // rows with that key have other contents
}

func (g *group) add(r *record) {
	newer := bytes.Compare(r.order, g.latest)
	switch {
	case g.rows == 0 || newer > 0:
		g.latest = append(g.latest[:0], r.order...)
		g.first, g.content, g.differ = r.row, r.content, false
	case newer == 0:
		g.first = min(g.first, r.row)
		g.differ = g.differ || r.content != g.content
	}
	g.rows++
}

// fate judges a record that was added.
func (g *group) fate(r *record, p Policy) Fate {
	switch {
	case g.listed:
		return Listed
	case g.rows < p.enough():
		return Kept
	case p == Crowd:
		return Crowded
	case p == Reject:
		return DuplicateID
	case g.differ:
		return DuplicateConflict
	case !bytes.Equal(r.order, g.latest):
		return DuplicateOlder
	case r.row == g.first:
		return Kept
	}
	return DuplicateCopy
}

// groupSize is about what a group takes beside its id and its order key: itself,
// its key and its share of the map.
const groupSize = 208

// groupTable holds groups by id, within a bound.
type groupTable struct {
	groups map[string]*group
	bytes  int64
	limit  int64 // of bytes
}

func (t *groupTable) reset() {
	if t.groups == nil {
		t.groups = make(map[string]*group)
	}
	clear(t.groups)
	t.bytes = 0
}

// of gives the group of an id, a new one where there is none.
func (t *groupTable) of(id []byte) *group {
	g := t.groups[string(id)]
	if g == nil {
		g = new(group)
		t.groups[string(id)] = g
		t.bytes += groupSize + int64(len(id))
	}
	return g
}

// add puts a record of the snapshot or of a list into its group.
func (t *groupTable) add(r *record, isListed bool) {
	g := t.of(r.id)
	if isListed {
		g.listed = true
		return
	}
	before := cap(g.latest)
	g.add(r)
	t.bytes += int64(cap(g.latest) - before)
}

// full says that the table is over its limit and can be split: it never
// is with one group alone.
func (t *groupTable) full() bool { return t.bytes > t.limit && len(t.groups) > 1 }

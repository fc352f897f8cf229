package identity

import "math/bits"

// hashTable counts hashes with open addressing. A slot is one word: the upper
// 58 bits of a hash and what is known of it. That two hashes may be taken for
// one makes more suspects, never fewer.
type hashTable struct {
	enough uint64 // rows of the snapshot that make their hash suspicious
	slots  []uint64
	used   int
	limit  int  // of used
	found  bool // whether any hash makes suspects
}

// What is known of a hash: the rows of the snapshot that it is on, counted up to
// enough, and whether it is on a list.
const (
	markBits = 6
	marks    = 1<<markBits - 1
	listed   = 1 << (markBits - 1)
	rowMarks = listed - 1 // at least CrowdedAbove+1
	minSlot  = 64
)

// reset empties the table and sizes it for n hashes, or for as many as fit
// into memory bytes.
func (t *hashTable) reset(n, memory int64) {
	t.slots = emptySlots(t.slots, n, memory)
	t.used, t.limit, t.found = 0, room(t.slots), false
}

// emptySlots gives free slots for n hashes, or for as many as fit into memory bytes, in
// the memory of slots where that is enough.
func emptySlots(slots []uint64, n, memory int64) []uint64 {
	size := max(minSlot, min(ceilPower(n+n/2), floorPower(memory/8)))
	if int64(cap(slots)) < size {
		return make([]uint64, size)
	}
	clear(slots[:size])
	return slots[:size]
}

// room is how many hashes slots may hold, so that a search for a free one is short.
func room(slots []uint64) int { return len(slots) / 4 * 3 }

// add counts a hash; false says that it is new and the table is full.
func (t *hashTable) add(hash uint64, isListed bool) bool {
	slot := t.find(hash)
	known := *slot & marks
	if known == 0 {
		if t.used == t.limit {
			return false
		}
		t.used++
	}
	known = t.seen(known, isListed)
	*slot = hash&^marks | known
	t.found = t.found || t.suspicious(known)
	return true
}

// seen adds one more occurrence to what is known.
func (t *hashTable) seen(known uint64, isListed bool) uint64 {
	switch {
	case isListed:
		return known | listed
	case known&rowMarks < t.enough:
		return known + 1
	}
	return known
}

// suspicious says whether the rows of a hash have to be looked at.
func (t *hashTable) suspicious(known uint64) bool {
	return known&rowMarks >= t.enough || known&rowMarks > 0 && known&listed != 0
}

// suspect says whether rows with this hash, which was added, are suspects.
func (t *hashTable) suspect(hash uint64) bool { return t.suspicious(*t.find(hash) & marks) }

// find gives the slot of the hash, or the free one where it belongs.
func (t *hashTable) find(hash uint64) *uint64 {
	mask := uint64(len(t.slots) - 1)
	for i := (hash >> markBits) & mask; ; i = (i + 1) & mask {
		if word := t.slots[i]; word == 0 || word&^marks == hash&^marks {
			return &t.slots[i]
		}
	}
}

func floorPower(n int64) int64 { return 1 << max(bits.Len64(uint64(n))-1, 0) }

func ceilPower(n int64) int64 { return 1 << bits.Len64(uint64(max(n-1, 0))) }

package forest

import "slices"

const (
	// mostWords bounds the tables of one tree, so that they stay in the
	// processor's cache for all rows of a block: 64 KiB.
	mostWords = 1 << 13

	// mostWordsInAll bounds the tables of all trees: 64 MiB.
	mostWordsInAll = 1 << 23

	// stepLookups is how many slots are looked up in the time of a step of a walk.
	stepLookups = 3
)

// chooseLookups finds the trees that are looked up, not walked: whose leaves have
// a bit each and whose tables are small.
func (p *planner) chooseLookups() {
	total := 0
	p.lookedUp = make([]bool, len(p.trees))
	for i := range p.trees {
		words, ok := p.lookupWords(&p.trees[i])
		if ok && total+words <= mostWordsInAll {
			p.lookedUp[i] = true
			total += words
		}
	}
}

// lookupWords gives the size of a tree's tables, and whether it can be looked up.
func (p *planner) lookupWords(t *tree) (words int, ok bool) {
	leaves, deepest := 0, 0
	depth := make([]int, len(t.nodes))
	var keys []slotKey
	for i, n := range t.nodes {
		if n.feature == leaf {
			leaves++
			continue
		}
		depth[n.left], depth[n.right] = depth[i]+1, depth[i]+1
		deepest = max(deepest, depth[i]+1)
		if key := lookupKey(&n); !slices.Contains(keys, key) {
			keys = append(keys, key)
			s := p.newSlot(key)
			words += s.lastCell() + 1
		}
		if words > mostWords || leaves > mostLeaves {
			return 0, false
		}
	}
	return words, leaves > 1 && leaves <= mostLeaves && len(keys) <= stepLookups*deepest
}

// lookupKey is the slot of a split of a tree that is looked up: all splits of a
// feature share it, whatever they do with a missing value.
func lookupKey(n *node) slotKey {
	if n.rule&category != 0 {
		return slotKey{n.feature, category}
	}
	return slotKey{n.feature, n.rule&zeroMissing | apart}
}

// lookUp lays a tree out whose rows are looked up.
func (p *planner) lookUp(t *tree) planTree {
	b := lookupTree{planner: p, tree: t, wordsAt: map[slotKey]int{}}
	b.visit(0)
	for len(b.lookups) < 2*together || len(b.lookups)%together != 0 {
		b.lookups = append(b.lookups, b.lookups[0]) // once more changes nothing
	}
	return p.withValues(planTree{lookups: b.lookups}, slices.Grow(b.values, mostLeaves)[:mostLeaves])
}

// lookupTree is a tree being laid out.
type lookupTree struct {
	*planner
	tree    *tree
	lookups []lookup
	wordsAt map[slotKey]int
	values  []float64 // of the leaves met so far, from left to right
}

// visit takes the leaves below a node, and lets every split rule out those on its
// left.
func (b *lookupTree) visit(id int32) {
	n := &b.tree.nodes[id]
	if n.feature == leaf {
		b.values = append(b.values, n.value)
		return
	}
	first := len(b.values)
	b.visit(n.left)
	lefts := uint64(1)<<len(b.values) - uint64(1)<<first
	words := b.wordsOfSplit(n)
	for cell, right := range b.goesRight(n) {
		if right == 1 {
			words[cell] &^= lefts
		}
	}
	b.visit(n.right)
}

// wordsOfSplit gives the table of a split's slot, where nothing is ruled out before
// the first.
func (b *lookupTree) wordsOfSplit(n *node) []uint64 {
	key := lookupKey(n)
	at, known := b.wordsAt[key]
	if !known {
		at = len(b.words)
		slot := b.slotAt[key]
		b.wordsAt[key] = at
		b.lookups = append(b.lookups, lookup{slot * blockRows, at})
		b.words = append(b.words, slices.Repeat([]uint64{1<<mostLeaves - 1}, b.slots[slot].lastCell()+1)...)
	}
	return b.words[at:]
}

// goesRight says for each cell of a split's slot whether it goes right.
func (b *lookupTree) goesRight(n *node) []uint8 {
	s := &b.slots[b.slotAt[lookupKey(n)]]
	if n.rule&category != 0 {
		return s.table(b.kind, b.tree.sets[n.detail], n.rule&defaultLeft != 0)
	}
	table := make([]uint8, s.lastCell()+1)
	cut, _ := slices.BinarySearch(s.cuts, n.value)
	for cell := cut + 1; cell <= len(s.cuts); cell++ {
		table[cell] = 1
	}
	missingIsZero := b.kind == LightGBM && n.rule&(nanMissing|zeroMissing) == 0
	if missingIsZero && 0 > n.value || !missingIsZero && n.rule&defaultLeft == 0 {
		table[s.missingCell()] = 1
	}
	return table
}

package forest

import "math/bits"

// mostLeaves is how many leaves a tree may have to be looked up: a bit for each.
const mostLeaves = 64

// lookup is what a tree knows of the rows by one slot. Each cell has a word in a
// table, and in it a bit for each leaf, from the lowest and from left to right: 0
// where a row with that cell cannot reach the leaf.
//
// A split rules out all leaves below its left child for the rows that it sends to
// the right, whether they come by or not. Of the leaves that no split rules out
// the leftmost is the row's (Lucchese et al., QuickScorer, SIGIR 2015): the
// splits on the way to it rule out all on its left, and none rules out itself.
// What all splits of a slot say together depends on the cell alone, so that a
// tree takes one load a slot, not a path of splits.
type lookup struct {
	cells int // where the slot's cells begin in a block
	words int // where the table begins in plan.words
}

// together is the number of slots that are looked up in one pass over a block.
const together = 3

// wordsOf gives a table with room for any cell: what lies behind its own words is
// never looked up.
func (p *plan) wordsOf(l lookup) *[mostCells]uint64 { return (*[mostCells]uint64)(p.words[l.words:]) }

// cellsOf gives the cells of a slot in a block.
func (l lookup) cellsOf(block []uint16) *[blockRows]uint16 {
	return (*[blockRows]uint16)(block[l.cells:])
}

// addLookedUp adds the leaf of each row of a block to its sum. left is room for a
// word a row.
func addLookedUp[T float32 | float64](p *plan, t *planTree, cells []uint16, sums []T, left []uint64, values []T) {
	l := t.lookups
	p.begin(left, cells, l)
	for l = l[together:]; len(l) > together; l = l[together:] {
		p.keep(left, cells, l)
	}
	finish(p, sums, left, cells, l, values)
}

// begin sets the leaves that the first slots do not rule out.
func (p *plan) begin(left []uint64, cells []uint16, l []lookup) {
	a, b, c := p.wordsOf(l[0]), p.wordsOf(l[1]), p.wordsOf(l[2])
	inA, inB, inC := l[0].cellsOf(cells), l[1].cellsOf(cells), l[2].cellsOf(cells)
	out := (*[blockRows]uint64)(left)
	for r := range out {
		out[r] = a[inA[r]] & b[inB[r]] & c[inC[r]]
	}
}

// keep takes the leaves away that more slots rule out.
func (p *plan) keep(left []uint64, cells []uint16, l []lookup) {
	a, b, c := p.wordsOf(l[0]), p.wordsOf(l[1]), p.wordsOf(l[2])
	inA, inB, inC := l[0].cellsOf(cells), l[1].cellsOf(cells), l[2].cellsOf(cells)
	out := (*[blockRows]uint64)(left)
	for r := range out {
		out[r] &= a[inA[r]] & b[inB[r]] & c[inC[r]]
	}
}

// finish takes those away that the last slots rule out, and adds the lowest.
func finish[T float32 | float64](p *plan, sums []T, left []uint64, cells []uint16, l []lookup, values []T) {
	a, b, c := p.wordsOf(l[0]), p.wordsOf(l[1]), p.wordsOf(l[2])
	inA, inB, inC := l[0].cellsOf(cells), l[1].cellsOf(cells), l[2].cellsOf(cells)
	in, out, leaves := (*[blockRows]uint64)(left), (*[blockRows]T)(sums), (*[mostLeaves]T)(values)
	for r := range out {
		reached := in[r] & a[inA[r]] & b[inB[r]] & c[inC[r]]
		out[r] += leaves[bits.TrailingZeros64(reached)%mostLeaves]
	}
}

package forest

// lanes is the number of rows that walk a tree side by side, so that the
// processor waits for the memory of all at once.
const lanes = 8

// addWalked adds the leaf of each row to its sum. Rows are rounded up to whole
// lanes.
func addWalked[T float32 | float64](p *plan, t *planTree, cells []uint16, sums *[blockRows]T, rows int, leaves []T) {
	for r := 0; r < rows; r += lanes {
		walk(t, cells[r:], p.tables, leaves, (*[lanes]T)(sums[r:]))
	}
}

// walk takes the rows whose cells come first from the root to their leaves and
// adds these to their sums: every step of every row is three loads and an
// addition, without a branch.
func walk[T float32 | float64](t *planTree, cells []uint16, tables []uint8, leaves []T, sums *[lanes]T) {
	nodes := t.nodes
	var i0, i1, i2, i3, i4, i5, i6, i7 uint32
	for range t.depth {
		i0 = nodes[i0].step(cells, tables, 0)
		i1 = nodes[i1].step(cells, tables, 1)
		i2 = nodes[i2].step(cells, tables, 2)
		i3 = nodes[i3].step(cells, tables, 3)
		i4 = nodes[i4].step(cells, tables, 4)
		i5 = nodes[i5].step(cells, tables, 5)
		i6 = nodes[i6].step(cells, tables, 6)
		i7 = nodes[i7].step(cells, tables, 7)
	}
	sums[0] += leaves[i0]
	sums[1] += leaves[i1]
	sums[2] += leaves[i2]
	sums[3] += leaves[i3]
	sums[4] += leaves[i4]
	sums[5] += leaves[i5]
	sums[6] += leaves[i6]
	sums[7] += leaves[i7]
}

// step gives the left child, or the one behind it when the split's table says so.
func (n planNode) step(cells []uint16, tables []uint8, lane uint64) uint32 {
	cell := uint64(cells[uint64(n>>nodeSlot)+lane])
	return uint32(n)&childMask + uint32(tables[uint64(n>>nodeTable)&tableMask+cell])
}

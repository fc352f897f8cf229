package forest

import "slices"

// plan is a model laid out for blocks of rows. A row has a small number, its
// cell, in every slot. A small tree is looked up by the cells of all its slots at
// once, see lookup; any other is walked: at a split a row goes right when the byte
// of the split's table at the cell is 1. Numbers, categories and missing values
// differ only in how their cells are found and how the tables are filled.
type plan struct {
	trees   []planTree
	slots   []slot
	slotsOf []int       // slots of feature f: from slotsOf[f] to before slotsOf[f+1]
	cuts    [][]float64 // of each feature: its thresholds, ascending and distinct
	tables  []uint8     // of the trees that are walked
	words   []uint64    // the tables of the others
}

// planTree is a tree that is looked up, or one to walk, whose children stand side
// by side, the left one first.
type planTree struct {
	lookups  []lookup // whole passes of them; none in a tree to walk
	depth    int
	nodes    []planNode
	values32 []float32 // of the leaves from left to right, or by node in a tree to walk; XGBoost
	values64 []float64 // the same for LightGBM
}

// planNode packs a node: from bit 44 where its slot's cells begin in a block,
// from bit 20 where its table begins, below the number of its left child. A leaf
// is its own left child, with a table that holds no 1.
type planNode uint64

const (
	nodeSlot  = 44
	nodeTable = 20
	tableMask = 1<<(nodeSlot-nodeTable) - 1
	childMask = 1<<nodeTable - 1

	mostSlots  = 1 << (64 - nodeSlot) / blockRows
	mostTables = 1 << (nodeSlot - nodeTable)
	mostNodes  = 1 << nodeTable // of a tree
	mostCells  = 1 << 16        // of a slot
)

func packNode(slot, table, left int) planNode {
	return planNode(slot*blockRows)<<nodeSlot | planNode(table)<<nodeTable | planNode(left)
}

// planner lays a model out.
type planner struct {
	plan
	kind     Kind
	trees    []tree
	lookedUp []bool // by tree
	highest  []int  // of each feature: the highest category in any set, or none
	slotAt   map[slotKey]int
	tableAt  map[tableKey]int
	reach    int // the highest cell of any slot
}

// slotKey tells slots apart.
type slotKey struct {
	feature int32
	rule    rule // of a category split: category alone
}

// tableKey tells the tables of category splits apart: the set is spelt out.
type tableKey struct {
	slotKey
	defaultLeft bool
	set         string
}

// compile gives nil for a model that is scored row by row.
func compile(m *Model) *plan {
	if m.linear != nil {
		return nil
	}
	p := &planner{kind: m.Kind, trees: m.trees[:m.used], slotAt: map[slotKey]int{}, tableAt: map[tableKey]int{}}
	if !p.survey(len(m.Features)) || !p.findSlots() || !p.fillTables() {
		return nil
	}
	for i := range p.trees {
		lay := p.layOut
		if p.lookedUp[i] {
			lay = p.lookUp
		}
		p.plan.trees = append(p.plan.trees, lay(&p.trees[i]))
	}
	p.words = append(p.words, make([]uint64, mostCells)...) // a table has room for any cell
	return &p.plan
}

// survey collects the thresholds and the highest category of each feature. It
// gives false for trees that do not fit the form: linear ones, and huge ones.
func (p *planner) survey(features int) bool {
	p.cuts = make([][]float64, features)
	p.highest = slices.Repeat([]int{none}, features)
	for i := range p.trees {
		t := &p.trees[i]
		if t.formulas != nil || len(t.nodes) > mostNodes {
			return false
		}
		for _, n := range t.nodes {
			switch {
			case n.feature == leaf:
			case n.rule&category != 0:
				p.highest[n.feature] = max(p.highest[n.feature], 32*len(t.sets[n.detail])-1)
			default:
				p.cuts[n.feature] = append(p.cuts[n.feature], n.value)
			}
		}
	}
	for f := range p.cuts {
		slices.Sort(p.cuts[f])
		p.cuts[f] = slices.Compact(p.cuts[f])
	}
	return true
}

// findSlots numbers the slots, those of a feature one after the other.
func (p *planner) findSlots() bool {
	p.chooseLookups()
	for i := range p.trees {
		key := keyOf
		if p.lookedUp[i] {
			key = lookupKey
		}
		for _, n := range p.trees[i].nodes {
			if n.feature != leaf {
				p.slotAt[key(&n)] = 0
			}
		}
	}
	for key := range p.slotAt {
		p.slots = append(p.slots, p.newSlot(key))
	}
	slices.SortFunc(p.slots, slot.compare)
	p.slotsOf = make([]int, len(p.cuts)+1)
	for i, s := range p.slots {
		p.slotAt[s.slotKey] = i
		p.reach = max(p.reach, s.lastCell())
		p.slotsOf[s.feature+1] = i + 1
	}
	for f := range p.cuts {
		p.slotsOf[f+1] = max(p.slotsOf[f], p.slotsOf[f+1])
	}
	return len(p.slots) < mostSlots && p.reach < mostCells
}

func (p *planner) newSlot(key slotKey) slot {
	return slot{slotKey: key, highest: p.highest[key.feature], cuts: p.cuts[key.feature]}
}

// keyOf is the slot of a split of a tree to walk.
func keyOf(n *node) slotKey {
	if n.rule&category != 0 {
		return slotKey{n.feature, category}
	}
	return slotKey{n.feature, n.rule}
}

// fillTables makes the tables of walks: one that all number splits share, a step from 0 to 1 of
// which each takes the piece around its threshold, and one table for each set of
// categories.
func (p *planner) fillTables() bool {
	p.tables = slices.Repeat([]uint8{0}, p.reach+1)
	p.tables = append(p.tables, slices.Repeat([]uint8{1}, p.reach)...)
	for i := range p.trees {
		t := &p.trees[i]
		for _, n := range t.nodes {
			if p.lookedUp[i] || n.feature == leaf || n.rule&category == 0 {
				continue
			}
			key := p.tableKey(&n, t)
			if _, known := p.tableAt[key]; !known {
				p.tableAt[key] = len(p.tables)
				s := &p.slots[p.slotAt[key.slotKey]]
				p.tables = append(p.tables, s.table(p.kind, t.sets[n.detail], key.defaultLeft)...)
			}
			if len(p.tables) > mostTables {
				return false
			}
		}
	}
	return len(p.tables) <= mostTables
}

func (p *planner) tableKey(n *node, t *tree) tableKey {
	return tableKey{keyOf(n), n.rule&defaultLeft != 0, t.sets[n.detail].spelling()}
}

func (s set) spelling() string {
	var b []byte
	for _, w := range s {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return string(b)
}

// layOut lays a tree out that is walked.
func (p *planner) layOut(t *tree) planTree {
	out, values := planTree{}, make([]float64, 0, len(t.nodes))
	order, depth := []int32{0}, []int{0}
	for i := 0; i < len(order); i++ {
		n := &t.nodes[order[i]]
		out.depth = max(out.depth, depth[i])
		values = append(values, n.value)
		if n.feature == leaf {
			out.nodes = append(out.nodes, packNode(0, 0, i))
			continue
		}
		out.nodes = append(out.nodes, packNode(p.slotAt[keyOf(n)], p.tableOf(n, t), len(order)))
		order = append(order, n.left, n.right)
		depth = append(depth, depth[i]+1, depth[i]+1)
	}
	return p.withValues(out, values)
}

// withValues gives a tree with its values, in the type that the library adds.
func (p *planner) withValues(t planTree, values []float64) planTree {
	if p.kind == LightGBM {
		t.values64 = values
		return t
	}
	t.values32 = make([]float32, len(values))
	for i, v := range values {
		t.values32[i] = float32(v)
	}
	return t
}

// tableOf is where the table of a split begins. The shared one is 1 above cell
// p.reach; a number split on cut k begins k before that, as it is 1 above cell k.
func (p *planner) tableOf(n *node, t *tree) int {
	if n.rule&category != 0 {
		return p.tableAt[p.tableKey(n, t)]
	}
	k, _ := slices.BinarySearch(p.cuts[n.feature], n.value)
	return p.reach - k
}

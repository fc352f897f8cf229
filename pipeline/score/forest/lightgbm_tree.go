package forest

import "strconv"

// lgbTree is a block with its lists read. Split s is node s of the file's tree
// and leaf l is node splits+l.
type lgbTree struct {
	feature, left, right []int32
	decision             []int32
	threshold            []float64
	value                []float64 // of the leaves
	sets                 []set
	formulas             []formula // of the leaves; nil when the tree is not linear
}

// Bits of decision_type.
const (
	lgbCategory     = 1
	lgbDefaultLeft  = 2
	lgbMissingShift = 2 // two bits: none, zero, NaN
	lgbMissingMask  = 3
)

var lgbMissing = map[int32]rule{0: 0, 1: zeroMissing, 2: nanMissing}

func (b *lgbBlock) build(features int, lim *limits) (tree, error) {
	leaves, err := strconv.Atoi(string(b.leaves))
	if err != nil || leaves < 1 {
		return tree{}, broken("num_leaves is %q and not a number from 1", clip(b.leaves))
	}
	size := 2*min(leaves, lim.nodes) - 1
	if lim.nodes -= size; lim.nodes < 0 {
		return tree{}, unsupported("more nodes than are read: train a smaller model")
	}
	t, err := b.lists(leaves, features, lim)
	if err != nil {
		return tree{}, err
	}
	nodes, err := grow(size, lim.depth, func(id int32) (node, error) {
		if int(id) >= leaves-1 {
			return t.leaf(int(id) - (leaves - 1)), nil
		}
		return t.split(id, features)
	})
	return tree{nodes: nodes, sets: t.sets, formulas: t.formulas}, err
}

func (b *lgbBlock) lists(leaves, features int, lim *limits) (t lgbTree, err error) {
	splits := leaves - 1
	for _, read := range []func() error{
		func() error { return listInto(&t.value, "leaf_value", b.value, leaves, parseFinite) },
		func() error { return listInto(&t.feature, "split_feature", b.feature, splits, parseInt32) },
		func() error { return listInto(&t.threshold, "threshold", b.threshold, splits, parseFloat) },
		func() error { return listInto(&t.decision, "decision_type", b.decision, splits, parseInt32) },
		func() error { return listInto(&t.left, "left_child", b.left, splits, parseInt32) },
		func() error { return listInto(&t.right, "right_child", b.right, splits, parseInt32) },
		func() error { return b.readSets(&t, lim) },
		func() error { return b.readFormulas(&t, leaves, features) },
	} {
		if err := read(); err != nil {
			return t, err
		}
	}
	return t, nil
}

// readSets cuts cat_threshold at cat_boundaries into the sets of the splits.
func (b *lgbBlock) readSets(t *lgbTree, lim *limits) error {
	n, err := wholeOr(string(b.categories), 0)
	if err != nil || n == 0 {
		return within("num_cat", err)
	}
	bounds, err := list(b.boundaries, n+1, parseInt32)
	if err != nil {
		return within("cat_boundaries", err)
	}
	total := int(bounds[n])
	if lim.setWords -= total; lim.setWords < 0 {
		return unsupported("the category sets are larger than is read: number categories from 0 without gaps")
	}
	words, err := list(b.words, max(total, 0), parseUint32)
	if err != nil {
		return within("cat_threshold", err)
	}
	for k := range n {
		from, to := bounds[k], bounds[k+1]
		if from < 0 || to < from || int(to) > total {
			return broken("cat_boundaries: %d and %d do not rise within 0..%d", from, to, total)
		}
		t.sets = append(t.sets, words[from:to])
	}
	return nil
}

func (t *lgbTree) leaf(l int) node {
	n := node{feature: leaf, detail: none, value: t.value[l]}
	if t.formulas != nil {
		n.detail = int32(l)
	}
	return n
}

func (t *lgbTree) split(s int32, features int) (node, error) {
	n := node{feature: t.feature[s], value: t.threshold[s], detail: none}
	var err error
	if n.left, err = t.child(t.left[s]); err != nil {
		return node{}, err
	}
	if n.right, err = t.child(t.right[s]); err != nil {
		return node{}, err
	}
	if n.feature < 0 || int(n.feature) >= features {
		return node{}, broken("splits on feature %d, outside 0..%d", n.feature, features-1)
	}
	decision := t.decision[s]
	missing, known := lgbMissing[decision>>lgbMissingShift&lgbMissingMask]
	if !known || decision < 0 || decision > 15 {
		return node{}, broken("decision_type %d is not known", decision)
	}
	n.rule = missing
	if decision&lgbDefaultLeft != 0 {
		n.rule |= defaultLeft
	}
	if decision&lgbCategory != 0 {
		return t.categorySplit(n)
	}
	return n, nil
}

// categorySplit turns the threshold into the number of the split's set. The
// missing type of such a split has no meaning.
func (t *lgbTree) categorySplit(n node) (node, error) {
	k := int32(min(max(n.value, -1), float64(len(t.sets))))
	if k < 0 || int(k) >= len(t.sets) || float64(k) != n.value {
		return node{}, broken("splits on category set %v, and the tree has %d", n.value, len(t.sets))
	}
	n.rule, n.detail, n.value = category, k, 0
	return n, nil
}

// child turns a child's number, which for leaf l is ^l, into a node's.
func (t *lgbTree) child(c int32) (int32, error) {
	splits := int32(len(t.feature))
	if c >= 0 && c < splits {
		return c, nil
	}
	if l := ^c; l >= 0 && l <= splits {
		return splits + l, nil
	}
	return 0, broken("its child %d is none of the splits 0..%d and leaves -1..-%d", c, splits-1, splits+1)
}

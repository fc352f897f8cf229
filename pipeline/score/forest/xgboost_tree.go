package forest

import (
	"math"
	"strconv"
)

// maxCategory is the first code that XGBoost takes for no category: float32
// holds no whole numbers above without gaps.
const maxCategory = 1 << 24

// build gives the tree with its leaves multiplied by weight, the tree's weight
// in dart. XGBoost makes the same float32 product whenever it adds the leaf.
func (t *xgbTree) build(weight float32, features int, lim *limits) (tree, error) {
	if err := t.check(); err != nil {
		return tree{}, err
	}
	var grown tree
	number, err := t.sets(&grown, lim)
	if err != nil {
		return tree{}, err
	}
	grown.nodes, err = grow(len(t.left), lim.depth, func(id int32) (node, error) {
		if t.left[id] == leaf {
			return t.leaf(id, weight)
		}
		return t.split(id, features, number)
	})
	return grown, err
}

// check holds the arrays against each other.
func (t *xgbTree) check() error {
	n := len(t.left)
	if count, err := strconv.Atoi(t.count); t.count != "" && (err != nil || count != n) {
		return broken("num_nodes is %q and left_children has %d entries", clip(t.count), n)
	}
	if vector, err := strconv.Atoi(t.leafVector); t.leafVector != "" && (err != nil || vector > 1) {
		return unsupported("leaves hold vectors (size_leaf_vector is %q): train one target, multi_strategy=\"one_output_per_tree\"", clip(t.leafVector))
	}
	for name, length := range t.lengths() {
		if length != n {
			return broken("%s has %d entries and left_children %d", name, length, n)
		}
	}
	if len(t.segments) != len(t.categoryNodes) || len(t.sizes) != len(t.categoryNodes) {
		return broken("categories_nodes, categories_segments and categories_sizes have %d, %d and %d entries",
			len(t.categoryNodes), len(t.segments), len(t.sizes))
	}
	return nil
}

// lengths gives the length of each array that must be as long as left_children.
// XGBoost before 1.3 knew no categories and wrote no split_type.
func (t *xgbTree) lengths() func(yield func(string, int) bool) {
	return func(yield func(string, int) bool) {
		_ = yield("right_children", len(t.right)) &&
			yield("split_indices", len(t.feature)) &&
			yield("split_conditions", len(t.condition)) &&
			yield("default_left", len(t.defaultLeft)) &&
			(t.splitType == nil || yield("split_type", len(t.splitType)))
	}
}

func (t *xgbTree) leaf(id int32, weight float32) (node, error) {
	value := float32(t.condition[id] * weight)
	if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
		return node{}, broken("the leaf's value %v is not finite", value)
	}
	return node{feature: leaf, detail: none, value: float64(value)}, nil
}

func (t *xgbTree) split(id int32, features int, number map[int32]int32) (node, error) {
	n := node{value: float64(t.condition[id]), left: t.left[id], right: t.right[id], feature: t.feature[id], detail: none}
	if n.feature < 0 || int(n.feature) >= features {
		return node{}, broken("splits on feature %d, outside 0..%d", n.feature, features-1)
	}
	if t.defaultLeft[id] != 0 {
		n.rule = defaultLeft
	}
	if t.splitType != nil && t.splitType[id] == 1 {
		k, known := number[id]
		if !known {
			return node{}, broken("splits on categories and has none in categories_nodes")
		}
		n.rule |= category
		n.detail = k
		n.value = 0
	}
	if math.IsNaN(n.value) {
		return node{}, broken("the threshold is NaN")
	}
	return n, nil
}

// sets makes the category sets of the tree, and gives the number of each by its
// node.
func (t *xgbTree) sets(grown *tree, lim *limits) (map[int32]int32, error) {
	number := make(map[int32]int32, len(t.categoryNodes))
	unread := len(t.categories)
	for k, id := range t.categoryNodes {
		place := "node " + strconv.Itoa(int(id))
		if _, twice := number[id]; twice {
			return nil, within(place, broken("is in categories_nodes twice"))
		}
		from, size := int(t.segments[k]), int(t.sizes[k])
		if from < 0 || size < 0 || size > unread || from > len(t.categories)-size {
			return nil, within(place, broken("its categories are %d from %d on, and the tree has %d", size, from, len(t.categories)))
		}
		unread -= size
		s, err := makeSet(t.categories[from:from+size], lim)
		if err != nil {
			return nil, within(place, err)
		}
		number[id] = int32(k)
		grown.sets = append(grown.sets, s)
	}
	return number, nil
}

func makeSet(categories []int32, lim *limits) (set, error) {
	highest := int32(-1)
	for _, c := range categories {
		if c < 0 || c >= maxCategory {
			return nil, broken("category %d is outside 0..%d", c, maxCategory-1)
		}
		highest = max(highest, c)
	}
	words := int(highest+32) / 32
	if lim.setWords -= words; lim.setWords < 0 {
		return nil, unsupported("the category sets are larger than is read: number categories from 0 without gaps")
	}
	s := make(set, words)
	for _, c := range categories {
		s[c>>5] |= 1 << (c & 31)
	}
	return s, nil
}

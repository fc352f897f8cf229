package forest

// tree is one tree in the form that both libraries share. Its root is node 0,
// and children come after their parents.
type tree struct {
	nodes    []node
	sets     []set
	formulas []formula
}

// node is a split, or a leaf where feature is leaf.
type node struct {
	value   float64 // the threshold of a number split, the value of a leaf
	left    int32
	right   int32
	feature int32
	detail  int32 // category split: which set; leaf: which formula, or none
	rule    rule
}

const (
	leaf = -1 // node.feature of a leaf
	none = -1 // node.detail of a leaf that is a plain value
)

// rule says how a split treats its value.
type rule uint8

const (
	category    rule = 1 << iota // the value is a category, looked up in a set
	defaultLeft                  // a missing value goes left
	zeroMissing                  // LightGBM: zero is the missing value, and so is NaN
	nanMissing                   // LightGBM: NaN is the missing value; without both, NaN is zero
	apart                        // of a slot, not of a split: missing values have a cell of their own
)

// markCategorical makes categorical what any tree splits as a category.
func (m *Model) markCategorical() {
	for _, t := range m.trees {
		for _, n := range t.nodes {
			if n.feature != leaf && n.rule&category != 0 {
				m.Features[n.feature].Categorical = true
			}
		}
	}
}

// inUse tells which features the trees that count look at.
func (m *Model) inUse() []bool {
	used := make([]bool, len(m.Features))
	for _, t := range m.trees[:m.used] {
		for _, n := range t.nodes {
			if n.feature != leaf {
				used[n.feature] = true
			}
		}
		for _, f := range t.formulas {
			for _, i := range f.features {
				used[i] = true
			}
		}
	}
	return used
}

// set is the categories of a split: bit c%32 of word c/32 for category c.
type set []uint32

func (s set) has(c int32) bool {
	word := int(c >> 5)
	return word < len(s) && s[word]>>(c&31)&1 != 0
}

// formula is the value of a leaf of a linear tree of LightGBM: constant plus
// the sum of coefficient times feature, or the leaf's plain value when one of
// the features is missing.
type formula struct {
	constant     float64
	features     []int32
	coefficients []float64
}

// linear is gblinear of XGBoost: one weight a feature.
type linear struct {
	bias    float32
	weights []float32
}

package forest

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestBatchesOfRandomModels checks that a batch gives the reference evaluator's
// bits for models that no training would make: every rule on every feature,
// features that are numbers here and categories there, single leaves, chains.
func TestBatchesOfRandomModels(t *testing.T) {
	margins := 0
	for seed := range uint64(400) {
		r := randomModel{rand.New(rand.NewPCG(seed, 1))}
		m := r.model()
		if m.NewBatch().plan == nil {
			t.Fatalf("seed %d: the model has no plan", seed)
		}
		rows := r.rows(m, 1+r.IntN(3*blockRows))
		checkBatch(t, m, rows)
		margins += len(rows)
	}
	t.Logf("%d margins are equal", margins)
}

// TestBatchesOfTreesOfAllSizes checks the same for models whose trees are looked up
// and walked in turn.
func TestBatchesOfTreesOfAllSizes(t *testing.T) {
	lookedUp, walked := 0, 0
	for seed := range uint64(60) {
		r := randomModel{rand.New(rand.NewPCG(seed, 3))}
		m := r.model()
		for i := range m.trees {
			m.trees[i] = tree{}
			r.grow(m, &m.trees[i], 5+8*(i%2))
		}
		for _, tree := range m.NewBatch().plan.trees {
			if tree.lookups != nil {
				lookedUp++
			} else {
				walked++
			}
		}
		checkBatch(t, m, r.rows(m, 1+r.IntN(3*blockRows)))
	}
	if lookedUp < 100 || walked < 100 {
		t.Errorf("%d trees were looked up and %d walked, expected 100 of each", lookedUp, walked)
	}
}

// TestModelsWithoutPlan checks the same for models beyond the layout's limits.
func TestModelsWithoutPlan(t *testing.T) {
	r := randomModel{rand.New(rand.NewPCG(1, 2))}
	high := func(m *Model) { // a category beyond the cells of a slot
		m.trees[0] = tree{
			nodes: []node{{feature: 0, left: 1, right: 2, rule: category}, {feature: leaf, detail: none}, {feature: leaf, detail: none, value: 1}},
			sets:  []set{make(set, mostCells/32)},
		}
		m.trees[0].sets[0][mostCells/32-1] = 1 << 31
	}
	linear := func(m *Model) {
		m.trees[0].formulas = []formula{{1, []int32{0}, []float64{2}}}
		for i := range m.trees[0].nodes {
			if n := &m.trees[0].nodes[i]; n.feature == leaf {
				n.detail = 0
			}
		}
	}
	for _, change := range []func(*Model){high, linear} {
		m := r.model()
		m.Kind = LightGBM
		change(m)
		if m.NewBatch().plan != nil {
			t.Error("the model has a plan")
		}
		rows := r.rows(m, 300)
		rows[0][0] = mostCells - 1
		checkBatch(t, m, rows)
	}
}

type randomModel struct{ *rand.Rand }

func (r randomModel) model() *Model {
	m := &Model{Kind: []Kind{XGBoost, LightGBM}[r.IntN(2)], base: float32(r.NormFloat64()), BestIteration: none}
	m.Features = make([]Feature, 1+r.IntN(6))
	for range 1 + r.IntN(12) {
		var t tree
		r.grow(m, &t, r.IntN(8))
		m.trees = append(m.trees, t)
		m.ends = append(m.ends, len(m.trees))
	}
	m.Rounds = len(m.trees)
	if err := m.Use(Best); err != nil {
		panic(err)
	}
	return m
}

// grow adds a subtree at most so deep, parents first, and gives its root.
func (r randomModel) grow(m *Model, t *tree, depth int) int32 {
	self := int32(len(t.nodes))
	if depth == 0 || r.IntN(8) == 0 {
		t.nodes = append(t.nodes, node{feature: leaf, detail: none, value: float64(float32(r.NormFloat64()))})
		return self
	}
	n := node{feature: int32(r.IntN(len(m.Features))), detail: none, value: r.number(), rule: r.rule(m.Kind)}
	if n.rule&category != 0 {
		n.detail, n.value = int32(len(t.sets)), 0
		t.sets = append(t.sets, r.set())
	}
	if m.Kind == XGBoost {
		n.value = float64(float32(n.value))
	}
	t.nodes = append(t.nodes, n)
	left := r.grow(m, t, depth-1)
	right := r.grow(m, t, r.IntN(depth))
	t.nodes[self].left, t.nodes[self].right = left, right
	return self
}

func (r randomModel) rule(kind Kind) rule {
	rules := []rule{0, defaultLeft, category, category | defaultLeft}
	if kind == LightGBM {
		rules = []rule{0, zeroMissing, nanMissing, defaultLeft | zeroMissing, defaultLeft | nanMissing, category}
	}
	return rules[r.IntN(len(rules))]
}

// set may hold no category at all, or words of zeros at its end.
func (r randomModel) set() set {
	s := make(set, r.IntN(4))
	for i := range s {
		s[i] = r.Uint32() & r.Uint32()
	}
	return s
}

// number gives few values, so that thresholds meet inputs.
func (r randomModel) number() float64 {
	odd := []float64{0, math.Copysign(0, -1), zero, -zero, 1e-36, math.Nextafter(zero, 1), 0.1, float64(float32(0.1)), 1e30, -1e30}
	if r.IntN(3) == 0 {
		return odd[r.IntN(len(odd))]
	}
	return float64(r.IntN(200)-60) / 2
}

func (r randomModel) rows(m *Model, n int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, len(m.Features))
		for f := range rows[i] {
			rows[i][f] = r.input()
		}
	}
	return rows
}

func (r randomModel) input() float64 {
	switch r.IntN(12) {
	case 0:
		return math.NaN()
	case 1:
		return []float64{math.Inf(1), math.Inf(-1), 1 << 24, 1 << 40, -1, -0.5, 3.7, math.MaxFloat64}[r.IntN(8)]
	case 2, 3, 4:
		return float64(r.IntN(140))
	}
	return r.number()
}

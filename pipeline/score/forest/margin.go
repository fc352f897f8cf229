package forest

import "math"

// zero is the highest magnitude that LightGBM takes for zero: its
// kZeroThreshold, a float32.
const zero = float64(float32(1e-35))

// Margin scores one row: a value for each of Features, NaN where it is missing,
// and the code of a category. It is what the library gives before the objective
// is applied, to the last bit: a float32 for XGBoost (predict with
// output_margin=True), a float64 for LightGBM (raw_score=True, which for a
// random forest is the sum over its trees). It panics when row is shorter than
// Features.
func (m *Model) Margin(row []float64) float64 {
	row = row[:len(m.Features)]
	switch {
	case m.linear != nil:
		return float64(m.linear.margin(m.base, row))
	case m.Kind == XGBoost:
		sum := m.base
		for i := range m.trees[:m.used] {
			sum += float32(m.trees[i].xgboost(row).value)
		}
		return float64(sum)
	}
	sum := 0.0
	for i := range m.trees[:m.used] {
		t := &m.trees[i]
		sum += t.valueAt(t.lightgbm(row), row)
	}
	return sum
}

// margin adds in float32: base and bias, then the features in their order. A
// missing value adds nothing.
func (l *linear) margin(base float32, row []float64) float32 {
	sum := base + l.bias
	for i, w := range l.weights {
		if x := float32(row[i]); x == x {
			sum += float32(x * w)
		}
	}
	return sum
}

// add adds one feature to the sums of many rows.
func (l *linear) add(sums []float32, f int, values []float64) {
	w := l.weights[f]
	for r, value := range values {
		if x := float32(value); x == x {
			sums[r] += float32(x * w)
		}
	}
}

// xgboost finds the leaf of a row. A value becomes a float32 before it is
// compared; a category in the set goes right.
func (t *tree) xgboost(row []float64) *node {
	n := &t.nodes[0]
	for n.feature != leaf {
		if n.xgboostLeft(float32(row[n.feature]), t) {
			n = &t.nodes[n.left]
		} else {
			n = &t.nodes[n.right]
		}
	}
	return n
}

func (n *node) xgboostLeft(x float32, t *tree) bool {
	switch {
	case x != x:
		return n.rule&defaultLeft != 0
	case n.rule&category == 0:
		return x < float32(n.value)
	case x < 0 || x >= maxCategory:
		return true
	}
	return !t.sets[n.detail].has(int32(x))
}

// lightgbm finds the leaf of a row. A category in the set goes left.
func (t *tree) lightgbm(row []float64) *node {
	n := &t.nodes[0]
	for n.feature != leaf {
		if n.lightgbmLeft(row[n.feature], t) {
			n = &t.nodes[n.left]
		} else {
			n = &t.nodes[n.right]
		}
	}
	return n
}

func (n *node) lightgbmLeft(x float64, t *tree) bool {
	if n.rule&category != 0 {
		return t.sets[n.detail].hasValue(x)
	}
	if x != x && n.rule&nanMissing == 0 {
		x = 0
	}
	if n.rule&zeroMissing != 0 && math.Abs(x) <= zero || x != x {
		return n.rule&defaultLeft != 0
	}
	return x <= n.value
}

// hasValue looks up a value cut to a whole number toward zero. What no 32-bit
// number can hold, NaN included, is in no set.
func (s set) hasValue(x float64) bool {
	return x > -1 && x < 1<<31 && s.has(int32(x))
}

// valueAt is what a leaf adds: its value, or the formula of a linear leaf when
// none of its features is missing.
func (t *tree) valueAt(n *node, row []float64) float64 {
	if n.detail == none {
		return n.value
	}
	f := &t.formulas[n.detail]
	sum := f.constant
	for i, feature := range f.features {
		x := row[feature]
		if x != x {
			return n.value
		}
		sum += float64(f.coefficients[i] * x)
	}
	return sum
}

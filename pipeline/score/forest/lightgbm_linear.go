package forest

import "strconv"

// readFormulas reads the leaves of a linear tree: how many features each has
// (num_features), and then their numbers and coefficients one leaf after the
// other (leaf_features, leaf_coeff).
func (b *lgbBlock) readFormulas(t *lgbTree, leaves, features int) error {
	linear, err := wholeOr(string(b.linear), 0)
	if err != nil || linear == 0 {
		return within("is_linear", err)
	}
	constants, err := list(b.constant, leaves, parseFinite)
	if err != nil {
		return within("leaf_const", err)
	}
	counts, err := list(b.leafCounts, leaves, parseInt32)
	if err != nil {
		return within("num_features", err)
	}
	total := 0
	for _, n := range counts {
		if n < 0 {
			return broken("num_features: %d is below 0", n)
		}
		total += int(n)
	}
	inputs, err := list(b.leafFeatures, total, parseInt32)
	if err != nil {
		return within("leaf_features", err)
	}
	factors, err := list(b.leafFactors, total, parseFinite)
	if err != nil {
		return within("leaf_coeff", err)
	}
	for l, n := range counts {
		if err := checkInputs(inputs[:n], features); err != nil {
			return within("leaf "+strconv.Itoa(l), err)
		}
		t.formulas = append(t.formulas, formula{constants[l], inputs[:n], factors[:n]})
		inputs, factors = inputs[n:], factors[n:]
	}
	return nil
}

func checkInputs(inputs []int32, features int) error {
	for _, f := range inputs {
		if f < 0 || int(f) >= features {
			return broken("uses feature %d, outside 0..%d", f, features-1)
		}
	}
	return nil
}

// Package forest holds boosted-tree models as plain data: read from the files
// that XGBoost and LightGBM save, and evaluated with the bits their libraries
// give.
//
//	m, err := forest.Read(data)      // XGBoost JSON or UBJSON, LightGBM text
//	err = m.Use(forest.Best)         // which rounds count
//	margin := m.Margin(row)          // one row, NaN where a value is missing
//	p := m.Probability(margin, math.Exp)
//	b := m.NewBatch()             // many rows at once, with the same bits
//
// The two libraries agree on little. A tree of XGBoost compares float32 values
// with "<", adds float32 leaves to a base, and sends a category that is in a
// split's set to the right; a tree of LightGBM compares float64 values with
// "<=", adds float64 leaves to zero, and sends such a category to the left.
// Both are kept here in one form of tree and told apart by [Model.Kind].
//
// A model file is hostile input: what it announces is held against what it
// holds before memory is taken, every tree is walked once from its root, and
// what cannot be right is refused with the tree and the node in the error.
// Nothing here does I/O or keeps state between calls.
package forest

package forest

import (
	"strconv"
)

// setRounds finds which trees are a round: those that iteration_indptr says
// (2.1 and later), or num_parallel_tree at a time.
func (f *xgbFile) setRounds(m *Model, _ *limits) error {
	if err := f.countRounds(m); err != nil {
		return err
	}
	if f.best == "" {
		return nil
	}
	best, err := wholeOr(f.best, 0)
	if err == nil && best >= m.Rounds && m.linear == nil {
		err = broken("%d, and the file has %d rounds", best, m.Rounds)
	}
	m.BestIteration = best
	return within("best_iteration", err)
}

func (f *xgbFile) countRounds(m *Model) (err error) {
	b := &f.booster
	if m.linear != nil {
		m.Rounds, err = wholeOr(b.rounds, 0)
		return within("boosted_rounds", err)
	}
	for i, class := range b.treeInfo {
		if class != 0 {
			return unsupported("tree %d is of class %d, a model of several classes: train binary:logistic", i, class)
		}
	}
	if b.treeInfo != nil && len(b.treeInfo) != len(m.trees) {
		return broken("tree_info has %d entries for %d trees", len(b.treeInfo), len(m.trees))
	}
	if b.indptr != nil {
		return m.roundsFrom(b.indptr)
	}
	parallel, err := wholeOr(b.parallel, 1)
	if err != nil {
		return within("num_parallel_tree", err)
	}
	return m.roundsOf(max(parallel, 1))
}

func (m *Model) roundsFrom(indptr []int32) error {
	last := len(indptr) - 1
	if last < 0 || indptr[0] != 0 || int(indptr[last]) != len(m.trees) || !rises(indptr) {
		return broken("iteration_indptr does not rise from 0 to the %d trees", len(m.trees))
	}
	for _, end := range indptr[1:] {
		m.ends = append(m.ends, int(end))
	}
	m.Rounds = last
	return nil
}

// rises tells whether every number is above the one before.
func rises(list []int32) bool {
	for i := 1; i < len(list); i++ {
		if list[i] <= list[i-1] {
			return false
		}
	}
	return true
}

// roundsOf makes rounds of so many trees each.
func (m *Model) roundsOf(trees int) error {
	if len(m.trees)%trees != 0 {
		return broken("%d trees are not whole rounds of %s", len(m.trees), strconv.Itoa(trees))
	}
	for end := trees; end <= len(m.trees); end += trees {
		m.ends = append(m.ends, end)
	}
	m.Rounds = len(m.ends)
	return nil
}

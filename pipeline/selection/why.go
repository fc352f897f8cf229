package selection

import (
	"slices"

	"github.com/churntier/churntier/pipeline/filter"
)

// Why says why a user is not a member of an audience.
type Why string

// The reasons for a user with a score, the first that holds. Member says that there
// is none.
const (
	Suppressed Why = "suppressed"
	HeldOut    Why = "held_out"  // in the control arm, or would be if the audience took the user
	Score      Why = "score"     // outside the audience's category or range
	Filter     Why = "filter"    // where is not true
	Exclusive  Why = "exclusive" // an exclusive audience before took the user
	Limit      Why = "limit"
	Member     Why = "member"
)

// Explain says of some scored rows of the batch that was selected last why they are
// no members of audience a, whose limit has this cut. What it gives, in the order of
// asked, is valid until the next call.
func (s *Selector) Explain(rows *Rows, a int, cut Cut, asked []int32) ([]Why, error) {
	passes, err := s.passes(rows, a, asked)
	s.whys = s.whys[:0]
	for _, i := range asked {
		s.whys = append(s.whys, s.why(rows, a, cut, i, passes))
	}
	return s.whys, err
}

// passes gives whether the audience's where is true of a row. It is evaluated only
// where rows within the range are asked for.
func (s *Selector) passes(rows *Rows, a int, asked []int32) (func(i int32) bool, error) {
	e, rule := s.where[a], &s.rules.Audiences[a]
	if e == nil || !slices.ContainsFunc(asked, func(i int32) bool { return rule.takes(rows, i) }) {
		return func(int32) bool { return true }, nil
	}
	return func(i int32) bool { return s.truth[i] == filter.True }, s.evaluate(e, rows)
}

func (s *Selector) why(rows *Rows, a int, cut Cut, i int32, passes func(int32) bool) Why {
	switch {
	case !has(s.left, i):
		return Suppressed
	case s.holds(rows, i):
		return HeldOut
	case !s.rules.Audiences[a].takes(rows, i):
		return Score
	case !passes(i):
		return Filter
	case !has(s.selected[a], i):
		return Exclusive
	case !s.keeps(rows, i, cut):
		return Limit
	}
	return Member
}

// has tells whether ascending rows hold one.
func has(rows []int32, i int32) bool {
	_, found := slices.BinarySearch(rows, i)
	return found
}

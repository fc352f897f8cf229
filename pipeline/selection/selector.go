package selection

import (
	"fmt"

	"github.com/churntier/churntier/pipeline/filter"
)

// Rows is one batch of rows.
type Rows struct {
	filter.Rows
	Scored     []int32          // the rows with a score, ascending
	Suppressed func(i int) bool // whether a list suppresses a row; nil for no list
	ID         func(i int) []byte
	// Key is what the holdout goes by; it is asked only of rows with a score.
	Key func(i int) []byte
}

// Selector selects from batches, with its working memory: one per worker.
type Selector struct {
	rules    *Rules
	suppress []*filter.Evaluator
	where    []*filter.Evaluator // by audience; nil for all
	truth    []filter.Truth
	left     []int32 // the rows that are not suppressed
	taken    []bool  // rows that an exclusive audience has taken
	selected [][]int32
	arms     []Arms
	whys     []Why
}

// Arms are the rows of a batch that an audience selects, ascending: its members,
// and its control arm.
type Arms struct{ Members, Control []int32 }

// NewSelector gives a selector by these rules.
func (r *Rules) NewSelector() *Selector {
	s := &Selector{rules: r, where: make([]*filter.Evaluator, len(r.Audiences)), selected: make([][]int32, len(r.Audiences)), arms: make([]Arms, len(r.Audiences))}
	for _, p := range r.Suppress {
		s.suppress = append(s.suppress, p.NewEvaluator())
	}
	for i, a := range r.Audiences {
		if a.Where != nil {
			s.where[i] = a.Where.NewEvaluator()
		}
	}
	return s
}

// Measure shows the rows that each audience with a limit would take to its Top,
// tops[i] for audience i, nil for one without. It gives the number of suppressed
// rows.
func (s *Selector) Measure(rows *Rows, tops []*Top) (suppressed int, err error) {
	if err := s.take(rows); err != nil {
		return 0, err
	}
	for a, top := range tops {
		if top == nil {
			continue
		}
		for _, i := range s.selected[a] {
			top.seen++
			if h := rows.Hundredths[i]; !top.skips(h) {
				top.offer(place{h, s.tie(rows, i)})
			}
		}
	}
	return len(rows.Scored) - len(s.left), nil
}

// Candidates gives the rows of the batch that was measured last which audience a
// takes before its limit, ascending and valid until the next call.
func (s *Selector) Candidates(a int) []int32 { return s.selected[a] }

// Select gives the arms of every audience in a batch, valid until the next call,
// and the number of suppressed rows. cuts[i] is the cut of audience i's limit.
func (s *Selector) Select(rows *Rows, cuts []Cut) (arms []Arms, suppressed int, err error) {
	if err := s.take(rows); err != nil {
		return nil, 0, err
	}
	for a := range s.arms {
		s.divide(rows, a, cuts[a])
	}
	return s.arms, len(rows.Scored) - len(s.left), nil
}

func (s *Selector) tie(rows *Rows, i int32) uint64 {
	return tieOf(s.rules.Prediction, rows.ID(int(i)))
}

// take fills selected with the rows that each audience takes before its limit.
func (s *Selector) take(rows *Rows) error {
	if err := s.suppressRows(rows); err != nil {
		return fmt.Errorf("suppress: %w", err)
	}
	for a := range s.rules.Audiences {
		if err := s.takeFor(rows, a); err != nil {
			return err
		}
	}
	s.exclude(int(rows.Record.NumRows()))
	return nil
}

// suppressRows fills left.
func (s *Selector) suppressRows(rows *Rows) error {
	s.left = append(s.left[:0], rows.Scored...)
	if rows.Suppressed != nil {
		s.left = keep(s.left, func(i int32) bool { return !rows.Suppressed(int(i)) })
	}
	for _, e := range s.suppress {
		if err := s.evaluate(e, rows); err != nil {
			return err
		}
		s.left = keepWhere(s.left, s.truth, filter.False)
	}
	return nil
}

func (s *Selector) takeFor(rows *Rows, a int) error {
	rule := &s.rules.Audiences[a]
	dst := s.selected[a][:0]
	if rule.takesAll() {
		dst = append(dst, s.left...)
	} else {
		for _, i := range s.left {
			if rule.takes(rows, i) {
				dst = append(dst, i)
			}
		}
	}
	if e := s.where[a]; e != nil && len(dst) > 0 {
		if err := s.evaluate(e, rows); err != nil {
			return err
		}
		dst = keepWhere(dst, s.truth, filter.True)
	}
	s.selected[a] = dst
	return nil
}

func (a *Audience) takesAll() bool { return !a.ByCategory && a.Range == [2]uint16{0, 10_000} }

func (a *Audience) takes(rows *Rows, i int32) bool {
	if a.ByCategory {
		return rows.Category[i] == a.Category
	}
	h := rows.Hundredths[i]
	return h >= a.Range[0] && h <= a.Range[1]
}

// keepWhere keeps the rows whose truth is as wanted, in place. It advances without a
// branch, which a processor could not predict.
func keepWhere(rows []int32, truth []filter.Truth, want filter.Truth) []int32 {
	n := 0
	for _, i := range rows {
		rows[n] = i
		if truth[i] == want {
			n++
		}
	}
	return rows[:n]
}

func (s *Selector) evaluate(e *filter.Evaluator, rows *Rows) error {
	n := int(rows.Record.NumRows())
	if cap(s.truth) < n {
		s.truth = make([]filter.Truth, n)
	}
	s.truth = s.truth[:n]
	return e.Truth(rows.Rows, s.truth)
}

// exclude leaves a row to the first of the exclusive audiences that took it.
func (s *Selector) exclude(rows int) {
	if len(s.rules.Exclusive) == 0 {
		return
	}
	if cap(s.taken) < rows {
		s.taken = make([]bool, rows)
	}
	s.taken = s.taken[:rows]
	clear(s.taken)
	for _, a := range s.rules.Exclusive {
		s.selected[a] = keep(s.selected[a], func(i int32) bool { return !s.taken[i] })
		for _, i := range s.selected[a] {
			s.taken[i] = true
		}
	}
}

// divide puts the rows of an audience within its limit into the arms.
func (s *Selector) divide(rows *Rows, a int, cut Cut) {
	arms := &s.arms[a]
	arms.Members, arms.Control = arms.Members[:0], arms.Control[:0]
	for _, i := range s.selected[a] {
		switch {
		case !s.keeps(rows, i, cut):
		case s.holds(rows, i):
			arms.Control = append(arms.Control, i)
		default:
			arms.Members = append(arms.Members, i)
		}
	}
}

// keeps tells whether a row is within a limit.
func (s *Selector) keeps(rows *Rows, i int32, cut Cut) bool {
	return cut.keeps(rows.Hundredths[i], func() uint64 { return s.tie(rows, i) })
}

// holds tells whether a row is in the control arm.
func (s *Selector) holds(rows *Rows, i int32) bool {
	return s.rules.Holdout != nil && s.rules.Holdout.Holds(rows.Key(int(i)))
}

// keep filters rows in place.
func keep(rows []int32, which func(i int32) bool) []int32 {
	kept := rows[:0]
	for _, i := range rows {
		if which(i) {
			kept = append(kept, i)
		}
	}
	return kept
}

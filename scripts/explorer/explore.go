package main

import (
	"cmp"
	"fmt"
	"slices"
)

// search explores all states of a scenario, nearest first.
type search struct {
	*processes
	scenario *scenario
	states   []state
	origins  []origin
	seen     map[state]struct{}
	reruns   map[application]string // what was wrong after the rerun of a program from a store

	transitions int
	violation   string
	trace       []string
}

// explore visits states until all are seen, one of them breaks an invariant, or
// limit states are there.
func (x *search) explore(limit int) (complete bool) {
	first := x.begin()
	x.visit(first, origin{parent: -1})
	for i := 0; i < len(x.states) && x.violation == ""; i++ {
		if len(x.states) >= limit {
			return false
		}
		x.expand(int32(i))
	}
	return true
}

func (x *search) begin() state {
	s := state{mishaps: x.scenario.mishaps}
	for _, g := range x.scenario.before {
		s.store, _, _ = x.alone(s.store, x.root(g))
	}
	for i, g := range x.scenario.processes {
		s.at[i] = x.root(g)
	}
	for _, g := range x.scenario.reruns {
		x.root(g)
	}
	return s
}

// alone lets a process go on to its end without a mishap. It gives the store then,
// what the process told, and what a step of it broke.
func (x *search) alone(store, at int32) (_ int32, told result, fault string) {
	for x.nodes[at].request != 0 {
		e := x.apply(store, x.nodes[at].request)
		store, at, fault = e.store, x.hear(at, e.answer), cmp.Or(fault, e.fault)
	}
	return store, x.nodes[at].result, cmp.Or(fault, x.factsOf(store).fault)
}

func (x *search) expand(i int32) {
	s := x.states[i]
	for slot := range slots {
		if x.independent(s, slot) {
			x.step(i, slot)
			return
		}
	}
	for slot := range slots {
		x.step(i, slot)
	}
	for place, r := range s.late {
		if r == 0 {
			continue
		}
		next := s
		e := x.apply(s.store, r)
		next.store, next.late[place] = e.store, 0
		slices.Sort(next.late[:])
		x.arrive(i, next, move{int8(place), lands}, e.fault)
	}
}

// step takes every outcome of the next request of one process.
func (x *search) step(i int32, slot int) {
	s := x.states[i]
	at := s.at[slot]
	number := x.nodes[at].request
	if number == 0 {
		return
	}
	for _, how := range x.outcomes(s, x.requests.values[number]) {
		next, fault := x.after(s, slot, number, how)
		x.arrive(i, next, move{int8(slot), how}, fault)
	}
}

// after gives the state after a request with that outcome.
func (x *search) after(s state, slot int, number int32, how outcome) (state, string) {
	e := effect{store: s.store}
	applied := how == done || how == lost || how == again || how == crashAfter
	if applied {
		e = x.apply(s.store, number)
	}
	s.store = e.store
	switch how {
	case again:
		e.answer = x.answerOf(precondition)
		if x.requests.values[number].op == remove {
			e.answer = x.answerOf(notExist)
		}
	case lost, failed, late:
		e.answer = x.answerOf(broken)
	case forbidden:
		e.answer = x.answerOf(denied)
	}
	if how == late || how == crashLate {
		s.late[0] = number
		slices.Sort(s.late[:])
	}
	if how != done {
		s.mishaps--
	}
	if how >= crashBefore {
		s.at[slot] = x.restarted(s.at[slot])
		return s, e.fault
	}
	s.at[slot] = x.hear(s.at[slot], e.answer)
	return s, e.fault
}

// restarted gives what takes the place of a process that crashed.
func (x *search) restarted(at int32) int32 {
	if g := x.nodes[at].program.rerun; g != nil {
		return x.root(g)
	}
	return 0
}

// arrive checks one transition and visits the state behind it.
func (x *search) arrive(i int32, s state, m move, fault string) {
	x.transitions++
	if _, known := x.seen[s]; known && fault == "" {
		return
	}
	if fault == "" {
		fault = x.check(s)
	}
	x.visit(s, origin{i, m})
	if fault != "" && x.violation == "" {
		x.violation = fault
		x.trace = x.traceTo(int32(len(x.states)) - 1)
	}
}

func (x *search) visit(s state, o origin) {
	x.seen[s] = struct{}{}
	x.states = append(x.states, s)
	x.origins = append(x.origins, o)
}

// check gives the invariant that does not hold in a state, or "".
func (x *search) check(s state) string {
	f := x.factsOf(s.store)
	if f.fault != "" {
		return f.fault
	}
	for _, at := range s.at {
		if n := x.nodes[at]; at != 0 && n.request == 0 {
			if fault := f.checkTold(n.program, n.result); fault != "" {
				return fault
			}
		}
	}
	return x.checkReruns(s.store)
}

// checkReruns is I7: from the store as it is now, with all processes gone, one clean
// run publishes its date and converges, and breaks nothing.
func (x *search) checkReruns(store int32) string {
	for n, g := range x.scenario.reruns {
		at := application{store, int32(n)}
		fault, ok := x.reruns[at]
		if !ok {
			fault = x.rerun(store, g)
			x.reruns[at] = fault
		}
		if fault != "" {
			return fault
		}
	}
	return ""
}

func (x *search) rerun(store int32, g *program) string {
	store, told, fault := x.alone(store, x.root(g))
	open := x.factsOf(store).converged(g.date)
	switch {
	case fault != "":
		return fault + " (after a clean rerun)"
	case told.told != did:
		return fmt.Sprintf("I7: a clean rerun said %s", told)
	case open != "":
		return "I7: after a clean rerun, " + open
	}
	return ""
}

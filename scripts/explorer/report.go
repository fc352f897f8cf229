package main

import (
	"fmt"
	"slices"
	"time"
)

// report is what came of a scenario.
type report struct {
	scenario    *scenario
	states      int
	transitions int
	executions  int // of the product's code: distinct histories of its processes
	exhausted   bool
	violation   string
	trace       []string
	seconds     float64
}

// explored explores a scenario.
func explored(c *scenario, limit int) report {
	began := time.Now()
	x := &search{processes: newProcesses(), scenario: c, seen: map[state]struct{}{}, reruns: map[application]string{}}
	x.late = c.late
	defer x.close()
	exhausted := x.explore(limit)
	return report{c, len(x.states), x.transitions, x.histories, exhausted, x.violation, x.trace, time.Since(began).Seconds()}
}

// traceTo tells how a state comes about.
func (x *search) traceTo(i int32) []string {
	var trace []string
	for ; x.origins[i].parent >= 0; i = x.origins[i].parent {
		o := x.origins[i]
		s := x.states[o.parent]
		who, number := "a request under way", s.late[o.move.slot%2]
		if o.move.how != lands {
			n := x.nodes[s.at[o.move.slot]]
			who, number = n.program.title, n.request
		}
		line := fmt.Sprintf("%s: %s", who, x.requests.values[number])
		if o.move.how != done {
			line += " (" + o.move.how.String() + ")"
		}
		trace = append(trace, line)
	}
	slices.Reverse(trace)
	return trace
}

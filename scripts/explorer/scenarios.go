package main

import "github.com/churntier/churntier/pipeline"

// scenario is which processes meet, after what, and how often something goes wrong.
type scenario struct {
	name      string
	before    []*program // one after the other, without faults
	processes []*program // at once
	reruns    []*program // each from every store that is reached
	mishaps   int8       // in all
	late      bool       // failed and orphaned writes may be applied later
}

const (
	first  = "2026-11-21"
	second = "2026-11-22"
)

// scenarios gives all of them; each has its own programs.
func scenarios() []*scenario {
	t := &town{nights: map[string]pipeline.Night{}}
	x, y := func(d string) *program { return t.runner(d, "X", false) }, func(d string) *program { return t.runner(d, "Y", false) }
	force := func() *program { return t.runner(second, "Y", true) }
	tonight, both := []*program{t.oneRunner(second, "X", false)}, []*program{t.oneRunner(second, "X", false), t.oneRunner(first, "X", false)}
	return []*scenario{
		{name: "same", reruns: tonight, processes: []*program{x(second), x(second), x(second)}},
		{name: "others", reruns: tonight, before: []*program{t.claim()}, processes: []*program{x(second), y(second), x(second)}},
		{name: "force", reruns: tonight, before: []*program{x(second)}, processes: []*program{force(), force(), x(second)}},
		{name: "dates", reruns: both, before: []*program{t.claim()}, processes: []*program{x(first), x(second), y(first)}},
		{name: "clean-up", reruns: tonight, before: []*program{t.claim()}, processes: []*program{x(second), t.cleanUp(false), x(second)}},
		{name: "rollback", reruns: both, before: []*program{x(second), force()}, processes: []*program{t.rollback(second, 0), force(), x(first)}},
		{name: "expiry", reruns: tonight, before: []*program{x(second), force()}, processes: []*program{t.rollback(second, 0), t.cleanUp(true), force()}},
		{name: "withdrawal", reruns: both, before: []*program{x(second)}, processes: []*program{t.withdraw(second), force(), x(first)}},
	}
}

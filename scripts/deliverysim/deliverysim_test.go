package main

import (
	"runtime"
	"testing"
)

// The short form of the simulation; see the command for the long one.
func TestSimulation(t *testing.T) {
	nights := 160
	if testing.Short() {
		nights = 50
	}
	r, err := simulate(1, nights, runtime.NumCPU())
	if err != nil {
		t.Fatal(err)
	}
	for kind, n := range r.violations {
		if n > 0 {
			t.Errorf("%d %s", n, kind)
		}
	}
	for _, trace := range r.traces {
		t.Log(trace)
	}
	if r.deliveries < nights || r.corrections == 0 || r.again == 0 || r.uncertain == 0 || r.deleted == 0 {
		t.Errorf("the worlds are too quiet: %+v", r)
	}
}

// Command explorer drives the code that publishes through all orders of the
// operations of up to three processes, with lost replies, late requests and crashes,
// and checks the invariants of the protocol in every state. README.md says more.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"
)

func main() {
	name := flag.String("scenario", "", "explore only this one")
	long := flag.Bool("long", false, "explore all processes with a mishap, and two with two")
	limit := flag.Int("states", 20_000_000, "give a scenario up after so many")
	wrong := flag.Bool("variants", false, "make the product wrong in every known way and catch it")
	flag.Parse()
	var err error
	if *wrong {
		err = catchAll(os.Stdout)
	} else {
		_, err = exploreAll(os.Stdout, forms(*name, *long), *limit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// forms gives the scenarios in the sizes to be explored: all processes without a
// mishap and two with one, or the long form.
func forms(name string, long bool) []*scenario {
	var all []*scenario
	for _, c := range scenarios() {
		if name != "" && c.name != name {
			continue
		}
		if long {
			all = append(all, c.with(slots, 1), c.with(2, 2))
		} else {
			all = append(all, c.with(2, 1), c.with(slots, 0))
		}
	}
	return all
}

// with gives the scenario with its first processes only and so many mishaps.
func (c scenario) with(processes int, mishaps int8) *scenario {
	c.processes, c.mishaps, c.late = c.processes[:processes], mishaps, mishaps > 0
	return &c
}

// atOnce is how many scenarios or variants are worked on side by side.
const atOnce = 2

var errViolation = errors.New("an invariant is broken")

// exploreAll explores scenarios and tells of each. It gives the number of states.
func exploreAll(out io.Writer, all []*scenario, limit int) (states int, err error) {
	if len(all) == 0 {
		return 0, errors.New("no such scenario")
	}
	reports := make(chan report)
	var g errgroup.Group
	g.SetLimit(atOnce)
	go func() {
		for _, c := range all {
			g.Go(func() error {
				reports <- explored(c, limit)
				return nil
			})
		}
		_ = g.Wait() // no error
		close(reports)
	}()
	fmt.Fprintf(out, "%-11s %9s %7s %10s %11s %10s %7s\n", "scenario", "processes", "mishaps", "states", "transitions", "executions", "seconds")
	for r := range reports {
		r.print(out)
		states += r.states
		if r.violation != "" {
			err = errViolation
		}
	}
	fmt.Fprintf(out, "%d states\n", states)
	return states, err
}

func (r report) print(out io.Writer) {
	c := r.scenario
	fmt.Fprintf(out, "%-11s %9d %7d %10d %11d %10d %7.1f", c.name, len(c.processes), c.mishaps, r.states, r.transitions, r.executions, r.seconds)
	switch which, what, _ := strings.Cut(r.violation, ": "); {
	case r.violation != "":
		fmt.Fprintf(out, "\nviolation of %s after %d steps: %s\n  %s\n", which, len(r.trace), what, strings.Join(r.trace, "\n  "))
	case !r.exhausted:
		fmt.Fprintln(out, "  given up")
	default:
		fmt.Fprintln(out)
	}
}

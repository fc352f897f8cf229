// Command deliverysim looks for a person who is told something twice, or something
// that is not so:
//
//	go run ./scripts/deliverysim --nights 10000 --seed 1
//
// It makes random worlds: users who come, go and unsubscribe, publications that are
// late, forced, rolled back and withdrawn, configs that are edited at noon, and tools
// that delete what they took. Deliveries die at a random operation of a store, or
// meet each other in the middle. What every tool received is held against an oracle
// of plain maps, which knows DESIGN's words and none of the delivery's code.
//
// It exits with 1 where anything differs, and prints the world and the night.
package main

import (
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	log.SetFlags(0)
	nights := flag.Int("nights", 10_000, "nights to simulate")
	seed := flag.Uint64("seed", 1, "of everything random")
	workers := flag.Int("workers", runtime.NumCPU(), "worlds at a time")
	flag.Parse()
	start := time.Now()
	r, err := simulate(*seed, *nights, *workers)
	if err != nil {
		log.Fatalf("deliverysim: %v", err)
	}
	r.print(*seed, time.Since(start))
	if r.violated() > 0 {
		os.Exit(1)
	}
}

// worldNights is how long one world lasts.
const worldNights = 40

// simulate lives through as many nights, some worlds at a time. What is found does not
// depend on how many.
func simulate(seed uint64, nights, workers int) (*report, error) {
	temp, err := os.MkdirTemp("", "deliverysim-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	reports := make([]*report, (nights+worldNights-1)/worldNights)
	var worlds errgroup.Group
	worlds.SetLimit(workers)
	for number := range reports {
		worlds.Go(func() error {
			reports[number] = newReport()
			w, err := newWorld(seed, uint64(number), temp, reports[number])
			if err == nil {
				err = w.live(min(worldNights, nights-number*worldNights))
			}
			if err != nil {
				err = fmt.Errorf("world %d of seed %d, night %d: %w", number, seed, w.night, err)
			}
			return err
		})
	}
	err = worlds.Wait()
	all := newReport()
	for _, r := range reports {
		all.add(r)
	}
	return all, err
}

// report is what was seen in all worlds.
type report struct {
	nights, publications, attempts, deliveries, corrections, files, rows, again int
	faults, uncertain, deleted, givenUp, overtaken                              int
	violations                                                                  map[string]int
	traces                                                                      []string
}

func newReport() *report {
	r := &report{violations: map[string]int{}}
	for _, kind := range kinds {
		r.violations[kind] = 0
	}
	return r
}

// add adds what was seen in another world.
func (r *report) add(o *report) {
	r.nights += o.nights
	r.publications += o.publications
	r.attempts += o.attempts
	r.deliveries += o.deliveries
	r.corrections += o.corrections
	r.files += o.files
	r.rows += o.rows
	r.again += o.again
	r.faults += o.faults
	r.uncertain += o.uncertain
	r.deleted += o.deleted
	r.givenUp += o.givenUp
	r.overtaken += o.overtaken
	for kind, n := range o.violations {
		r.violations[kind] += n
	}
	r.traces = append(r.traces, o.traces...)
	r.traces = r.traces[:min(len(r.traces), tracesShown)]
}

// The kinds of violations.
const (
	doubleSent      = "users sent twice for one date"
	sentSuppressed  = "users sent after suppression"
	sentTooOld      = "users sent from a date older than max_age"
	sentSuperseded  = "users sent from a date that is not the newest, or from a run that is not in effect"
	sentOutside     = "users sent outside the window"
	wrongRows       = "users told other than the oracle says, cadence days included"
	wrongCounts     = "deliveries whose counts are not the oracle's"
	wrongLog        = "logs that do not say what happened"
	nameTwice       = "names put twice"
	tooUncertain    = "uncertain files beyond one a crash"
	notReported     = "uncertain files that are not reported"
	notDelivered    = "due deliveries that a clean attempt did not make"
	unexpectedError = "clean attempts that failed"
)

var kinds = []string{
	doubleSent, sentSuppressed, sentTooOld, sentSuperseded, sentOutside, wrongRows, wrongCounts, wrongLog,
	nameTwice, tooUncertain, notReported, notDelivered, unexpectedError,
}

// tracesShown bounds what is printed of violations.
const tracesShown = 5

func (r *report) violated() int {
	n := 0
	for _, v := range r.violations {
		n += v
	}
	return n
}

func (r *report) print(seed uint64, took time.Duration) {
	for _, row := range []struct {
		name string
		n    int
	}{
		{"nights", r.nights}, {"publications", r.publications}, {"attempts", r.attempts}, {"deliveries", r.deliveries},
		{"of them corrections", r.corrections}, {"of them on purpose once more", r.again},
		{"files put", r.files}, {"users sent", r.rows}, {"files deleted by tools", r.deleted},
		{"faults and crashes", r.faults}, {"uncertain files", r.uncertain},
		{"deliveries given up as stale", r.givenUp}, {"files overtaken on their way", r.overtaken},
	} {
		fmt.Printf("%-28s %9d\n", row.name, row.n)
	}
	fmt.Println("violations")
	for _, kind := range slices.Sorted(maps.Keys(r.violations)) {
		fmt.Printf("  %7d  %s\n", r.violations[kind], kind)
	}
	for _, trace := range r.traces {
		fmt.Println(trace)
	}
	fmt.Printf("seed %d, %.1f s\n", seed, took.Seconds())
}

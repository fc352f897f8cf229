// Command gatesim measures the gates: how often they refuse an ordinary night, and
// how many faults of a warehouse they let pass. README.md holds the figures.
//
//	go run ./scripts/gatesim            # 30,000 ordinary nights, in a few minutes
//	go run ./scripts/gatesim -faults    # the faults, through the real pipeline
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// seed makes every figure repeatable.
const seed uint64 = 20261122

// sizes are the users of a prediction.
var sizes = []int{500, 5000, 500_000}

// mostRefused is the share of ordinary nights below which refusals must stay.
const mostRefused = 0.001

func main() {
	log.SetFlags(0)
	predictions := flag.Int("predictions", 80, "of each size; 125 nights each are judged")
	faults := flag.Bool("faults", false, "run the faults instead")
	from := flag.Uint64("seed", seed, "of the ordinary nights")
	flag.Parse()
	if err := run(*predictions, *from, *faults); err != nil {
		log.Fatalf("gatesim: %v", err)
	}
}

func run(predictions int, from uint64, faults bool) error {
	if faults {
		temp, err := os.MkdirTemp("", "gatesim-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temp) }()
		outcomes, err := prove(context.Background(), temp, allFaults())
		if err != nil {
			return err
		}
		printFaults(os.Stdout, outcomes)
		return enoughCaught(outcomes)
	}
	fmt.Println("  users  nights  refused  share  warned  share  seconds  refusals by gate; warnings by gate")
	for _, users := range sizes {
		start := time.Now()
		v := simulate(users, predictions, from)
		fmt.Printf("%7d  %6d  %7d  %.3f %%  %5d  %.1f %%  %5.1f  %s; %s\n", users, v.judged, v.refused, 100*v.share(v.refused),
			v.warned, 100*v.share(v.warned), time.Since(start).Seconds(), byName(v.refusals), byName(v.warnings))
		for _, m := range v.messages {
			fmt.Println("        ", m)
		}
		if v.share(v.refused) >= mostRefused {
			return fmt.Errorf("%d of %d ordinary nights were refused", v.refused, v.judged)
		}
	}
	return nil
}

func (v *verdicts) share(n int) float64 { return float64(n) / float64(v.judged) }

// simulate lives so many predictions of a size, on all processors; the result is
// the same on any number of them.
func simulate(users, predictions int, from uint64) *verdicts {
	lived := make([]*verdicts, predictions)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range lived {
		g.Go(func() error {
			lived[i] = newPrediction(float64(users), from, uint64(users)<<20+uint64(i)).live()
			return nil
		})
	}
	_ = g.Wait() // none fails
	total := newVerdicts()
	for _, v := range lived {
		total.add(v)
	}
	return total
}

func byName(counts map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

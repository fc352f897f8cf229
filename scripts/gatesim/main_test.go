package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/gate"
)

// The short form of the measurement in README.md: 1,500 nights.
func TestOrdinaryNightsAreNotRefused(t *testing.T) {
	total := newVerdicts()
	for _, users := range sizes {
		total.add(simulate(users, 4, seed))
	}
	if total.judged != 1500 {
		t.Errorf("%d nights were judged, want 1,500", total.judged)
	}
	if total.share(total.refused) >= mostRefused {
		t.Errorf("%d ordinary nights were refused: %q", total.refused, total.messages)
	}
	if again := simulate(500, 1, seed); total.judged == 0 || again.judged != nights-1 {
		t.Errorf("%d nights of one prediction, want %d", again.judged, nights-1)
	}
}

// What the simulation draws is judged as a real night is: a fault in it is refused.
func TestASimulatedFaultIsRefused(t *testing.T) {
	p := newPrediction(5000, seed, 1)
	before := p.night(5)
	p.mean++
	n := p.night(6)
	refused := gate.Refused(gate.Judge(n, []gate.Night{before}, gate.DefaultLimits(), nil))
	if len(refused) == 0 {
		t.Error("a night with a shifted score passed")
	}
}

// The figures must have the shares that they are drawn with: of 10^6 the mean is
// within five standard deviations.
func TestDraws(t *testing.T) {
	for _, mean := range []float64{0.01, 3, 11.9, 12, 40, 900} {
		c, sum, squares := chanceOf(1, 2), 0.0, 0.0
		const draws = 200_000
		for range draws {
			x := float64(c.poisson(mean))
			sum, squares = sum+x, squares+x*x
		}
		got, variance := sum/draws, squares/draws-sum/draws*sum/draws
		if d := got - mean; d*d > 25*mean/draws {
			t.Errorf("poisson of mean %v has mean %v", mean, got)
		}
		if variance < 0.95*mean || variance > 1.05*mean {
			t.Errorf("poisson of mean %v has variance %v", mean, variance)
		}
	}
	for _, b := range []struct {
		n int64
		p float64
	}{{100, 0.01}, {500, 0.5}, {100_000, 0.3}} {
		c, sum := chanceOf(3, 4), 0.0
		for range 2000 {
			sum += float64(c.binomial(b.n, b.p))
		}
		mean := float64(b.n) * b.p
		if d := sum/2000 - mean; d*d > 25*mean*(1-b.p)/2000 {
			t.Errorf("binomial of %d, %v has mean %v", b.n, b.p, sum/2000)
		}
	}
}

// The table is in README.md: of the faults at least 95 % are caught, and those that
// are not are known.
func TestFaultsAreCaught(t *testing.T) {
	faults := allFaults()
	if len(faults) < 60 {
		t.Fatalf("only %d faults", len(faults))
	}
	outcomes, err := prove(t.Context(), t.TempDir(), faults)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	printFaults(&table, outcomes)
	t.Log("\n" + table.String())
	if err := enoughCaught(outcomes); err != nil {
		t.Error(err)
	}
}

func TestMissesFailTheProof(t *testing.T) {
	known, unknown := outcome{fault: fault{name: "a", excuse: "known"}}, outcome{fault: fault{name: "b"}}
	if err := enoughCaught([]outcome{unknown}); err == nil || !strings.Contains(err.Error(), "missed: b") {
		t.Errorf("an unknown miss: %v", err)
	}
	if err := enoughCaught([]outcome{known}); err == nil || !strings.Contains(err.Error(), "1 of 1") {
		t.Errorf("too many misses: %v", err)
	}
}

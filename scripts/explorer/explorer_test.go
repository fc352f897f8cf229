package main

import (
	"bytes"
	"strings"
	"testing"
)

// leastStates is how many states the short form has at least; fewer would say that
// the processes do not meet any more.
const leastStates = 1_000_000

func TestAllOrdersOfOperations(t *testing.T) {
	var out bytes.Buffer
	states, err := exploreAll(&out, forms("", false), leastStates*10)
	t.Logf("\n%s", &out)
	switch {
	case err != nil:
		t.Error(err)
	case strings.Contains(out.String(), "given up"):
		t.Error("a scenario was given up")
	case states < leastStates:
		t.Errorf("%d states, expected at least %d", states, leastStates)
	}
}

// The test of the test: the explorer finds every known way to get the protocol wrong.
func TestWrongVariantsAreCaught(t *testing.T) {
	var out bytes.Buffer
	err := catchAll(&out)
	t.Logf("\n%s", &out)
	if err != nil {
		t.Error(err)
	}
	if caught := strings.Count(out.String(), "\n"); caught != len(variants) {
		t.Errorf("%d variants were caught, expected %d", caught, len(variants))
	}
}

func TestVariantWhoseTextIsGone(t *testing.T) {
	v := variants[0]
	v.edits = []edit{{v.edits[0].file, "a text that nobody wrote", ""}}
	if how, err := v.catch("../.."); err == nil || !strings.Contains(err.Error(), "is there 0 times") {
		t.Errorf("%q, %v; expected that the text is missed", how, err)
	}
}

func TestVariantThatIsRight(t *testing.T) {
	v := variant{"the product as it is", "expiry", "I6", nil}
	if how, err := v.catch("../.."); err == nil || !strings.Contains(err.Error(), "not caught") {
		t.Errorf("%q, %v; expected that nothing is found", how, err)
	}
}

func TestScenarioThatIsNot(t *testing.T) {
	if _, err := exploreAll(&bytes.Buffer{}, forms("nonsense", false), 1); err == nil {
		t.Error("no error")
	}
}

func TestScenarioThatIsGivenUp(t *testing.T) {
	var out bytes.Buffer
	if _, err := exploreAll(&out, forms("expiry", false), 100); err != nil || !strings.Contains(out.String(), "given up") {
		t.Errorf("%s: %v; expected that it is given up", &out, err)
	}
}

//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is when a process that was told to end counts as hung.
const patience = 30 * time.Second

// A run that is told to end does so at once, cleans up behind it, and tells the truth
// about whether it is published; the next run finishes what it began.
func TestASignalEndsARunAtEveryStage(t *testing.T) {
	for store, places := range map[string]int{"local": 4, "gcs": 1} {
		next := homes(t, store)
		for at, operations := range undisturbed(t, next()) {
			moments := map[target]bool{}
			for i := range places {
				moments[target{stage(at), operations * (2*i + 1) / (2 * places)}] = true
			}
			for moment := range moments {
				for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
					t.Run(fmt.Sprintf("%s/%s at operation %d of %s", store, signal, moment.nth, moment.stage), func(t *testing.T) {
						interrupt(t, next, moment, signal)
					})
				}
			}
		}
	}
}

// undisturbed counts the operations of every stage of a first run.
func undisturbed(t *testing.T, p place) []int {
	t.Helper()
	s, err := shared.start(p, job{date: dates[0]}, plan{})
	skipWithoutHold(t, err)
	if err != nil {
		t.Fatal(err)
	}
	s.wait()
	return s.counts[:cleanUp]
}

// tries is how often a run is told to end before it counts as deaf: one can be done
// before the signal has come through, on a busy machine.
const tries = 5

func interrupt(t *testing.T, next func() place, at target, signal syscall.Signal) {
	for range tries {
		if strike(t, next(), at, signal) || at.stage == projects {
			return
		}
	}
	t.Errorf("%d runs went on to their end", tries)
}

// strike says whether a run ended because it was told to. Either way it must have
// told the truth and left all as it must be.
func strike(t *testing.T, p place, at target, signal syscall.Signal) (ended bool) {
	t.Helper()
	before := temporaries(t)
	s, err := shared.start(p, job{date: dates[0]}, plan{target: &at, signal: signal})
	if err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	s.wait()
	hung.Stop()
	a, err := s.said()
	switch {
	case err != nil:
		t.Fatal(err)
	case !s.struck:
		t.Fatalf("the run did not come to %v: %v", at, s.counts)
	case !isInterruption(a, s.exit(), signal) && (a.Status != "published" || s.exit() != 0):
		t.Errorf("exit %d: %s", s.exit(), s.stdout.String())
	}

	h := &home{newCampaign(shared, nil, 1), newAuditor(shared.references), p}
	for _, run := range s.trace.runs {
		h.jobs[run] = s.job
	}
	objects, err := p.objects()
	if err != nil {
		t.Fatal(err)
	}
	h.audit(objects)
	_, published := objects[entryKey(dates[0], 0)]
	if published != (a.Status == "published") {
		t.Errorf("published: %v, said %s", published, s.stdout.String())
	}
	for key := range objects {
		if strings.Contains(key, ".tmp-") {
			t.Errorf("%s is left", key)
		}
	}
	if after := temporaries(t); after > before {
		t.Errorf("%d temporary folders are left", after-before)
	}
	if err := h.cleanRun(dates[0]); err != nil {
		t.Fatal(err)
	}
	for _, v := range h.found {
		t.Errorf("%s: %s", v.kind, v.text)
	}
	return s.exit() != 0
}

// isInterruption says whether a run ended as one that a signal ended: before the
// commit, after it, or in the moment of which it cannot tell.
func isInterruption(a answer, exit int, signal syscall.Signal) bool {
	if exit != 128+int(signal) || a.Error == nil {
		return false
	}
	switch a.Error.Kind {
	case "interrupted", "unknown":
		return a.Status == "failed"
	case "projection":
		return a.Status == "published"
	}
	return false
}

// temporaries counts the temporary folders of runs; those that were killed left some.
func temporaries(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir(shared.temp)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/publish"
)

// operation is something that people do to what is published.
type operation struct {
	name   string
	forced []string                      // dates that are published more than once
	before func(*worker)                 // what was done before
	do     func(*worker) told            // what meets the fault
	rest   func(*worker) told            // what the caller goes on with after success; may be nil
	idle   func(*worker) told            // what changes nothing any more; nil for do
	own    func(h holdings) bool         // whether the disturbed worker changed what is published
	holds  func(want, h holdings) string // why what was asked for does not hold, "" where it does
}

var operations = []operation{
	{
		name: "first run", before: runs(), do: runOf(night22), own: ownRun(night22), holds: sameRun(night22),
	}, {
		name: "run", before: runs(night21), do: runOf(night22), own: ownRun(night22), holds: sameRun(night22),
	}, {
		name: "rerun", before: unprojected, do: runOf(night22), own: ownRun(night22), holds: sameRun(night22),
	}, {
		name: "forced run", forced: []string{night22}, before: runs(night21, night22),
		do:  func(w *worker) told { return w.run(later, night22, true) },
		own: ownRun(night22), idle: func(w *worker) told { return w.run(later, night22, false) }, holds: sameRun(night22),
	}, {
		name: "backfill", before: runs(night21, night22), do: runOf(night23), rest: runOf(night24),
		own: ownRun(night23), holds: sameRun(night23),
	}, {
		name: "rollback", forced: []string{night22},
		before: func(w *worker) {
			runs(night21, night22)(w)
			w.must(w.run(later, night22, true))
		},
		do: func(w *worker) told {
			return w.operate(func(l *publish.Ledger, d date.Date) error {
				_, err := l.Rollback(context.Background(), d, 0, "the model was bad")
				return err
			})
		},
		own: func(h holdings) bool { return h.last(night22).Rollback != "" }, holds: sameEntry,
	}, {
		name: "withdrawal", before: runs(night21, night22),
		do: func(w *worker) told {
			return w.operate(func(l *publish.Ledger, d date.Date) error {
				_, err := l.Withdraw(context.Background(), d, "it is wrong")
				return err
			})
		},
		own: func(h holdings) bool { return h.last(night22).Withdraw }, holds: sameEntry,
	}, {
		name: "prune", forced: []string{night19, night20}, before: untidy, do: (*worker).prune,
		own: func(holdings) bool { return false }, holds: tidy,
	},
}

func runOf(day string) func(*worker) told {
	return func(w *worker) told { return w.run("", day, false) }
}

// runs publishes nights.
func runs(days ...string) func(*worker) {
	return func(w *worker) {
		for _, d := range days {
			w.must(w.run("", d, false))
		}
	}
}

func (w *worker) must(got told) {
	w.t.Helper()
	if !got.done || got.err != nil {
		w.t.Fatalf("%s: %+v", w.name, got)
	}
}

// dies is work of a process that crashes after, or instead of, its first operation
// of a kind on keys that begin with prefix.
func (w *worker) dies(what faulty.Fault, kind, prefix string, work func(*worker) told) {
	w.t.Helper()
	p := faulty.Once(what, func(o faulty.Operation) bool {
		return o.Store == "output" && o.Kind == kind && strings.HasPrefix(o.Key, prefix)
	})
	w.names += 3
	other := w.bench.worker(fmt.Sprintf("D%03d", w.names), w.store, p)
	if got := work(other); !errors.Is(got.err, faulty.ErrCrashed) {
		w.t.Fatalf("%+v, expected a crash", got)
	}
}

// unprojected leaves a night that is published and that latest/ does not show.
func unprojected(w *worker) {
	runs(night21)(w)
	w.dies(faulty.CrashBefore, faulty.Put, "latest/", runOf(night22))
}

// untidy leaves a run to expire, one half expired, two orphans and evidence.
func untidy(w *worker) {
	again := func(day string) func(*worker) told {
		return func(w *worker) told { return w.run("", day, true) }
	}
	runs(night19)(w)
	w.must(again(night19)(w))
	w.dies(faulty.CrashAfter, faulty.Delete, "runs/", (*worker).prune)
	runs(night20, night21, night22)(w)
	w.must(again(night20)(w))
	w.dies(faulty.CrashBefore, faulty.Put, "commits/", again(night22))
	w.dies(faulty.CrashBefore, faulty.Put, "commits/", runOf(night23))
	put(w.t, w.output(), "refusals/"+night21+"/"+w.next()+"/REFUSAL.json", []byte("{}"))
	put(w.t, w.output(), "preview/"+night21+"/"+w.next()+"/MANIFEST.json", []byte("{}"))
}

func (h holdings) last(date string) logged {
	e, _, _ := h.effective(date)
	return e
}

// disturbed is the name of the worker that meets the fault.
const disturbed = "A"

func ownRun(date string) func(holdings) bool {
	return func(h holdings) bool {
		return slices.ContainsFunc(h.log(date), func(e logged) bool { return strings.HasPrefix(e.Run, disturbed) })
	}
}

// sameRun wants a date to show what an undisturbed run publishes, byte for byte.
func sameRun(date string) func(want, h holdings) string {
	return func(want, h holdings) string {
		wantEntry, wantRun, _ := want.effective(date)
		e, run, found := h.effective(date)
		if !found || e.Fingerprint != wantEntry.Fingerprint {
			return fmt.Sprintf("%s shows entry %+v, expected a run of inputs %s", date, e, wantEntry.Fingerprint)
		}
		return cmp.Diff(want.shards(date, wantRun), h.shards(date, run))
	}
}

// sameEntry wants night22 to be rolled back or withdrawn.
func sameEntry(want, h holdings) string {
	w, e := want.last(night22), h.last(night22)
	if w.Withdraw != e.Withdraw || w.Rollback != e.Rollback || w.Run != e.Run {
		return fmt.Sprintf("the entry is %+v, expected %+v", e, w)
	}
	return ""
}

// tidy wants nothing to be there that may go.
func tidy(want, h holdings) string {
	names := func(h holdings) []string {
		return slices.DeleteFunc(slices.Sorted(maps.Keys(h)), func(key string) bool { return strings.HasPrefix(key, "commits/") })
	}
	return cmp.Diff(names(want), names(h))
}

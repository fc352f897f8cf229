package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// kind is a kind of store: how one is made, and how one is made like another.
type kind struct {
	name  string
	oneOf int // how many trials one is a sample of
	open  func(*testing.T) objstore.Driver
	copy  func(*testing.T, objstore.Driver) objstore.Driver
}

// bare is a store in memory that keeps no checksums.
type bare struct{ *mem.Driver }

func (d bare) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	return d.Driver.List(ctx, prefix, folders, func(a objstore.Attrs) error {
		a.CRC32C, a.HasCRC32C = 0, false
		return yield(a)
	})
}

func copied(t *testing.T, to, from objstore.Driver) objstore.Driver {
	t.Helper()
	for key, data := range held(t, from) {
		put(t, objstore.New(to, "copy"), key, data)
	}
	return to
}

// folder is a store of local files that knows where they are.
type folder struct {
	*file.Driver
	root string
}

var kinds = []kind{
	{
		"mem", 7, func(*testing.T) objstore.Driver { return mem.New() },
		func(t *testing.T, d objstore.Driver) objstore.Driver { return copied(t, mem.New(), d) },
	},
	{
		"bare", 13, func(*testing.T) objstore.Driver { return bare{mem.New()} },
		func(t *testing.T, d objstore.Driver) objstore.Driver { return copied(t, bare{mem.New()}, d) },
	},
	{"file", 61, openFolder, func(t *testing.T, d objstore.Driver) objstore.Driver {
		copied := openFolder(t)
		if err := os.CopyFS(copied.(folder).root, os.DirFS(d.(folder).root)); err != nil {
			t.Fatal(err)
		}
		return copied
	}},
}

func openFolder(t *testing.T) objstore.Driver {
	root := t.TempDir()
	return folder{file.NewOutput(root), root}
}

// told is what the caller of an operation learned.
type told struct {
	done    bool // it has taken effect
	unknown bool // it may have
	err     error
}

// bench is stores of one kind and what is done to them.
type bench struct {
	kind
	t      *testing.T
	night  pipeline.Night
	inputs map[string]objstore.Driver
}

const (
	night19, night20, night21 = "2026-11-19", "2026-11-20", "2026-11-21"
	night22, night23, night24 = "2026-11-22", "2026-11-23", "2026-11-24"

	later = "later" // the inputs of which night22 has changed
)

func newBench(t *testing.T, k kind) *bench {
	b := &bench{kind: k, t: t, night: newTown(t).night, inputs: map[string]objstore.Driver{"": k.open(t), later: k.open(t)}}
	b.night.SplitRows = 20
	for name, d := range b.inputs {
		for i, day := range []string{night19, night20, night21, night22, night23, night24} {
			first := 100 * i
			if name == later && day == night22 {
				first += 1000
			}
			folder := objstore.New(d, "inputs").Sub("dt=" + day)
			put(t, folder, "a.parquet", users(t, first+60, first+80))
			put(t, folder, "b.parquet", users(t, first+80, first+100))
			put(t, folder, "_SUCCESS", nil)
		}
	}
	return b
}

func put(t *testing.T, b *objstore.Bucket, key string, data []byte) {
	t.Helper()
	if _, err := b.CreateBytes(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// worker is one process at work on an output; its name begins those of its runs.
type worker struct {
	*bench
	process *faulty.Process
	store   objstore.Driver // the output without faults
	name    string
	names   int
}

func (b *bench) worker(name string, store objstore.Driver, p *faulty.Process) *worker {
	return &worker{bench: b, process: p, store: store, name: name}
}

// calm is a worker that meets no fault.
func (b *bench) calm(name string, store objstore.Driver) *worker {
	return b.worker(name, store, faulty.NewProcess(never))
}

func (w *worker) output() *objstore.Bucket {
	return objstore.New(w.process.Store("output", w.store), "test://output")
}

// next gives a name that was never given before, and that differs from every other
// in more than one bit.
func (w *worker) next() string {
	w.names += 3
	return fmt.Sprintf("%s%0*d", w.name, 26-len(w.name), w.names)
}

// run publishes a night from inputs of that name.
func (w *worker) run(inputs, day string, force bool) told {
	n := w.night
	n.Date, n.Force, n.NewRun, n.Output = dayOf(w.t, day), force, w.next, w.output()
	n.Snapshot.Bucket = objstore.New(w.process.Store("input", w.inputs[inputs]), "test://input")
	out, err := pipeline.Run(context.Background(), n, localrun.Engine{Workers: 2, Memory: 64 << 20})
	if out != nil && err != nil && !errors.Is(err, pipeline.ErrProjection) {
		w.t.Errorf("%+v comes with %v", out, err)
	}
	return told{out != nil, errors.Is(err, publish.ErrUnknown), err}
}

func dayOf(t *testing.T, day string) date.Date {
	t.Helper()
	d, err := date.Parse(day)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// operate does what an operator asks for night22, and then projects.
func (w *worker) operate(do func(*publish.Ledger, date.Date) error) told {
	l, err := publish.Open(context.Background(), w.output(), w.night.Prediction)
	if err == nil {
		err = do(l, dayOf(w.t, night22))
	}
	if err != nil {
		return told{false, errors.Is(err, publish.ErrUnknown), err}
	}
	_, err = l.Project(context.Background())
	return told{true, false, err}
}

// prune deletes all that may go, however new it is.
func (w *worker) prune() told {
	l, err := publish.Open(context.Background(), w.output(), w.night.Prediction)
	if err != nil {
		return told{err: err}
	}
	always := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	p, err := l.Prune(context.Background(), publish.Pruning{Name: w.next(), Orphans: always, Kept: always, Expire: dayOf(w.t, night21)})
	return told{err == nil && len(p.Skipped) == 0, errors.Is(err, publish.ErrUnknown), err}
}

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

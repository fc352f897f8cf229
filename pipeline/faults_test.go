package pipeline_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
)

// faults is every way in which one operation of a store fails.
var faults = []faulty.Fault{
	faulty.Error, faulty.Lost, faulty.CrashBefore, faulty.CrashAfter, faulty.Delay,
	faulty.Refused, faulty.TooMany, faulty.ShortRead, faulty.CutRead, faulty.FlippedBit,
}

// landing is when a delayed write arrives.
type landing string

const (
	before  landing = ", lands before the rerun"
	during  landing = ", lands in the middle of the rerun"
	afterIt landing = ", lands after the rerun"
)

// trial is one operation of a store that meets one fault.
type trial struct {
	at    faulty.Operation
	what  faulty.Fault
	lands landing
}

func (c trial) String() string { return fmt.Sprintf("%s, %s%s", c.at, c.what, c.lands) }

// everyTrial lists what can become of operations.
func everyTrial(operations []faulty.Operation) (trials []trial) {
	for _, o := range operations {
		for _, f := range faults {
			switch {
			case !f.Hits(o.Kind):
			case f.String() == faulty.Delay.String() && (o.Kind == faulty.Put || o.Kind == faulty.Delete):
				trials = append(trials, trial{o, f, before}, trial{o, f, during}, trial{o, f, afterIt})
			default:
				trials = append(trials, trial{o, f, ""})
			}
		}
	}
	return trials
}

// sample gives all trials that touch what is published, and one of every n others;
// or all where all are asked for.
func sample(all []trial, n int) (some []trial) {
	for i, c := range all {
		visible := c.at.Kind == faulty.Put && (strings.HasPrefix(c.at.Key, "commits/") || strings.HasPrefix(c.at.Key, "latest/"))
		if visible || i%n == 0 || os.Getenv("CHURNTIER_FAULTS") == "all" {
			some = append(some, c)
		}
	}
	return some
}

// matrix is one operation of people on stores of one kind.
type matrix struct {
	*bench
	operation
	base   objstore.Driver // as it is before
	start  holdings
	want   holdings            // after an undisturbed pass
	shards map[string][]string // all that undisturbed runs wrote
}

// Every operation of every store fails in turn, in every way, in the middle of
// everything that people do. At once the invariants hold, and the caller was told
// the truth; after one clean rerun what was asked for is there, and a second one
// changes nothing. CHURNTIER_FAULTS=all tries all, and not a sample of it.
func TestEveryOperationOfAStoreFailsInTurn(t *testing.T) {
	for _, k := range kinds {
		for _, o := range operations {
			t.Run(k.name+"/"+o.name, func(t *testing.T) {
				t.Parallel()
				m, seen := newMatrix(t, k, o)
				trials, violated := sample(everyTrial(seen), k.oneOf), 0
				for _, c := range trials {
					for _, v := range m.try(c) {
						violated++
						t.Errorf("%s, %s, operation %s: %s", k.name, o.name, c, v)
					}
				}
				t.Logf("%s, %s: %d operations of stores, %d trials, %d violations", k.name, o.name, len(seen), len(trials), violated)
			})
		}
	}
}

// newMatrix makes an undisturbed pass, and gives the operations of its first part.
func newMatrix(t *testing.T, k kind, o operation) (*matrix, []faulty.Operation) {
	m := &matrix{bench: newBench(t, k), operation: o, shards: map[string][]string{}}
	m.base = k.open(t)
	o.before(m.calm("0", m.base))
	m.start = held(t, m.base)
	store := k.copy(t, m.base)
	w := m.calm(disturbed, store)
	w.must(o.do(w))
	seen := w.process.Operations()
	m.goOn(w)
	m.want = held(t, store)
	for _, h := range []holdings{m.start, m.want} {
		for key, data := range h {
			if parts := strings.SplitN(key, "/", 4); parts[0] == "runs" {
				name := parts[1] + "/" + parts[3]
				m.shards[name] = append(m.shards[name], hashOf(data))
			}
		}
	}
	slices.SortFunc(seen, func(a, b faulty.Operation) int { return cmp.Compare(a.String(), b.String()) })
	if bad := append(m.want.check(promise{m.start, m.shards, o.forced}), m.settled(m.want)...); bad != nil {
		t.Fatalf("undisturbed: %v", bad)
	}
	return m, seen
}

func (m *matrix) goOn(w *worker) {
	if m.rest != nil {
		w.must(m.rest(w))
	}
}

// try gives what does not hold when an operation meets its fault.
func (m *matrix) try(c trial) (bad []string) {
	store := m.copy(m.t, m.base)
	p := faulty.Once(c.what, func(o faulty.Operation) bool { return o == c.at })
	w := m.worker(disturbed, store, p)
	got := m.do(w)
	if got.done && got.err == nil {
		m.goOn(w)
	}
	if !slices.Contains(p.Operations(), c.at) {
		bad = append(bad, "the operation was not reached")
	}
	h := held(m.t, store)
	keep := promise{m.start, m.shards, m.forced}
	if m.unseen(c) {
		keep.shards = nil
	}
	bad = append(bad, h.check(keep)...)
	if !errors.Is(got.err, faulty.ErrCrashed) && !m.unseen(c) {
		bad = append(bad, m.lies(got, h)...)
	}
	if c.lands == before {
		p.Land()
		bad = append(bad, m.lies(got, held(m.t, store))...)
	}
	bad = append(bad, m.rerun(c, p, store)...)
	for range 2 { // before and after what is on its way has arrived
		keep.before, h = h, held(m.t, store)
		bad = append(bad, h.check(keep)...)
		p.Land()
	}
	if !m.unseen(c) {
		bad = append(bad, m.settled(h)...)
	}
	return append(bad, m.still(store)...)
}

// unseen says whether nobody can notice the fault: a bit that flips on the way from
// a local disk, which has no checksum of its own.
func (m *matrix) unseen(c trial) bool {
	return m.kind.name == "file" && c.at.Store == "input" && c.what.String() == faulty.FlippedBit.String()
}

// lies gives what of I8 does not hold.
func (m *matrix) lies(got told, h holdings) []string {
	why := m.holds(m.want, h)
	switch {
	case got.done && why != "":
		return []string{fmt.Sprintf("I8: told done, and it is not: %s", why)}
	case !got.done && !got.unknown && m.own(h):
		return []string{fmt.Sprintf("I8: told that nothing was published, and it is: %v", got.err)}
	}
	return nil
}

// settled gives what of I7 does not hold.
func (m *matrix) settled(h holdings) (bad []string) {
	for _, why := range []string{m.holds(m.want, h), h.converged()} {
		if why != "" {
			bad = append(bad, "I7: "+why)
		}
	}
	return bad
}

// rerun does the same once more without a fault, while delayed writes land.
func (m *matrix) rerun(c trial, disturbed *faulty.Process, store objstore.Driver) []string {
	w := m.worker("B", store, faulty.NewProcess(func(o faulty.Operation) faulty.Fault {
		if c.lands == during && o.Kind == faulty.Put && (strings.HasPrefix(o.Key, "commits/") || strings.HasPrefix(o.Key, "latest/")) {
			disturbed.Land()
		}
		return faulty.None
	}))
	got := m.do(w)
	if !got.done && got.err == nil { // a clean-up leaves a date to the next one
		got = m.do(w)
	}
	if !got.done || got.err != nil {
		return []string{fmt.Sprintf("I7: the rerun gave %+v", got)}
	}
	m.goOn(w)
	return nil
}

// still makes sure that doing it once more changes nothing.
func (m *matrix) still(store objstore.Driver) []string {
	listed := func() string {
		all, err := objstore.New(store, "test").List(context.Background(), "")
		return fmt.Sprint(all, err)
	}
	before, do := listed(), m.do
	if m.idle != nil {
		do = m.idle
	}
	if got := do(m.calm("C", store)); !got.done || got.err != nil {
		return []string{fmt.Sprintf("I7: the second rerun gave %+v", got)}
	}
	if after := listed(); after != before {
		return []string{fmt.Sprintf("I7: a second rerun changes %s to %s", before, after)}
	}
	return nil
}

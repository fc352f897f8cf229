package pipeline_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/publish"
)

// A bit of the log that flips on its way from a store without checksums misleads
// nobody into deleting, hiding or publishing anything.
func TestEveryByteOfTheLogIsReadWrong(t *testing.T) {
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			m, seen := newMatrix(t, kinds[1], o)
			var trials []trial
			for _, at := range seen {
				for i := range m.start[at.Key] {
					if at.Kind == faulty.Open && strings.HasPrefix(at.Key, "commits/") {
						trials = append(trials, trial{at, faulty.FlippedBitIn(i), ""})
					}
				}
			}
			for _, c := range sample(trials, 17) {
				for _, v := range m.try(c) {
					t.Errorf("operation %s: %s", c, v)
				}
			}
		})
	}
}

// A commit is on its way for so long that a clean-up takes its run for an orphan:
// the fence keeps it from being published when it arrives after all.
func TestCommitThatArrivesAfterTheCleanUp(t *testing.T) {
	b := newBench(t, kinds[0])
	store := b.open(t)
	runs(night21)(b.calm("0", store))
	start := held(t, store)
	p := faulty.Once(faulty.Delay, func(o faulty.Operation) bool {
		return o.Kind == faulty.Put && strings.HasPrefix(o.Key, "commits/")
	})
	if got := runOf(night22)(b.worker(disturbed, store, p)); got.done || !got.unknown {
		t.Errorf("%+v, expected that it is open", got)
	}
	w := b.calm("B", store)
	w.must(w.prune())
	p.Land()
	for range 2 {
		h := held(t, store)
		for _, bad := range append(h.check(promise{before: start}), h.converged()) {
			if bad != "" {
				t.Error(bad)
			}
		}
		runs(night22)(w)
	}
	if log := held(t, store).log(night22); len(log) != 2 || log[0].Fence == "" || !strings.HasPrefix(log[1].Run, "B") {
		t.Errorf("the log is %+v, expected a fence and the second run", log)
	}
}

// The gates look back on what was written, or on nothing.
func TestHistoryThatIsReadWrong(t *testing.T) {
	b := newBench(t, kinds[1])
	store := b.open(t)
	runs(night21)(b.calm("0", store))
	w := b.worker(disturbed, store, faulty.Once(faulty.FlippedBit, func(o faulty.Operation) bool {
		return o.Kind == faulty.Open && strings.HasSuffix(o.Key, "/distribution.json")
	}))
	if got := runOf(night22)(w); got.done || !errors.Is(got.err, publish.ErrDamaged) {
		t.Errorf("%+v", got)
	}
	runs(night22)(b.calm("B", store))
}

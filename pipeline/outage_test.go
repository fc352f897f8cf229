package pipeline_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
)

// A store that fails for good in the middle, at whatever operation: the error has
// its kind, nothing is visible, and a rerun on a store that works publishes.
func TestOutageThatBeginsAtAnyOperation(t *testing.T) {
	every := func(faulty.Operation) bool { return true }
	for name, c := range map[string]struct {
		answer error
		hits   func(faulty.Operation) bool
	}{
		"unreachable": {faulty.ErrReset, every},
		"forbidden":   {objstore.ErrPermission, every},
		"disk full":   {objstore.ErrNoSpace, func(o faulty.Operation) bool { return o.Kind == faulty.Put }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := newMatrix(t, kinds[0], operations[1])
			for first, reached := 0, true; reached; first++ {
				reached = m.outage(fmt.Sprintf("%s from operation %d on", name, first), first, c.answer, c.hits)
			}
		})
	}
}

// outage runs a night on a store that answers all operations from the first of
// those that are hit with an error; it tells whether there was one.
func (m *matrix) outage(at string, first int, answer error, hits func(faulty.Operation) bool) (reached bool) {
	store, met := m.copy(m.t, m.base), 0
	got := m.do(m.worker(disturbed, store, faulty.NewProcess(func(o faulty.Operation) faulty.Fault {
		if hits(o) {
			met++
		}
		if hits(o) && met > first {
			return faulty.Answer(answer)
		}
		return faulty.None
	})))
	reached = met > first
	h := held(m.t, store)
	switch {
	case !reached && got.err == nil:
	case !errors.Is(got.err, answer):
		m.t.Errorf("%s: %v", at, got.err)
	case got.done && errors.Is(got.err, pipeline.ErrProjection):
	default:
		if diff := cmp.Diff(m.start.visible(), h.visible()); got.done || diff != "" {
			m.t.Errorf("%s: told %+v: %s", at, got, diff)
		}
	}
	w := m.calm("B", store)
	w.must(m.do(w))
	for _, bad := range m.settled(held(m.t, store)) {
		m.t.Errorf("%s: %s", at, bad)
	}
	return reached
}

package delivery

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// writeState writes standings in the order given.
func writeState(t *testing.T, b *objstore.Bucket, all []standing) *Intent {
	t.Helper()
	w := newStateWriter(t.Context(), b, "state/")
	defer w.abort()
	for _, s := range all {
		if err := w.add(s); err != nil {
			t.Fatal(err)
		}
	}
	files, err := w.close()
	if err != nil {
		t.Fatal(err)
	}
	return &Intent{State: files}
}

// readState reads what follows i.
func readState(t *testing.T, b *objstore.Bucket, i *Intent, lost func(standing) bool) ([]standing, error) {
	t.Helper()
	builder := &builder{Job: &Job{Temp: t.TempDir()}, published: b, target: Target{Date: i.Date}}
	r, err := builder.openState(t.Context(), i, lost)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.close() }()
	var all []standing
	for {
		s, err := r.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
}

func standings(n int) []standing {
	var all []standing
	identities := []string{"", `{"email":"one"}`, `{"email":"two"}`, `{"phone":"1"}`}
	for i := range n {
		for _, k := range []key{newKey(fmt.Sprint("u", i), "a", false), newKey(fmt.Sprint("u", i), "a", true), newKey(fmt.Sprint("u", i), "b", false)} {
			all = append(all, standing{
				key: k, Place: int64(i - 1),
				Now:    Standing{In: i%2 == 0, Day: i % 5, Last: on(i), Resting: i%3 == 0, Payload: ^uint64(0) - uint64(i), Identity: identities[i%4]},
				Before: Standing{In: i%2 == 1, Day: i % 7, Left: on(-i), Identity: identities[i/4%4]},
			})
		}
	}
	slices.SortFunc(all, func(a, b standing) int { return a.compare(b.key) })
	return all
}

// What was read stays as it was while all that follows is read, over many batches.
func TestStateIsReadAsItWasWritten(t *testing.T) {
	never := func(standing) bool { return false }
	for _, n := range []int{0, 1, 7000, 60_000} {
		b := objstore.New(mem.New(), "mem://out")
		want := standings(n)
		i := writeState(t, b, want)
		got, err := readState(t, b, i, never)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d: %v, %d standings, not as they were written", n, err, len(got))
		}
		lost, err := readState(t, b, i, func(s standing) bool { return s.Place == 3 })
		for at, s := range lost {
			if s.Place == 3 && s.Now != want[at].Before || s.Place != 3 && s.Now != want[at].Now {
				t.Errorf("%+v, was %+v", s, want[at])
			}
		}
		if err != nil || len(lost) != len(want) {
			t.Errorf("%d standings, %v", len(lost), err)
		}
	}
}

// A state that is not in order would be taken for people who came and went.
func TestStateOutOfOrder(t *testing.T) {
	never := func(standing) bool { return false }
	all := standings(10)
	for name, of := range map[string][]standing{
		"swapped": slices.Concat(all[:5], []standing{all[6], all[5]}, all[7:]),
		"twice":   slices.Concat(all[:5], all[4:]),
	} {
		b := objstore.New(mem.New(), "mem://out")
		if _, err := readState(t, b, writeState(t, b, of), never); !errors.Is(err, ErrLog) {
			t.Errorf("%s: got %v, expected %v", name, err, ErrLog)
		}
	}
}

package identity

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/spill"
)

func TestTheFolderForFilesIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	tiny := pairs(400)
	tiny.o.Memory, tiny.o.Temp = 1, missing
	roomy := tiny
	roomy.o.Memory = 0
	s, err := roomy.sieve()
	if err != nil {
		t.Fatalf("a folder was needed for little: %v", err)
	}
	_, sieveErr := tiny.sieve()
	_, judgeErr := tiny.judge(s)
	late := roomy
	late.o.Memory = 400 * 15 // the fate table is the first that does not fit
	_, tableErr := late.judge(pick(t, late, 2))
	few := pairs(10) // fit the buffers
	few.o.Memory, few.o.Temp = 1, missing
	_, sieveClose := few.sieve()
	_, judgeClose := few.judge(pick(t, few, 10))
	for name, err := range map[string]error{
		"sieve": sieveErr, "judge": judgeErr, "table": tableErr, "sieve's end": sieveClose, "judge's end": judgeClose,
	} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), "--temp") {
			t.Errorf("%s: got %v, want the folder and --temp named", name, err)
		}
	}
}

// pick makes the first n rows of a night suspects.
func pick(t *testing.T, n night, rows int64) *Suspects {
	t.Helper()
	s := newSuspects(n.o)
	for row := range rows {
		s.add(row)
	}
	s.seal()
	return s
}

func TestAFullLedgerIsReported(t *testing.T) {
	n := pairs(400)
	n.o.Memory, n.o.Temp = 1, filepath.Join(t.TempDir(), "missing")
	o, err := n.o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(o)
	defer l.Close()
	w := l.writer()
	for range 10_000 {
		if err = w.add(1, Listed); err != nil {
			break
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want fs.ErrNotExist", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.fates(context.Background(), newSuspects(o)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("fates without those that were lost: %v", err)
	}
}

func TestTheFateTableFails(t *testing.T) {
	o := Options{Rows: 1 << 62, Memory: 1, Temp: t.TempDir()}
	if _, err := newFateTable(o); err == nil || !strings.Contains(err.Error(), o.Temp) {
		t.Errorf("larger than any file: got %v", err)
	}
	closed, err := spill.Create(o.Temp)
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	l := ledgerWith(t, 5)
	if err := l.writeTo(context.Background(), closed); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("no write: got %v", err)
	}
	if _, err := l.fates(cancelled, newSuspects(l.options)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// ledgerWith gives a ledger for 10 rows, one of which is excluded.
func ledgerWith(t *testing.T, row int64) *ledger {
	t.Helper()
	o, err := Options{Rows: 10}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(o)
	w := l.writer()
	if err := errors.Join(w.add(row, Listed), w.Close()); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAFailureInAHalfIsReported(t *testing.T) {
	broken := errors.New("broken")
	var calls []hashRange
	err := partitionRange(2, 4).each(func(r hashRange) error {
		if calls = append(calls, r); len(calls) == 3 {
			return broken
		}
		return errFull
	})
	want := []hashRange{{2, 2}, {4, 3}, {8, 4}}
	if !errors.Is(err, broken) || !slices.Equal(calls, want) {
		t.Fatalf("got %v after %v, want %v", err, calls, want)
	}
}

func TestCancelledWorkLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n := pairs(400)
	n.o.Memory, n.o.Temp = 1, t.TempDir()
	suspects, err := n.sieve()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSieve(n.o)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Collector()
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	builder.AppendValues(n.ids(), nil)
	var ids IDs
	if err := errors.Join(ids.Load(builder.NewStringArray()), c.Add(&ids, 0), c.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Suspects(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("sieve: got %v", err)
	}
	j, err := NewJudge(n.o, suspects)
	if err != nil {
		t.Fatal(err)
	}
	jc := j.Collector()
	for row := range n.o.Rows {
		if err := n.accuse(jc, row); err != nil {
			t.Fatal(err)
		}
	}
	if err := jc.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Fates(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("judge: got %v", err)
	}
	assertEmpty(t, n.o.Temp)
}

func TestFillChecksWhatItReads(t *testing.T) {
	s := newSuspects(Options{Rows: 4})
	s.add(2)
	f := &Fates{suspects: s, table: memoryTable{0, 0, 77, 0}}
	if _, err := f.Fill(0, make([]Fate, 4)); !errors.Is(err, spill.ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	for _, first := range []int64{-1, 1} {
		if _, err := f.Fill(first, make([]Fate, 4)); err == nil || !strings.Contains(err.Error(), "the snapshot has 4") {
			t.Errorf("first row %d: got %v", first, err)
		}
	}
	file, err := spill.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f.table = file // empty
	if _, err := f.Fill(0, make([]Fate, 4)); err == nil || !strings.Contains(err.Error(), "rows 0 to 3") {
		t.Errorf("short table: got %v", err)
	}
}

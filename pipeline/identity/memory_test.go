package identity

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// TestOneIDManyTimes has an id on two million rows, whose records alone are 30
// times the memory allowed.
func TestOneIDManyTimes(t *testing.T) {
	assertBounded(t, KeepIdentical, 2_000_000, 1)
}

// TestManyCrowds has ids on 25 rows each, all of them to be told.
func TestManyCrowds(t *testing.T) {
	assertBounded(t, Crowd, 500_000, 20_000)
}

// TestManySuspects has ids on two rows each, whose records and groups are many
// times the memory allowed.
func TestManySuspects(t *testing.T) {
	assertBounded(t, KeepIdentical, 100_000, 50_000)
}

// assertBounded judges rows of as many ids, all of equal content, within 1 MiB.
func assertBounded(t *testing.T, p Policy, rows, distinct int64) {
	t.Helper()
	const allowed = 1 << 20
	o := Options{Rows: rows, Memory: allowed, Temp: t.TempDir(), Policy: p, Workers: 1}
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range max(distinct, 10_000) {
		builder.Append(fmt.Sprint("user-", i%distinct))
	}
	var ids IDs
	if err := ids.Load(builder.NewStringArray()); err != nil {
		t.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // many collections, so that what is held shows
	peak := watchHeap()
	f := judgeAll(t, o, &ids)
	grown := peak()
	want := [fates]int64{Kept: distinct, DuplicateCopy: rows - distinct}
	if p == Crowd {
		want = [fates]int64{Crowded: rows}
	}
	if f.counts != want {
		t.Fatalf("by fate %d, want %d", f.counts, want)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// What was allowed, the bitmap, one block of the fate table (no larger than half
	// of the bitmap), and a MiB for what a collection finds of its own time.
	if bound := allowed + rows/8 + rows/16 + 1<<20; grown > bound {
		t.Fatalf("the heap grew by %d KiB, want at most %d", grown>>10, bound>>10)
	}
	t.Logf("the heap grew by %d KiB", grown>>10)
	runtime.KeepAlive(&ids)
}

// judgeAll takes the same batch of ids again and again until all rows are used.
func judgeAll(t *testing.T, o Options, ids *IDs) *Fates {
	t.Helper()
	sieve, err := NewSieve(o)
	if err != nil {
		t.Fatal(err)
	}
	c := sieve.Collector()
	for first := int64(0); first < o.Rows; first += int64(ids.Len()) {
		if err := c.Add(ids, first); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	suspects, err := sieve.Suspects(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	judge, err := NewJudge(o, suspects)
	if err != nil {
		t.Fatal(err)
	}
	jc := judge.Collector()
	for row := range o.Rows {
		if err := jc.AddRow(row, ids.At(int(row)%ids.Len()), nil, [16]byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := jc.Close(); err != nil {
		t.Fatal(err)
	}
	fates, err := judge.Fates(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return fates
}

// watchHeap gives a function that ends the watch and tells by how many bytes the
// live heap grew at most: what collections found in use. Garbage that a busy
// machine has not come to yet is not in it.
func watchHeap() func() int64 {
	runtime.GC()
	start := liveHeap()
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		most := start
		for {
			select {
			case <-stop:
				peak <- max(most, liveHeap()) - start
				return
			case <-time.After(2 * time.Millisecond):
				most = max(most, liveHeap())
			}
		}
	}()
	return func() int64 { close(stop); return <-peak }
}

// liveHeap is the bytes of the objects that the last collection found in use.
func liveHeap() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

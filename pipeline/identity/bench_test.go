//go:build unix

package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const benchBatch = 16 << 10

// benchIDs is a batch of 13-byte ids that setIDs changes in place.
func benchIDs() *array.String {
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	for range benchBatch {
		builder.Append("user-00000000")
	}
	return builder.NewStringArray()
}

// setIDs numbers the ids of a batch from first on.
func setIDs(arr *array.String, first int64) {
	text := arr.Data().Buffers()[2].Bytes()
	for i := range arr.Len() {
		n := first + int64(i)
		for d := 12; d >= 5; d-- {
			text[i*13+d] = byte('0' + n%10)
			n /= 10
		}
	}
}

func BenchmarkIDsLoad(b *testing.B) {
	arr := benchIDs()
	var ids IDs
	b.SetBytes(benchBatch * 13)
	for b.Loop() {
		if err := ids.Load(arr); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchBatch, "ns/row")
}

// BenchmarkSieve takes distinct ids through the whole sieve; the CPU of making
// the ids is measured and taken off.
func BenchmarkSieve(b *testing.B) {
	for _, rows := range []int64{10e6, 30e6} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			b.SetBytes(rows * 13)
			for b.Loop() {
				making := cpu()
				collect(b, rows, func(*IDs, int64) error { return nil })
				making = cpu() - making
				peak := watchHeap()
				used := cpu()
				sieve(b, Options{Rows: rows, Temp: b.TempDir(), Workers: 2})
				used = cpu() - used
				b.ReportMetric(float64(used-making)/float64(rows), "cpu-ns/row")
				b.ReportMetric(float64(peak())/(1<<20), "peak-MiB")
			}
		})
	}
}

func sieve(b *testing.B, o Options) {
	s, err := NewSieve(o)
	if err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	half := o.Rows / 2
	for w := range int64(2) {
		wg.Go(func() {
			c := s.Collector()
			collect(b, half, func(ids *IDs, first int64) error { return c.Add(ids, first+w*half) }, w*half)
			mu.Lock()
			defer mu.Unlock()
			if err := c.Close(); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	suspects, err := s.Suspects(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	if suspects.Count() != 0 {
		b.Fatalf("%d suspects among distinct ids", suspects.Count())
	}
}

// collect gives batches of ids, numbered from base on, to add.
func collect(b *testing.B, rows int64, add func(*IDs, int64) error, base ...int64) {
	arr := benchIDs()
	var ids IDs
	var from int64
	if len(base) > 0 {
		from = base[0]
	}
	for first := int64(0); first < rows; first += benchBatch {
		setIDs(arr, from+first)
		n := min(benchBatch, rows-first)
		slice := array.NewSlice(arr, 0, n)
		if err := ids.Load(slice); err != nil {
			b.Error(err)
		}
		if err := add(&ids, first); err != nil {
			b.Error(err)
		}
		slice.Release()
	}
}

// cpu gives the CPU time of this process in nanoseconds.
func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkJudge has only suspects: every id is on two rows.
func BenchmarkJudge(b *testing.B) {
	const rows = 4_000_000
	b.SetBytes(rows * 13)
	for b.Loop() {
		o := Options{Rows: rows, Temp: b.TempDir(), Workers: 2, Policy: KeepIdentical}
		s := newSuspects(o)
		for row := range int64(rows) {
			s.add(row)
		}
		s.seal()
		j, err := NewJudge(o, s)
		if err != nil {
			b.Fatal(err)
		}
		peak, used := watchHeap(), cpu()
		c := j.Collector()
		collect(b, rows/2, func(ids *IDs, first int64) error {
			for i := range ids.Len() {
				row := 2 * (first + int64(i))
				if err := errors.Join(c.AddRow(row, ids.At(i), nil, [16]byte{}), c.AddRow(row+1, ids.At(i), nil, [16]byte{})); err != nil {
					return err
				}
			}
			return nil
		})
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
		f, err := j.Fates(context.Background())
		if err != nil || f.Count(DuplicateCopy) != rows/2 {
			b.Fatalf("%v, %d copies", err, f.Count(DuplicateCopy))
		}
		b.ReportMetric(float64(cpu()-used)/rows, "cpu-ns/row")
		b.ReportMetric(float64(peak())/(1<<20), "peak-MiB")
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

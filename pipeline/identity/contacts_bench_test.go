//go:build unix

package identity

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

func BenchmarkLoadContacts(b *testing.B) {
	plain := contactBatch()
	for name, arr := range map[string]arrow.Array{"text": plain, "dictionary": pairsOf(plain)} {
		b.Run(name, func(b *testing.B) {
			var ids IDs
			b.SetBytes(benchBatch * 13)
			for b.Loop() {
				if err := ids.LoadContacts(arr); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(arr.Len()), "ns/row")
		})
	}
}

// BenchmarkCrowds takes ten million contacts all the way, two goroutines at a
// time. Every sixteenth batch has the same contacts: those are crowded.
func BenchmarkCrowds(b *testing.B) {
	const batches, rows = 610, 610 * benchBatch
	b.SetBytes(rows * 13)
	for b.Loop() {
		o := Options{Rows: rows, Temp: b.TempDir(), Workers: 2, Policy: Crowd}
		peak, used := watchHeap(), cpu()
		f := judgeContacts(b, o, sieveContacts(b, o, batches), batches)
		if want := int64((batches + 15) / 16 * benchBatch); f.Count(Crowded) != want {
			b.Fatalf("%d rows are crowded, want %d", f.Count(Crowded), want)
		}
		b.ReportMetric(float64(cpu()-used)/rows, "cpu-ns/row")
		b.ReportMetric(float64(peak())/(1<<20), "peak-MiB")
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func sieveContacts(b *testing.B, o Options, batches int64) *Suspects {
	s, err := NewSieve(o)
	if err != nil {
		b.Fatal(err)
	}
	eachContactBatch(b, batches, func() (func(*IDs, int64) error, func() error) {
		c := s.Collector()
		return c.Add, c.Close
	})
	suspects, err := s.Suspects(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return suspects
}

func judgeContacts(b *testing.B, o Options, s *Suspects, batches int64) *Fates {
	j, err := NewJudge(o, s)
	if err != nil {
		b.Fatal(err)
	}
	eachContactBatch(b, batches, func() (func(*IDs, int64) error, func() error) {
		c := j.Collector()
		return func(ids *IDs, first int64) (err error) {
			end := first + int64(ids.Len())
			for row := s.Next(first); row >= 0 && row < end; row = s.Next(row + 1) {
				err = errors.Join(err, c.AddRow(row, ids.At(int(row-first)), nil, [16]byte{}))
			}
			return err
		}, c.Close
	})
	f, err := j.Fates(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// eachContactBatch gives all batches to two goroutines; start gives each of them
// what takes a batch and what ends it.
func eachContactBatch(b *testing.B, batches int64, start func() (take func(*IDs, int64) error, end func() error)) {
	var wg sync.WaitGroup
	for w := range int64(2) {
		take, end := start()
		wg.Go(func() {
			arr := benchIDs()
			var ids IDs
			for n := w; n < batches; n += 2 {
				setIDs(arr, n*benchBatch)
				if n%16 == 0 {
					setIDs(arr, 0)
				}
				if err := errors.Join(ids.LoadContacts(arr), take(&ids, n*benchBatch)); err != nil {
					b.Error(err)
				}
			}
			if err := end(); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

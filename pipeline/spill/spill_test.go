package spill

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func newStore(t testing.TB, o Options) *Store {
	t.Helper()
	s := New(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func put(w *Writer, partition int, record []byte) error {
	room, err := w.Reserve(partition, len(record))
	if err != nil {
		return err
	}
	copy(room, record)
	return nil
}

// framed gives a record that carries its own length, and n bytes of one value.
func framed(value byte, n int) []byte {
	record := binary.LittleEndian.AppendUint32(nil, uint32(n))
	return append(record, bytes.Repeat([]byte{value}, n)...)
}

type fataler interface{ Fatal(...any) }

// readAll gives the framed records of a partition, sorted; each must be whole in
// its slice.
func readAll(t fataler, s *Store, partition int) []string {
	var all []string
	err := s.Each(context.Background(), partition, func(b []byte) error {
		for len(b) > 0 {
			n := binary.LittleEndian.Uint32(b)
			all = append(all, string(b[4:4+n]))
			b = b[4+n:]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestEveryRecordComesBackInItsPartitionHoweverOftenItIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(Options{
			Partitions: rapid.IntRange(1, 9).Draw(t, "partitions"),
			Buffer:     rapid.IntRange(1, 300).Draw(t, "buffer"),
			Held:       rapid.Int64Range(0, 2000).Draw(t, "held"),
			Temp:       os.TempDir(),
		})
		defer s.Close()
		want := make([][]string, s.Partitions())
		sizes := make([]int64, s.Partitions())
		writers := []*Writer{s.Writer(), s.Writer(), s.Writer()}
		for i := range rapid.IntRange(0, 200).Draw(t, "records") {
			p := rapid.IntRange(0, s.Partitions()-1).Draw(t, "partition")
			record := framed(byte(i), rapid.IntRange(0, 400).Draw(t, "length"))
			if err := put(writers[i%3], p, record); err != nil {
				t.Fatal(err)
			}
			want[p] = append(want[p], string(record[4:]))
			sizes[p] += int64(len(record))
		}
		for _, w := range writers {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for p := range want {
			slices.Sort(want[p])
			for range 2 {
				if got := readAll(t, s, p); !slices.Equal(got, want[p]) {
					t.Fatalf("partition %d: got %d records, want %d", p, len(got), len(want[p]))
				}
			}
			if s.Size(p) != sizes[p] {
				t.Fatalf("partition %d: size %d, want %d", p, s.Size(p), sizes[p])
			}
		}
	})
}

func TestConcurrentWritersNeverTearARecord(t *testing.T) {
	s := newStore(t, Options{Partitions: 3, Buffer: 64, Held: 1000, Temp: t.TempDir()})
	const writers, each = 8, 2000
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			w := s.Writer()
			for i := range each {
				if err := put(w, i%3, framed(byte(n), i%90)); err != nil {
					t.Error(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	total := 0
	for p := range 3 {
		for _, r := range readAll(t, s, p) {
			total++
			if r != "" && strings.Trim(r, r[:1]) != "" {
				t.Fatalf("torn record %q", r)
			}
		}
	}
	if total != writers*each {
		t.Fatalf("%d records came back, want %d", total, writers*each)
	}
}

func TestMemoryIsEnoughForFewRecords(t *testing.T) {
	s := newStore(t, Options{Partitions: 2, Buffer: 10, Held: 100, Temp: "/nowhere"})
	w := s.Writer()
	for range 10 {
		if err := put(w, 1, framed('a', 6)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(readAll(t, s, 1)); got != 10 {
		t.Fatalf("%d records, want 10", got)
	}
}

func TestMisuseIsRefused(t *testing.T) {
	s := newStore(t, Options{Temp: t.TempDir()})
	w, late := s.Writer(), s.Writer()
	if err := put(late, 0, framed('a', 3)); err != nil {
		t.Fatal(err)
	}
	nothing := func([]byte) error { return nil }
	if err := s.Each(context.Background(), 0, nothing); !errors.Is(err, errOpenWriter) {
		t.Fatalf("reading beside a writer: %v", err)
	}
	if err := errors.Join(w.Close(), w.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := late.Close(); !errors.Is(err, errClosed) {
		t.Fatalf("writing to a closed store: %v", err)
	}
	if err := s.Each(context.Background(), 0, nothing); !errors.Is(err, errClosed) {
		t.Fatalf("reading a closed store: %v", err)
	}
}

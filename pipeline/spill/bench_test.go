package spill

import (
	"context"
	"encoding/binary"
	"testing"
)

// BenchmarkStore puts records of 24 bytes into 64 partitions and reads all of them
// back, from memory and from the disk.
func BenchmarkStore(b *testing.B) {
	for name, held := range map[string]int64{"memory": 1 << 30, "disk": 0} {
		b.Run(name, func(b *testing.B) { benchmarkStore(b, held) })
	}
}

func benchmarkStore(b *testing.B, held int64) {
	const records, size, partitions = 1 << 20, 24, 64
	b.SetBytes(records * size)
	b.ReportAllocs()
	for b.Loop() {
		s := New(Options{Partitions: partitions, Buffer: 32 << 10, Held: held, Temp: b.TempDir()})
		w := s.Writer()
		for i := range records {
			room, err := w.Reserve(i%partitions, size)
			if err != nil {
				b.Fatal(err)
			}
			binary.LittleEndian.PutUint64(room, uint64(i))
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		read := 0
		for p := range partitions {
			if err := s.Each(context.Background(), p, func(records []byte) error { read += len(records); return nil }); err != nil {
				b.Fatal(err)
			}
		}
		if read != records*size {
			b.Fatalf("%d bytes were read back", read)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

package identity

import (
	"math/bits"
	"sync/atomic"
)

// Suspects is the set of rows whose id has to be compared byte for byte: one
// bit for each row of the snapshot and of the lists. It is safe for concurrent
// use.
type Suspects struct {
	words []uint64
	rows  int64 // of the snapshot
	total int64
	count int64
}

func newSuspects(o Options) *Suspects {
	return &Suspects{words: make([]uint64, (o.total()+63)/64), rows: o.Rows, total: o.total()}
}

// add may be called concurrently.
func (s *Suspects) add(row int64) { atomic.OrUint64(&s.words[row/64], 1<<(row%64)) }

// seal counts the set, which does not change any more.
func (s *Suspects) seal() {
	for _, w := range s.words {
		s.count += int64(bits.OnesCount64(w))
	}
}

// Count gives the number of suspects, those on lists included.
func (s *Suspects) Count() int64 { return s.count }

// Has says whether a row is a suspect.
func (s *Suspects) Has(row int64) bool {
	return row >= 0 && row < s.total && s.words[row/64]>>(row%64)&1 == 1
}

// Any says whether one of the n rows from first on is a suspect.
func (s *Suspects) Any(first, n int64) bool {
	row := s.Next(first)
	return row >= 0 && row < first+n
}

// Next gives the first suspect at or after row, or -1.
func (s *Suspects) Next(row int64) int64 {
	row = max(row, 0)
	if row >= s.total {
		return -1
	}
	word := row / 64
	rest := s.words[word] >> (row % 64) << (row % 64)
	for rest == 0 {
		if word++; word == int64(len(s.words)) {
			return -1
		}
		rest = s.words[word]
	}
	return word*64 + int64(bits.TrailingZeros64(rest))
}

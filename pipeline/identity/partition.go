package identity

import (
	"context"
	"errors"
	"math/bits"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline/spill"
)

// Partitions are cut so that a table of one stays in a processor's cache.
const (
	partitionRecords = 64 << 10
	maxPartitions    = 128
	minBuffer        = 4 << 10
	maxBuffer        = 64 << 10
)

// partitions chooses how many partitions of a power of two n records go to and
// how large the buffers of each of the writers are, within a share of memory.
func (o Options) partitions(n, share int64) spill.Options {
	perWriter := share / int64(o.Workers)
	want := max(1, min(n/partitionRecords, maxPartitions, perWriter/minBuffer))
	count := 1 << (bits.Len64(uint64(want)) - 1)
	return spill.Options{
		Partitions: count,
		Buffer:     int(min(max(perWriter/int64(count), minBuffer), maxBuffer)),
		Temp:       o.Temp,
	}
}

// hashRange is the hashes whose first bits are prefix.
type hashRange struct {
	prefix uint64
	bits   int
}

// partitionRange gives the hashes of one of n partitions.
func partitionRange(partition, n int) hashRange {
	return hashRange{uint64(partition), bits.TrailingZeros(uint(n))}
}

// partitionOf gives the partition of a hash among n.
func partitionOf(hash uint64, n int) int {
	return int(hash >> (64 - bits.TrailingZeros(uint(n))))
}

func (r hashRange) has(hash uint64) bool { return hash>>(64-r.bits) == r.prefix }

// whole says that the range is a single hash and cannot be split.
func (r hashRange) whole() bool { return r.bits == 64 }

var errFull = errors.New("the table is full")

// each calls do for the range or, where do says errFull, for its halves: so a
// table is never larger than allowed, and records are read once more for each
// part.
func (r hashRange) each(do func(hashRange) error) error {
	err := do(r)
	if !errors.Is(err, errFull) {
		return err
	}
	for half := range uint64(2) {
		if err := (hashRange{r.prefix<<1 | half, r.bits + 1}).each(do); err != nil {
			return err
		}
	}
	return nil
}

// eachPartition works on the numbers below n with up to workers goroutines; start
// gives each of them the function it calls.
func eachPartition(ctx context.Context, workers, n int, start func() func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(workers, n) {
		work := start()
		group.Go(func() error {
			for p := next.Add(1) - 1; p < int64(n); p = next.Add(1) - 1 {
				if err := work(ctx, int(p)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

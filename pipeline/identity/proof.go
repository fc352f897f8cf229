package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/churntier/churntier/pipeline/spill"
)

// Proof shows that no two rows of the snapshot share an id: where the 64-bit hashes
// of all valid ids differ, the ids do. It takes half of what a Sieve does and cannot
// tell which rows share one.
//
// Of Options.Memory a sixteenth each goes to records, to the collectors' buffers and
// to the tables of Holds. Lists and the policy do not matter.
type Proof struct {
	options Options
	store   *spill.Store
}

// A record is the hash of an id. A partition's table, half full, stays in the nearer
// caches of a processor.
const (
	proofRecord        = 8
	proofRecords       = 32 << 10 // of a partition
	proofBuffer        = 4 << 10  // least bytes of a buffer
	maxProofBuffer     = 16 << 10
	maxProofPartitions = 256
)

// NewProof makes a proof for the rows of o.
func NewProof(o Options) (*Proof, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	share := o.Memory / 16
	perWriter := share / int64(o.Workers)
	partitions := floorPower(max(1, min(o.Rows/proofRecords, maxProofPartitions, perWriter/proofBuffer)))
	spilled := spill.Options{Partitions: int(partitions), Buffer: int(min(max(perWriter/partitions, proofBuffer), maxProofBuffer)), Temp: o.Temp}
	if o.Rows*proofRecord <= share {
		spilled.Held = share
	}
	return &Proof{options: o, store: spill.New(spilled)}, nil
}

// Close gives memory and disk space back. Only who does not get as far as Holds has
// to call it.
func (p *Proof) Close() error { return p.store.Close() }

// ProofCollector takes ids for one goroutine.
type ProofCollector struct {
	hash   func([]byte) uint64
	writer *spill.Writer
	parts  int
}

// Collector gives a new collector, to be closed when its last row is in.
func (p *Proof) Collector() *ProofCollector {
	return &ProofCollector{hash: p.options.hash, writer: p.store.Writer(), parts: p.store.Partitions()}
}

// Add takes the ids of rows; those that are not valid are passed over. Every row has
// to come once.
func (c *ProofCollector) Add(ids *IDs) error {
	for i := range ids.Len() {
		if ids.Reason(i) != Good {
			continue
		}
		hash := c.hash(ids.At(i))
		record, err := c.writer.Reserve(partitionOf(hash, c.parts), proofRecord)
		if err != nil {
			return fmt.Errorf("collect ids: %w", err)
		}
		binary.LittleEndian.PutUint64(record, hash)
	}
	return nil
}

// Close hands over the last rows. A nil collector has none.
func (c *ProofCollector) Close() error {
	if c == nil {
		return nil
	}
	if err := c.writer.Close(); err != nil {
		return fmt.Errorf("collect ids: %w", err)
	}
	return nil
}

// errShared ends the search at the first hash that two rows have.
var errShared = errors.New("two ids have one hash")

// Holds says whether all hashes differ, once all collectors are closed, and closes the
// proof.
func (p *Proof) Holds(ctx context.Context) (bool, error) {
	workers, memory := p.options.tables(p.options.Memory / 16)
	var shared atomic.Bool
	err := eachPartition(ctx, workers, p.store.Partitions(), func() func(context.Context, int) error {
		var seen hashSet
		return func(ctx context.Context, partition int) error {
			if shared.Load() {
				return nil
			}
			err := p.distinct(ctx, partition, &seen, memory)
			if errors.Is(err, errShared) {
				shared.Store(true)
				return nil
			}
			return err
		}
	})
	if err = errors.Join(err, p.Close()); err != nil {
		return false, fmt.Errorf("compare ids: %w", err)
	}
	return !shared.Load(), nil
}

// distinct is errShared when a hash is twice in a partition.
func (p *Proof) distinct(ctx context.Context, partition int, seen *hashSet, memory int64) error {
	return partitionRange(partition, p.store.Partitions()).each(func(r hashRange) error {
		seen.reset(p.store.Size(partition)/proofRecord, memory)
		return p.store.Each(ctx, partition, func(records []byte) error { return seen.addAll(records, r) })
	})
}

// hashSet is a set of hashes with open addressing, where 0 is a free slot.
type hashSet struct {
	slots []uint64
	free  int // how many more it takes
}

// reset empties the set and sizes it for n hashes, or for as many as fit into memory
// bytes.
func (s *hashSet) reset(n, memory int64) {
	s.slots = emptySlots(s.slots, n, memory)
	s.free = room(s.slots)
}

// addAll adds the hashes of a range: errShared says that one is there already, errFull
// that there is no room for all. The hash 0 is taken for 1.
func (s *hashSet) addAll(records []byte, r hashRange) error {
	mask := uint64(len(s.slots) - 1)
	for ; len(records) >= proofRecord; records = records[proofRecord:] {
		hash := max(1, binary.LittleEndian.Uint64(records))
		if !r.has(hash) {
			continue
		}
		i := hash & mask
		for ; s.slots[i] != 0; i = (i + 1) & mask {
			if s.slots[i] == hash {
				return errShared
			}
		}
		if s.free == 0 {
			return errFull
		}
		s.free--
		s.slots[i] = hash
	}
	return nil
}

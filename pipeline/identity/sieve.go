package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/spill"
)

// Sieve finds the rows whose id may not be theirs alone. A row of the snapshot
// is a suspect when the hash of its id is also on a list, or on so many rows that
// the policy takes notice: two, by Crowd more than CrowdedAbove. A row of a list is
// a suspect when its hash is also in the snapshot.
//
// Of Options.Memory a quarter holds records and a quarter the collectors'
// buffers until Suspects; the tables of Suspects take the other half.
type Sieve struct {
	options Options
	store   *spill.Store
}

// sieveRecord is the length of a record: hash, row.
const sieveRecord = 16

// NewSieve makes a sieve for the rows and lists of o. An input that does not
// fit the memory whole is not held at all, only written to Temp.
func NewSieve(o Options) (*Sieve, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	share := o.Memory / 4
	partitioned := o.partitions(o.total(), share)
	if o.total()*sieveRecord <= share {
		partitioned.Held = share
	}
	return &Sieve{options: o, store: spill.New(partitioned)}, nil
}

// Close gives memory and disk space back. Only who does not get as far as
// Suspects has to call it.
func (s *Sieve) Close() error { return s.store.Close() }

// SieveCollector takes ids for one goroutine.
type SieveCollector struct {
	options Options
	writer  *spill.Writer
	parts   int
}

// Collector gives a new collector, to be closed when its last row is in.
func (s *Sieve) Collector() *SieveCollector {
	return &SieveCollector{options: s.options, writer: s.store.Writer(), parts: s.store.Partitions()}
}

// Add takes the ids of consecutive rows, the first of them having number first.
// Those that are not valid are passed over.
func (c *SieveCollector) Add(ids *IDs, first int64) error {
	if first < 0 || first+int64(ids.Len()) > c.options.total() {
		return fmt.Errorf("rows %d to %d: only %d rows were announced", first, first+int64(ids.Len())-1, c.options.total())
	}
	for i := range ids.Len() {
		if ids.Reason(i) != Good {
			continue
		}
		hash := c.options.hash(ids.At(i))
		record, err := c.writer.Reserve(partitionOf(hash, c.parts), sieveRecord)
		if err != nil {
			return fmt.Errorf("collect ids: %w", err)
		}
		binary.LittleEndian.PutUint64(record, hash)
		binary.LittleEndian.PutUint64(record[8:], uint64(first)+uint64(i))
	}
	return nil
}

// Close hands over the last rows.
func (c *SieveCollector) Close() error {
	if err := c.writer.Close(); err != nil {
		return fmt.Errorf("collect ids: %w", err)
	}
	return nil
}

// Suspects finds them, once all collectors are closed, and closes the sieve.
func (s *Sieve) Suspects(ctx context.Context) (*Suspects, error) {
	suspects := newSuspects(s.options)
	workers, memory := s.options.tables(s.options.Memory / 2)
	err := eachPartition(ctx, workers, s.store.Partitions(), func() func(context.Context, int) error {
		f := sifter{sieve: s, suspects: suspects, memory: memory}
		f.table.enough = uint64(s.options.Policy.enough())
		return f.partition
	})
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, fmt.Errorf("compare ids: %w", err)
	}
	suspects.seal()
	return suspects, nil
}

// sifter works on partitions, one after the other, with one table.
type sifter struct {
	sieve    *Sieve
	suspects *Suspects
	table    hashTable
	memory   int64 // bound of the table
}

func (f *sifter) partition(ctx context.Context, p int) error {
	return partitionRange(p, f.sieve.store.Partitions()).each(func(r hashRange) error {
		if err := f.count(ctx, p, r); err != nil || !f.table.found {
			return err
		}
		return f.mark(ctx, p, r)
	})
}

// count puts the hashes of a range into the table.
func (f *sifter) count(ctx context.Context, p int, r hashRange) error {
	f.table.reset(f.sieve.store.Size(p)/sieveRecord, f.memory)
	return f.eachRecord(ctx, p, r, func(hash uint64, row int64) error {
		if !f.table.add(hash, row >= f.sieve.options.Rows) {
			return errFull
		}
		return nil
	})
}

// mark adds the rows with suspicious hashes of a range to the suspects.
func (f *sifter) mark(ctx context.Context, p int, r hashRange) error {
	return f.eachRecord(ctx, p, r, func(hash uint64, row int64) error {
		if f.table.suspect(hash) {
			f.suspects.add(row)
		}
		return nil
	})
}

func (f *sifter) eachRecord(ctx context.Context, p int, r hashRange, do func(hash uint64, row int64) error) error {
	return f.sieve.store.Each(ctx, p, func(records []byte) error {
		for ; len(records) > 0; records = records[sieveRecord:] {
			hash := binary.LittleEndian.Uint64(records)
			if !r.has(hash) {
				continue
			}
			if err := do(hash, int64(binary.LittleEndian.Uint64(records[8:]))); err != nil {
				return err
			}
		}
		return nil
	})
}

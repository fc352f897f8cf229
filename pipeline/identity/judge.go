package identity

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/churntier/churntier/pipeline/spill"
)

// Judge compares the suspects byte for byte and tells their fates. All rows of an
// id on a list are Listed, and count for no duplicates; the policy decides among
// the others.
//
// Of Options.Memory a quarter holds records and an eighth the collectors'
// buffers until Fates; its tables take a quarter, the fates themselves an
// eighth.
type Judge struct {
	options  Options
	suspects *Suspects
	store    *spill.Store
	added    atomic.Int64
}

// NewJudge makes a judge for the suspects of a sieve with the same options.
func NewJudge(o Options, s *Suspects) (*Judge, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if s.rows != o.Rows || s.total != o.total() {
		return nil, fmt.Errorf("identity: suspects of %d rows and lists of %d, judged with %d and %d",
			s.rows, s.total-s.rows, o.Rows, o.Listed)
	}
	partitioned := o.partitions(s.Count(), o.Memory/8)
	partitioned.Held = o.Memory / 4
	return &Judge{options: o, suspects: s, store: spill.New(partitioned)}, nil
}

// Close gives memory and disk space back. Only who does not get as far as Fates
// has to call it.
func (j *Judge) Close() error { return j.store.Close() }

// JudgeCollector takes suspects for one goroutine.
type JudgeCollector struct {
	judge  *Judge
	writer *spill.Writer
	added  int64
}

// Collector gives a new collector, to be closed when its last suspect is in.
func (j *Judge) Collector() *JudgeCollector {
	return &JudgeCollector{judge: j, writer: j.store.Writer()}
}

// AddRow takes a suspect of the snapshot: its id, the key by which KeepLatest
// orders it (see AppendOrderKey; nil or empty is a null, the oldest), and the
// hash of its content. The slices stay the caller's.
func (c *JudgeCollector) AddRow(row int64, id, order []byte, content [16]byte) error {
	if row >= c.judge.options.Rows {
		return fmt.Errorf("row %d: the snapshot has %d", row, c.judge.options.Rows)
	}
	if c.judge.options.Policy != KeepLatest {
		order = nil
	}
	return c.add(record{row: row, id: id, order: order, content: content})
}

// AddListed takes a suspect of a list.
func (c *JudgeCollector) AddListed(row int64, id []byte) error {
	if row < c.judge.options.Rows {
		return fmt.Errorf("row %d: lists begin at %d", row, c.judge.options.Rows)
	}
	return c.add(record{row: row, id: id})
}

func (c *JudgeCollector) add(r record) error {
	if !c.judge.suspects.Has(r.row) {
		return fmt.Errorf("row %d is no suspect", r.row)
	}
	r.hash = c.judge.options.hash(r.id)
	room, err := c.writer.Reserve(partitionOf(r.hash, c.judge.store.Partitions()), r.size())
	if err != nil {
		return fmt.Errorf("collect suspects: %w", err)
	}
	r.put(room)
	c.added++
	return nil
}

// Close hands over the last suspects.
func (c *JudgeCollector) Close() error {
	if err := c.writer.Close(); err != nil {
		return fmt.Errorf("collect suspects: %w", err)
	}
	c.judge.added.Add(c.added)
	c.added = 0
	return nil
}

// Fates tells them, once all collectors are closed and every suspect was added,
// and closes the judge. The fates have to be closed too.
func (j *Judge) Fates(ctx context.Context) (*Fates, error) {
	fates, err := j.fates(ctx)
	if err = errors.Join(err, j.Close()); err != nil {
		return nil, fmt.Errorf("compare suspects: %w", err)
	}
	return fates, nil
}

func (j *Judge) fates(ctx context.Context) (*Fates, error) {
	if added := j.added.Load(); added != j.suspects.Count() {
		return nil, fmt.Errorf("%d of %d suspects were read again", added, j.suspects.Count())
	}
	ledger := newLedger(j.options)
	if err := j.compare(ctx, ledger); err != nil {
		return nil, errors.Join(err, ledger.Close())
	}
	return ledger.fates(ctx, j.suspects)
}

// compare enters the fates of all suspects of the snapshot into the ledger.
func (j *Judge) compare(ctx context.Context, ledger *ledger) error {
	var entries []*ledgerWriter
	workers, memory := j.options.tables(j.options.Memory / 4)
	err := eachPartition(ctx, workers, j.store.Partitions(), func() func(context.Context, int) error {
		c := comparer{judge: j, entries: ledger.writer()}
		c.table.limit = memory
		entries = append(entries, c.entries)
		return c.partition
	})
	for _, w := range entries {
		err = errors.Join(err, w.Close())
	}
	return err
}

// comparer works on partitions, one after the other, with one table.
type comparer struct {
	judge   *Judge
	table   groupTable
	entries *ledgerWriter
}

func (c *comparer) partition(ctx context.Context, p int) error {
	return partitionRange(p, c.judge.store.Partitions()).each(func(r hashRange) error {
		if err := c.group(ctx, p, r); err != nil {
			return err
		}
		return c.decide(ctx, p, r)
	})
}

// group puts the records of a range into the table.
func (c *comparer) group(ctx context.Context, p int, r hashRange) error {
	c.table.reset()
	return c.eachRecord(ctx, p, r, func(record *record) error {
		c.table.add(record, record.row >= c.judge.options.Rows)
		if c.table.full() && !r.whole() {
			return errFull
		}
		return nil
	})
}

// decide enters the fates of the rows of a range.
func (c *comparer) decide(ctx context.Context, p int, r hashRange) error {
	return c.eachRecord(ctx, p, r, func(record *record) error {
		if record.row >= c.judge.options.Rows {
			return nil
		}
		return c.entries.add(record.row, c.table.of(record.id).fate(record, c.judge.options.Policy))
	})
}

func (c *comparer) eachRecord(ctx context.Context, p int, r hashRange, do func(*record) error) error {
	var next record
	return c.judge.store.Each(ctx, p, func(records []byte) error {
		for len(records) > 0 {
			records = next.take(records)
			if !r.has(next.hash) {
				continue
			}
			if err := do(&next); err != nil {
				return err
			}
		}
		return nil
	})
}

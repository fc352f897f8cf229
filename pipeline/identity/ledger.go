package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"math/bits"
	"sync/atomic"

	"github.com/churntier/churntier/pipeline/spill"
)

// ledger collects the fates of rows in any order and turns them into a table by
// row number. Its partitions are ranges of rows, so that each becomes a block
// of the table in memory, which is then written in one go.
type ledger struct {
	options Options
	store   *spill.Store
	shift   int // rows of a range, as a power of two
	counts  [fates]atomic.Int64
}

// An entry is one word: row and fate.
const (
	entrySize = 8
	fateBits  = 3
)

func newLedger(o Options) *ledger {
	partitioned := o.partitions(o.Rows, o.Memory/16)
	shift := bits.TrailingZeros64(uint64(ceilPower(o.Rows))) - bits.TrailingZeros(uint(partitioned.Partitions))
	partitioned.Held = o.Memory / 16
	return &ledger{options: o, store: spill.New(partitioned), shift: shift}
}

func (l *ledger) Close() error { return l.store.Close() }

// ledgerWriter enters fates for one goroutine.
type ledgerWriter struct {
	ledger *ledger
	writer *spill.Writer
	counts [fates]int64
}

func (l *ledger) writer() *ledgerWriter { return &ledgerWriter{ledger: l, writer: l.store.Writer()} }

func (w *ledgerWriter) add(row int64, f Fate) error {
	w.counts[f]++
	if f == Kept {
		return nil
	}
	entry, err := w.writer.Reserve(int(row>>w.ledger.shift), entrySize)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(entry, uint64(row)<<fateBits|uint64(f))
	return nil
}

func (w *ledgerWriter) Close() error {
	for f, n := range w.counts {
		w.ledger.counts[f].Add(n)
	}
	return w.writer.Close()
}

// fates makes the table and closes the ledger.
func (l *ledger) fates(ctx context.Context, s *Suspects) (*Fates, error) {
	table, err := newFateTable(l.options)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	f := &Fates{suspects: s, table: table}
	for i := range f.counts {
		f.counts[i] = l.counts[i].Load()
	}
	if err := errors.Join(l.writeTo(ctx, table), l.Close()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// writeTo writes the blocks in which any row has a fate.
func (l *ledger) writeTo(ctx context.Context, table fateTable) error {
	block := make([]byte, min(l.options.Rows, 1<<l.shift))
	for p := range l.store.Partitions() {
		if l.store.Size(p) == 0 {
			continue
		}
		first := int64(p) << l.shift
		rows := block[:min(int64(len(block)), l.options.Rows-first)]
		if err := l.fill(ctx, p, rows); err != nil {
			return err
		}
		if _, err := table.WriteAt(rows, first); err != nil {
			return err
		}
	}
	return nil
}

// fill sets a block to the fates of one range.
func (l *ledger) fill(ctx context.Context, p int, block []byte) error {
	clear(block)
	return l.store.Each(ctx, p, func(entries []byte) error {
		for ; len(entries) > 0; entries = entries[entrySize:] {
			entry := binary.LittleEndian.Uint64(entries)
			row := entry >> fateBits & (1<<l.shift - 1)
			block[row] = byte(entry & (1<<fateBits - 1))
		}
		return nil
	})
}

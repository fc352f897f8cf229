package identity

import (
	"errors"
	"fmt"
	"io"

	"github.com/churntier/churntier/pipeline/spill"
)

// Fates tells the fate of every row of the snapshot. It is safe for concurrent
// use. Beside the suspects it takes one byte a row: in memory where that is
// little of Options.Memory, else in a file with holes where nothing happened.
type Fates struct {
	suspects *Suspects // nil when every row is kept
	table    fateTable
	counts   [fates]int64
}

// NoFates says that every row is kept.
func NoFates() *Fates { return &Fates{} }

// Fill sets dst to the fates of the rows from first on, and says whether any of
// them is not Kept. Rows whose id is not valid are Kept here.
func (f *Fates) Fill(first int64, dst []Fate) (bool, error) {
	clear(dst)
	end := first + int64(len(dst))
	if f.suspects == nil {
		return false, nil
	}
	if first < 0 || end > f.suspects.rows {
		return false, fmt.Errorf("fates of rows %d to %d: the snapshot has %d", first, end-1, f.suspects.rows)
	}
	if !f.suspects.Any(first, int64(len(dst))) {
		return false, nil
	}
	rows := make([]byte, len(dst))
	if _, err := f.table.ReadAt(rows, first); err != nil {
		return false, fmt.Errorf("fates of rows %d to %d: %w", first, end-1, err)
	}
	return decode(dst, rows)
}

func decode(dst []Fate, rows []byte) (bool, error) {
	removed := false
	for i, b := range rows {
		if b >= byte(fates) {
			return false, fmt.Errorf("fate %d of a row: %w", b, spill.ErrDamaged)
		}
		dst[i] = Fate(b)
		removed = removed || b != byte(Kept)
	}
	return removed, nil
}

// Count gives the number of rows with a fate; of Kept, that of the suspects
// which are kept after all.
func (f *Fates) Count(fate Fate) int64 { return f.counts[fate] }

// Close gives memory and disk space back.
func (f *Fates) Close() error {
	if f.table == nil {
		return nil
	}
	table := f.table
	f.table = nil
	return table.Close()
}

// fateTable holds one byte for each row of the snapshot, zero at first.
type fateTable interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

func newFateTable(o Options) (fateTable, error) {
	if o.Rows <= o.Memory/16 {
		return memoryTable(make([]byte, o.Rows)), nil
	}
	file, err := spill.Create(o.Temp)
	if err != nil {
		return nil, err
	}
	if err := file.Truncate(o.Rows); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// memoryTable is a fateTable whose ranges are always within its length.
type memoryTable []byte

func (t memoryTable) ReadAt(p []byte, offset int64) (int, error)  { return copy(p, t[offset:]), nil }
func (t memoryTable) WriteAt(p []byte, offset int64) (int, error) { return copy(t[offset:], p), nil }
func (memoryTable) Close() error                                  { return nil }

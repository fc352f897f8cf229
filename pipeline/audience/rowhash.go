package audience

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"
)

// RowHasher hashes rows column by column, in place of the lines that NewJSONLines would
// give: of the rows of one id, in whatever blocks, those whose lines are the same have
// the same hash, and others have another one, but for a chance of 2^-64. A hash is of
// the names of the columns, in their order, and of the values of all columns but those
// that hold the id as it is.
//
// Values count as the same by what is written of them: a text is the same whether it is
// plain, of a dictionary or rewritten, a number without a fraction in any type. Only a
// value that is of another kind is another one even if it is written alike: texts,
// truths, dates, timestamps, single and double floats with a fraction, and decimals of
// each scale are kinds. A value that could not be written may have a hash.
//
// It is not safe for concurrent use.
type RowHasher struct {
	view    *view
	columns []hashedColumn
	start   uint64 // of the names

	arrays  []arrow.Array // of the block at hand, by column
	rows    []uint64      // one a row, as all below; reused
	cells   []uint64
	all     []int32 // their numbers
	held    []int32 // those of the rows that hold a value of a column
	notHeld []uint16
}

// hashedColumn is a column and how its values are hashed.
type hashedColumn struct {
	name string
	hash hashCells // nil for the id as it is
}

// NewRowHasher hashes rows of the layout's columns, in blocks whose batches hold columns
// of snapshot.
func NewRowHasher(l Layout, snapshot *arrow.Schema) (*RowHasher, error) {
	s, err := l.Schema(snapshot)
	if err != nil {
		return nil, err
	}
	h := &RowHasher{view: newView(l, snapshot)}
	ids := l.ids()
	for _, f := range s.Fields() {
		c := hashedColumn{name: f.Name}
		if !ids[f.Name] {
			if c.hash, err = newHashCells(f.Type); err != nil {
				return nil, inColumn(f.Name, err)
			}
		}
		h.columns = append(h.columns, c)
		h.start = follow(h.start, xxh3.HashString(f.Name))
	}
	return h, nil
}

// follow adds the hash of what comes next to that of what came before.
func follow(before, next uint64) uint64 { return before*0x9E3779B97F4A7C15 + next } // any odd factor

// Of gives the hash of every row of a block, valid until the next call.
func (h *RowHasher) Of(b *Block) ([]uint64, error) {
	n := int(b.Batch.NumRows())
	for len(h.all) < n {
		h.all = append(h.all, int32(len(h.all)))
	}
	var err error
	if h.arrays, err = h.view.of(b, h.all[:n]); err != nil {
		return nil, err
	}
	h.rows, h.cells = slices.Grow(h.rows[:0], n)[:n], slices.Grow(h.cells[:0], n)[:n]
	for i := range h.rows {
		h.rows[i] = h.start
	}
	for i, c := range h.columns {
		if c.hash == nil {
			continue
		}
		if err := c.hash(h.cells, h.arrays[i], h.filled(h.arrays[i])); err != nil {
			return nil, inColumn(c.name, err)
		}
		for row, cell := range h.cells {
			h.rows[row] = follow(h.rows[row], cell)
		}
	}
	return h.rows, nil
}

// filled gives the rows that hold a value, and sets the cells of the others.
func (h *RowHasher) filled(arr arrow.Array) []int32 {
	all := h.all[:arr.Len()]
	if arr.NullN() == 0 {
		return all
	}
	for i := range h.cells {
		h.cells[i] = nullHash
	}
	h.held = slices.Grow(h.held[:0], len(all))[:len(all)]
	h.notHeld = slices.Grow(h.notHeld[:0], len(all))[:len(all)]
	return h.held[:present(h.notHeld, h.held, arr, all)]
}

// Longest gives how many bytes the line of no row of the block at hand exceeds, without
// its end.
func (h *RowHasher) Longest() int {
	n := len("{}")
	for i, c := range h.columns {
		n += mostEscape*len(c.name) + len(`"":,`) + longestCell(h.arrays[i])
	}
	return n
}

const (
	mostEscape = 6  // bytes of JSON for one byte of text
	mostNumber = 48 // bytes of a number, a truth, a date or a timestamp, with quotes
)

func longestCell(arr arrow.Array) int {
	if d, ok := arr.(*array.Dictionary); ok {
		arr = d.Dictionary()
	}
	texts, ok := arr.(array.StringLike)
	if !ok {
		return mostNumber
	}
	longest := 0
	for i := range texts.Len() {
		longest = max(longest, texts.ValueLen(i))
	}
	return max(mostEscape*longest+len(`""`), len("null"))
}

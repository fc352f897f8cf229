package snapshot

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// column decodes the chunks of one wanted column, a batch at a time, into buffers
// that it reuses.
type column struct {
	leaf      leaf
	pages     pages
	run       file.ColumnChunkReader // of the pages that arrow-go decodes; nil between runs
	page      direct                 // that is decoded here; without rows between pages
	described *schema.Column
	numbered  *schema.Column // the same column holding indices
	values    vector
	levels    []int16 // of an optional column: 1 for a row with a value, else 0
	validity  []byte
}

// vector collects the values of one batch. Until array spreads them out they lie
// one behind the other, without gaps for the nulls.
type vector interface {
	reset()
	// decode appends the values of at most rows rows of one page and gives how many
	// rows and values it took.
	decode(run file.ColumnChunkReader, rows int, levels []int16) (took int64, values int, err error)
	taker
	// array gives the values as an array of n rows.
	array(n rows) arrow.Array
}

// taker appends values of pages that are not arrow-go's to decode.
type taker interface {
	// direct says whether take can decode pages of an encoding.
	direct(parquet.Encoding) bool
	// take appends the next n values of a page.
	take(page *direct, n int) error
}

// rows says which rows of a batch hold a value; without nulls it has the count only.
type rows struct {
	count    int
	levels   []int16
	validity *memory.Buffer
	nulls    int
}

// newColumn gives a column that is of no part yet.
func newColumn(l leaf) *column {
	repetition := parquet.Repetitions.Required
	if l.optional {
		repetition = parquet.Repetitions.Optional
	}
	node := schema.MustPrimitive(schema.NewPrimitiveNode(l.name, repetition, l.physical, -1, int32(l.length)))
	c := &column{
		pages:     pages{text: l.kind.ID() == arrow.STRING},
		described: schema.NewColumn(node, int16(repetition), 0),
		numbered:  schema.NewColumn(schema.NewInt32Node(l.name, repetition, -1), int16(repetition), 0),
		levels:    make([]int16, BatchRows),
		validity:  make([]byte, BatchRows/8),
	}
	c.values = newVector(l, &c.pages)
	return c
}

// open starts the column's chunk of a row group in a part of size bytes; held is its
// piece, or nil.
func (c *column) open(g group, size int64, held *piece) error {
	c.run, c.page = nil, direct{}
	return c.pages.open(g.chunks[c.leaf.chunk], size, held)
}

// read decodes exactly n rows, at most BatchRows.
func (c *column) read(n int) (arrow.Array, error) {
	c.values.reset()
	at, values := 0, 0
	for at < n {
		if err := c.nextRun(); err != nil {
			return nil, err
		}
		took, got, err := c.decode(n-at, c.levels[at:n])
		if err != nil {
			return nil, err
		}
		at += int(took)
		values += got
	}
	return c.array(n, values)
}

// decode takes at most n rows of what is being decoded.
func (c *column) decode(n int, levels []int16) (took int64, values int, err error) {
	if c.run == nil {
		return c.page.decode(c.values, n, levels)
	}
	took, values, err = c.values.decode(c.run, n, levels)
	switch {
	case err != nil:
		return 0, 0, err
	case took == 0 && c.run.HasNext():
		return 0, 0, errFew
	case took == 0:
		c.run = nil
	}
	return took, values, nil
}

// nextRun starts the next page or, for arrow-go, the next run of pages, unless one is
// going on.
func (c *column) nextRun() error {
	if c.run != nil || c.page.rows > 0 {
		return nil
	}
	if !c.pages.wait() {
		return c.pages.err
	}
	if took, err := c.page.takes(&c.pages, c.leaf.optional, c.values); took || err != nil {
		return err
	}
	if err := c.pages.nextRun(); err != nil {
		return err
	}
	described := c.described
	if c.pages.indexed {
		described = c.numbered
	}
	c.run = newRun(described, &c.pages)
	return nil
}

// newRun makes a column reader over our own pages. arrow-go deprecates that outside
// of its package, and offers no other way to bound what a page takes, to check its
// CRC or to keep its buffers.
func newRun(described *schema.Column, p file.PageReader) file.ColumnChunkReader {
	return file.NewColumnReader(described, p, memory.DefaultAllocator, nil) //nolint:staticcheck // see above
}

func (c *column) array(n, values int) (arrow.Array, error) {
	if values == n {
		return c.values.array(rows{count: n}), nil
	}
	levels := c.levels[:n]
	if present := pack(c.validity, levels); present != values || !c.leaf.optional {
		return nil, fmt.Errorf("found %d values in %d rows, expected %d", values, n, present)
	}
	bits := memory.NewBufferBytes(c.validity[:(n+7)/8])
	return c.values.array(rows{count: n, levels: levels, validity: bits, nulls: n - values}), nil
}

// pack writes levels as bits, the first the lowest, and counts the ones.
func pack(dst []byte, levels []int16) (ones int) {
	for ; len(levels) >= 8; levels = levels[8:] {
		eight := arrow.GetBytes(levels[:8])
		dst[0] = packFour(binary.LittleEndian.Uint64(eight)) | packFour(binary.LittleEndian.Uint64(eight[8:]))<<4
		ones += bits.OnesCount8(dst[0])
		dst = dst[1:]
	}
	if len(levels) > 0 {
		dst[0] = 0
	}
	for i, level := range levels {
		dst[0] |= byte(level&1) << i
		ones += int(level & 1)
	}
	return ones
}

// packFour gives the lowest bits of four levels.
func packFour(levels uint64) byte {
	return byte(levels&1 | levels>>15&2 | levels>>30&4 | levels>>45&8)
}

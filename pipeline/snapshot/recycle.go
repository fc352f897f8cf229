package snapshot

import (
	"io"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// closed are columns of closed readers, whose buffers are megabytes, for the next
// readers of any part: the newest ones, and not more than mostClosed. They come without
// the bytes of texts, of which someone may hold strings.
var closed struct {
	mu      sync.Mutex
	columns []*column
}

const (
	mostClosed = 64
	// mostBody is the largest page whose memory is kept.
	mostBody = 4 << 20
)

// shape is what columns have in common that are read with each other's memory. Those of
// another name would do too, but need more of it or less.
type shape struct {
	name     string
	physical parquet.Type
	length   int
	optional bool
	kind     string
}

func (l leaf) shape() shape { return shape{l.name, l.physical, l.length, l.optional, l.kind.String()} }

// columnOf gives a column of a part, with the memory of a closed one if there is one.
func columnOf(l leaf, input io.ReaderAt, lim Limits) *column {
	c := takeClosed(l.shape())
	if c == nil {
		c = newColumn(l)
	}
	repetition := parquet.Repetitions.Required
	if l.optional {
		repetition = parquet.Repetitions.Optional
	}
	node := schema.MustPrimitive(schema.NewPrimitiveNode(l.name, repetition, l.physical, -1, int32(l.length)))
	c.described = schema.NewColumn(node, int16(repetition), 0)
	c.numbered = schema.NewColumn(schema.NewInt32Node(l.name, repetition, -1), int16(repetition), 0)
	c.leaf, c.pages.input, c.pages.limits = l, input, lim
	return c
}

// takeClosed gives nil where there is none of a shape.
func takeClosed(s shape) *column {
	closed.mu.Lock()
	defer closed.mu.Unlock()
	for i, c := range slices.Backward(closed.columns) {
		if c.leaf.shape() == s {
			closed.columns = slices.Delete(closed.columns, i, i+1)
			return c
		}
	}
	return nil
}

// recycle takes columns that nobody uses any more, and lets go of the part.
func recycle(columns []*column) {
	for _, c := range columns {
		if t, ok := c.values.(*texts); ok {
			t.bytes = nil
			clear(t.views)
		}
		c.run, c.page = nil, direct{}
		c.pages.leave()
	}
	closed.mu.Lock()
	defer closed.mu.Unlock()
	closed.columns = append(closed.columns, columns...)
	closed.columns = slices.Delete(closed.columns, 0, max(0, len(closed.columns)-mostClosed))
}

package snapshot

import (
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// closed are the columns of closed readers, whose buffers are megabytes, for the next
// readers of any part, should they come soon: a *sync.Pool for each shape. They come
// without the bytes of texts, of which someone may hold strings.
var closed sync.Map

// shape is what columns have in common that can be read with each other's memory.
type shape struct {
	physical parquet.Type
	length   int
	optional bool
	kind     string
}

func poolOf(l leaf) *sync.Pool {
	s := shape{l.physical, l.length, l.optional, l.kind.String()}
	pool, ok := closed.Load(s)
	if !ok {
		pool, _ = closed.LoadOrStore(s, new(sync.Pool))
	}
	return pool.(*sync.Pool)
}

// columnOf gives a column of a part, with the memory of a closed one if there is one.
func columnOf(l leaf, input io.ReaderAt, lim Limits) *column {
	c, ok := poolOf(l).Get().(*column)
	if !ok {
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

// recycle takes columns that nobody uses any more, and lets go of the part.
func recycle(columns []*column) {
	for _, c := range columns {
		if t, ok := c.values.(*texts); ok {
			t.bytes = nil
			clear(t.views)
		}
		c.run, c.page = nil, direct{}
		c.pages.leave()
		poolOf(c.leaf).Put(c)
	}
}

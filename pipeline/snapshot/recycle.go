package snapshot

import (
	"io"
	"slices"
	"sync"
)

// recycler hands the columns of closed readers, whose buffers are megabytes, to the next
// readers of the same snapshot, but for the bytes of texts, of which someone may hold
// strings. It keeps as many columns as were open at once; nil keeps none. It is safe for
// concurrent use.
type recycler struct {
	mu   sync.Mutex
	idle []*column
}

// column gives a column of a part, with the memory of one like it or its own.
func (r *recycler) column(l leaf, input io.ReaderAt, lim Limits) *column {
	if r == nil {
		return newColumn(l, input, lim)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.idle, func(c *column) bool { return c.leaf.like(l) })
	if i < 0 {
		return newColumn(l, input, lim)
	}
	c := r.idle[i]
	r.idle = slices.Delete(r.idle, i, i+1)
	c.leaf, c.pages.input = l, input
	return c
}

// keep takes columns that nobody uses any more.
func (r *recycler) keep(columns []*column) {
	if r == nil {
		return
	}
	for _, c := range columns {
		if t, ok := c.values.(*texts); ok {
			t.bytes = nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, columns...)
}

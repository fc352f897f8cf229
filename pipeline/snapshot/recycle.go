package snapshot

import (
	"io"
	"slices"
	"sync"
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

// columnOf gives a column of a part, with the memory of a closed one if there is one.
func columnOf(l leaf, input io.ReaderAt, lim Limits) *column {
	c := takeClosed(l)
	if c == nil {
		c = newColumn(l)
	}
	c.leaf, c.pages.input, c.pages.limits = l, input, lim
	return c
}

// takeClosed gives nil where there is none like it.
func takeClosed(l leaf) *column {
	closed.mu.Lock()
	defer closed.mu.Unlock()
	for i, c := range slices.Backward(closed.columns) {
		if c.leaf.like(l) {
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

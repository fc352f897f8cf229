package audience

import "sync"

// Recycler hands the memory of closed Parquet files to the next ones of a series, all
// of which have the same columns: a row group of every column is megabytes for each
// file, and another series may need much less. It keeps as many as were open at once.
// The zero value is ready; nil recycles nothing. It is safe for concurrent use.
type Recycler struct {
	mu     sync.Mutex
	closed [][]column
}

// get gives the columns of a closed file, as new; nil where there are none.
func (r *Recycler) get() (columns []column) {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := len(r.closed) - 1; last >= 0 {
		columns, r.closed = r.closed[last], r.closed[:last]
	}
	return columns
}

// put takes the columns of a file, which are empty.
func (r *Recycler) put(columns []column) {
	if r == nil {
		return
	}
	for _, c := range columns {
		if c, ok := c.(interface{ renew() }); ok { // more is left of it than of its row groups
			c.renew()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = append(r.closed, columns)
}

// scratches are the working memory of row groups, which any file can use.
var scratches = sync.Pool{New: func() any { return new(scratch) }}

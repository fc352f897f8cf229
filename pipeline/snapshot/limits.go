package snapshot

// Limits bounds what a part may ask for. Sizes are in bytes and hold before
// memory is allocated; a part that asks for more is ErrDamaged. For Rows, 0 is no
// limit.
type Limits struct {
	Footer  int64 // metadata at the end of a part
	Page    int64 // one page, as stored and decompressed
	Value   int64 // one text
	Columns int   // columns of a part, inner ones of nested columns included
	Rows    int64 // rows of a part, and of a snapshot
}

// DefaultLimits are wide enough for the parts that common writers produce.
func DefaultLimits() Limits {
	return Limits{Footer: 64 << 20, Page: 64 << 20, Value: 1 << 20, Columns: 1000, Rows: 1 << 32}
}

// pageValues is how many values one page may declare, nulls included. Decoders
// allocate four bytes for each, so they stay within the size of a page.
func (l Limits) pageValues() int64 { return l.Page / 4 }

package filter

import "github.com/apache/arrow-go/v18/arrow"

// vector holds the values of a sub-expression, one a row. The value of an
// unknown row may be anything.
type vector[T any] struct {
	values  []T
	unknown []Truth // Unknown or False, a row each; nil when no row is unknown
	owned   bool    // values are scratch memory, not a column's
}

// batch is what the loops work on: the columns of some rows and scratch memory
// that every vector is taken from and given back to.
type batch struct {
	rows       int
	columns    []arrow.Array // by the numbers that the expression gave them
	hundredths []uint16
	category   []uint8
	err        error // the first thing that went wrong

	truths  pool[Truth]
	ints    pool[int64]
	doubles pool[float64]
	texts   pool[string]
	times   pool[instant]
	indices pool[int32]
	letters []byte // of joined texts; views into it live as long as the batch
}

// fail remembers the first error; the loops go on with whatever they have.
func (b *batch) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// begin readies the scratch memory for another batch.
func (b *batch) begin(rows int) {
	b.rows, b.err, b.letters = rows, nil, b.letters[:0]
}

// end lets go of everything that belongs to the caller.
func (b *batch) end() {
	clear(b.columns)
	b.hundredths, b.category = nil, nil
	for _, views := range b.texts.free {
		clear(views[:cap(views)])
	}
}

// pool keeps slices for reuse. What a taken slice holds is anything.
type pool[T any] struct{ free [][]T }

func (p *pool[T]) take(n int) []T {
	last := len(p.free) - 1
	if last < 0 {
		return make([]T, n)
	}
	s := p.free[last]
	p.free = p.free[:last]
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func (p *pool[T]) give(s []T) { p.free = append(p.free, s) }

// poolOf gives the pool of the batch for elements of type T.
func poolOf[T any](b *batch) *pool[T] {
	for _, p := range [...]any{&b.ints, &b.doubles, &b.texts, &b.times, &b.truths} {
		if p, ok := p.(*pool[T]); ok {
			return p
		}
	}
	return new(pool[T])
}

// take gives an owned vector of n rows with no unknown ones.
func take[T any](b *batch, n int) vector[T] {
	return vector[T]{values: poolOf[T](b).take(n), owned: true}
}

// giveValues gives back the values of a vector whose unknown rows are used further.
func giveValues[T any](b *batch, v vector[T]) {
	if v.owned {
		poolOf[T](b).give(v.values)
	}
}

// give gives a vector back.
func give[T any](b *batch, v vector[T]) {
	giveValues(b, v)
	if v.unknown != nil {
		b.truths.give(v.unknown)
	}
}

// noneUnknown gives a mask of n rows that are all known.
func (b *batch) noneUnknown(n int) []Truth {
	s := b.truths.take(n)
	clear(s)
	return s
}

// either uses up two masks and gives the one of rows unknown in any of them.
func (b *batch) either(x, y []Truth) []Truth {
	switch {
	case x == nil:
		return y
	case y == nil:
		return x
	}
	or(x, y)
	b.truths.give(y)
	return x
}

// someUnknown is either, with a mask of n rows in every case.
func (b *batch) someUnknown(x, y []Truth, n int) []Truth {
	if both := b.either(x, y); both != nil {
		return both
	}
	return b.noneUnknown(n)
}

// room gives an owned slice for the result of a loop over two vectors, the values
// of one of them if they are scratch memory, and what to give back after the loop.
func room[T any](b *batch, x, y vector[T]) (dst []T, rest vector[T]) {
	switch {
	case x.owned:
		return x.values, y
	case y.owned:
		return y.values, x
	}
	return poolOf[T](b).take(len(x.values)), x
}

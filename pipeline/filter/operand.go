package filter

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// conditions writes the truth of a sub-expression in every row of a batch.
type conditions func(b *batch, dst []Truth)

// operand is a compiled sub-expression: of the functions that give its rows, the
// one of its kind is set.
type operand struct {
	kind    Kind
	truths  conditions
	ints    vectors[int64] // also durations, in nanoseconds
	doubles vectors[float64]
	texts   vectors[string]
	times   vectors[instant]

	source textSource // of a text column
	date   int        // the number of a timestamp column, plus one
	fixed  *constant  // the value, when it is the same in every row
}

// constant is a value known before any row is; the field of its kind is set.
type constant struct {
	unknown bool
	truth   Truth
	int     int64
	double  float64
	text    string
	time    instant
}

// constantOperand gives the operand that repeats a value.
func constantOperand(kind Kind, c constant) operand {
	o := operand{kind: kind, fixed: &c}
	switch kind {
	case Bool:
		o.truths = func(_ *batch, dst []Truth) { fill(dst, c.truth) }
	case Int, Duration:
		o.ints = repeat(c.int, c.unknown)
	case Double:
		o.doubles = repeat(c.double, c.unknown)
	case String:
		o.texts = repeat(c.text, c.unknown)
	case Timestamp:
		o.times = repeat(c.time, c.unknown)
	}
	return o
}

func repeat[T any](x T, unknown bool) vectors[T] {
	return func(b *batch) vector[T] {
		out := take[T](b, b.rows)
		fill(out.values, x)
		if unknown {
			out.unknown = b.truths.take(b.rows)
			fill(out.unknown, Unknown)
		}
		return out
	}
}

// evaluate gives the value of an operand that reads no column.
func (o operand) evaluate() (constant, error) {
	b := new(batch)
	b.begin(1)
	var c constant
	switch o.kind {
	case Bool:
		dst := []Truth{False}
		o.truths(b, dst)
		c.truth, c.unknown = dst[0], dst[0] == Unknown
	case Int, Duration:
		c.int, c.unknown = only(o.ints(b))
	case Double:
		c.double, c.unknown = only(o.doubles(b))
	case String:
		c.text, c.unknown = only(o.texts(b))
	case Timestamp:
		c.time, c.unknown = only(o.times(b))
	}
	return c, b.err
}

// only gives the one row of a vector and whether it is unknown.
func only[T any](v vector[T]) (T, bool) {
	return v.values[0], v.unknown != nil && v.unknown[0] == Unknown
}

// columnOperand gives the operand that reads a column.
func columnOperand(number int, kind Kind) operand {
	o := operand{kind: kind}
	switch kind {
	case Bool:
		o.truths = boolColumn(number)
	case Int:
		o.ints = column(number, ints)
	case Double:
		o.doubles = column(number, doubles)
	case String:
		o.source = textColumn(number)
		o.texts = o.source.rows
	case Timestamp:
		o.times, o.date = column(number, times), number+1
	}
	return o
}

// asDoubles gives the values of a number as doubles.
func (o operand) asDoubles() vectors[float64] {
	if o.kind == Double {
		return o.doubles
	}
	return func(b *batch) vector[float64] {
		v := o.ints(b)
		out := take[float64](b, len(v.values))
		out.unknown = v.unknown
		toDoubles(out.values, v.values)
		giveValues(b, v)
		return out
	}
}

// unknowns gives the condition that the operand is unknown, or is not.
func (o operand) unknowns(wanted bool) conditions {
	read := func(b *batch, dst []Truth) {
		switch o.kind {
		case Bool:
			o.truths(b, dst)
			unknownOf(dst)
		case Int, Duration:
			writeUnknown(b, dst, o.ints(b))
		case Double:
			writeUnknown(b, dst, o.doubles(b))
		case String:
			o.asking(func(dst []Truth, _ []string) { clear(dst) })(b, dst)
		case Timestamp:
			writeUnknown(b, dst, o.times(b))
		}
	}
	answers := [2]Truth{False: truthOf(!wanted), Unknown: truthOf(wanted)}
	return func(b *batch, dst []Truth) {
		read(b, dst)
		for i, u := range dst {
			dst[i] = answers[u&1]
		}
	}
}

func writeUnknown[T any](b *batch, dst []Truth, v vector[T]) {
	clear(dst)
	mask(dst, v.unknown)
	give(b, v)
}

// comparing compares a vector with a fixed value.
func comparing[T cmp.Ordered](op comparison, x vectors[T], c T) conditions {
	return func(b *batch, dst []Truth) {
		v := x(b)
		compareWith(op, dst, v.values, c)
		mask(dst, v.unknown)
		give(b, v)
	}
}

// comparingRows compares two vectors row by row.
func comparingRows[T any](op comparison, x, y vectors[T], loop func(comparison, []Truth, []T, []T)) conditions {
	return func(b *batch, dst []Truth) {
		v, w := x(b), y(b)
		loop(op, dst, v.values, w.values)
		mask(dst, v.unknown)
		mask(dst, w.unknown)
		give(b, v)
		give(b, w)
	}
}

// comparingDates compares a column of dates or timestamps with a fixed instant, as
// it is stored if that can be.
func comparingDates(op comparison, number int, t instant) conditions {
	rows := comparingRows(op, column(number, times), repeat(t, false), compareInstants)
	return func(b *batch, dst []Truth) {
		a := b.columns[number]
		if _, ok := a.(*array.Dictionary); ok {
			rows(b, dst)
			return
		}
		if !compareStored(b, op, dst, a, t) {
			rows(b, dst)
		}
	}
}

func compareStored(b *batch, op comparison, dst []Truth, a arrow.Array, t instant) bool {
	counts, unit := timeCounts(b, a)
	defer give(b, counts)
	if !unit.compareCounts(op, dst, counts.values, t) {
		return false
	}
	mask(dst, counts.unknown)
	return true
}

package filter

import (
	"cmp"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// instant is a point in time to the nanosecond.
type instant struct {
	seconds int64 // since 1970-01-01T00:00:00Z, rounded down
	nanos   int64 // 0 to 999,999,999
}

const second = int64(time.Second)

// The first and last second of the years 1 to 9999: CEL computes no other.
const (
	firstSecond int64 = -62135596800
	lastSecond  int64 = 253402300799
)

func instantOf(t time.Time) instant {
	return instant{t.Unix(), int64(t.Nanosecond())}
}

func (x instant) compare(y instant) int {
	if x.seconds != y.seconds {
		return cmp.Compare(x.seconds, y.seconds)
	}
	return cmp.Compare(x.nanos, y.nanos)
}

// micros gives the microseconds since 1970, rounded down; false where an int64
// does not hold them.
func (x instant) micros() (int64, bool) {
	const perSecond = 1_000_000
	if x.seconds < math.MinInt64/perSecond || x.seconds > math.MaxInt64/perSecond-1 {
		return 0, false
	}
	return x.seconds*perSecond + x.nanos/1000, true
}

// unit is what a column of dates or timestamps counts since 1970.
type unit struct {
	seconds   int64 // that one of it lasts, or
	perSecond int64 // how many of it a second has
}

func unitOf(dt arrow.DataType) unit {
	switch dt := dt.(type) {
	case *arrow.Date32Type:
		return unit{seconds: 24 * 60 * 60}
	case *arrow.Date64Type:
		return unit{perSecond: 1000}
	case *arrow.TimestampType:
		return unit{perSecond: int64(arrow.Second.Multiplier() / dt.Unit.Multiplier())}
	}
	return unit{}
}

// instants converts counts of the unit.
func (u unit) instants(dst []instant, counts []int64) {
	dst = dst[:len(counts)]
	if u.perSecond <= 1 {
		each := max(u.seconds, 1)
		for i, n := range counts {
			dst[i] = instant{seconds: n * each}
		}
		return
	}
	nanos := second / u.perSecond
	for i, n := range counts {
		s := floorDivide(n, u.perSecond)
		dst[i] = instant{s, (n - s*u.perSecond) * nanos}
	}
}

// count gives how many of the unit lie before t, rounded down, and whether that
// is exact; ok is false where an int64 may not hold it.
func (u unit) count(t instant) (n int64, exact, ok bool) {
	if u.perSecond <= 1 {
		each := max(u.seconds, 1)
		n = floorDivide(t.seconds, each)
		return n, n*each == t.seconds && t.nanos == 0, true
	}
	if bound := math.MaxInt64/u.perSecond - 1; t.seconds > bound || t.seconds < -bound {
		return 0, false, false
	}
	nanos := second / u.perSecond
	return t.seconds*u.perSecond + t.nanos/nanos, t.nanos%nanos == 0, true
}

func floorDivide(n, d int64) int64 {
	q := n / d
	if q*d > n {
		q--
	}
	return q
}

// compareCounts compares counts of the unit with a fixed instant; false when it
// cannot.
func (u unit) compareCounts(op comparison, dst []Truth, counts []int64, t instant) bool {
	n, exact, ok := u.count(t)
	if !ok {
		return false
	}
	if !exact { // t lies between n and n+1
		switch op {
		case less:
			op = lessEqual
		case greaterEqual:
			op = greater
		case equal, notEqual:
			fill(dst, truthOf(op == notEqual))
			return true
		}
	}
	compareWith(op, dst, counts, n)
	return true
}

func fill[T any](dst []T, x T) {
	for i := range dst {
		dst[i] = x
	}
}

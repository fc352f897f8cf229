package gate

import (
	"math/big"
	"strconv"
)

// Limits are the values of the config's gates block: finite and not negative.
type Limits struct {
	Rows          Ratio   // rows read over the median of the earlier publications
	Rejected      float64 // largest share of the rows read
	Duplicates    float64 // largest share of the rows read
	CategoryShift Band    // relative change of a category's share
	PSI           Band    // population stability index over 20 buckets
	Constant      float64 // largest share of users with one identical score
	NullShift     float64 // largest change of a feature's share of nulls, 0 to 1
	UnseenShare   float64 // largest share of a feature's rows with a category that the model does not know
}

// Ratio allows the values from Min to Max, both ends included.
type Ratio struct{ Min, Max float64 }

// Band warns above Warn and refuses above Refuse.
type Band struct{ Warn, Refuse float64 }

// DefaultLimits gives the limits that hold where the config sets none.
func DefaultLimits() Limits {
	return Limits{
		Rows:          Ratio{Min: 0.5, Max: 2},
		Rejected:      0.001,
		Duplicates:    0.001,
		CategoryShift: Band{Warn: 0.20, Refuse: 0.50},
		PSI:           Band{Warn: 0.10, Refuse: 0.25},
		Constant:      0.99,
		NullShift:     0.10,
		UnseenShare:   0.01,
	}
}

// judge judges a value that may exceed neither limit.
func (b Band) judge(value *big.Rat) Result {
	r := atMost(value, b.Refuse)
	r.Warn = &b.Warn
	if r.Status == Pass && above(value, b.Warn) {
		r.Status = Warn
	}
	return r
}

// atMost judges a value that may not exceed limit.
func atMost(value *big.Rat, limit float64) Result {
	r := Result{Value: nearest(value), Refuse: &limit, Status: Pass}
	if above(value, limit) {
		r.Status = Refuse
	}
	return r
}

// judge judges a value that may leave the range on neither side. The result
// holds the limit that was broken, else the one on the value's side of 1.
func (a Ratio) judge(value *big.Rat) Result {
	r := atMost(value, a.Max)
	switch {
	case below(value, a.Min):
		r.Refuse, r.Status = &a.Min, Refuse
	case r.Status == Pass && value.Cmp(share(1, 1)) < 0:
		r.Refuse = &a.Min
	}
	return r
}

// above says whether value exceeds limit; a limit that is not finite refuses
// every value.
func above(value *big.Rat, limit float64) bool {
	d, ok := decimal(limit)
	return !ok || value.Cmp(d) > 0
}

// below is above for the other side.
func below(value *big.Rat, limit float64) bool {
	d, ok := decimal(limit)
	return !ok || value.Cmp(d) < 0
}

// decimal gives the number that limit prints as, which is what the config says:
// 0.001 is 1/1000 and not the binary fraction nearest to it.
func decimal(limit float64) (*big.Rat, bool) {
	return new(big.Rat).SetString(strconv.FormatFloat(limit, 'g', -1, 64))
}

func nearest(value *big.Rat) float64 {
	f, _ := value.Float64()
	return f
}

// share gives n of total as a fraction; total is not zero.
func share(n, total int64) *big.Rat { return big.NewRat(n, total) }

package score

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// column is a core that reads a score column with values in [low, high].
type column struct {
	name      string
	low, high float64
}

// FromColumn gives the scorer p = (x-lo)/(hi-lo) of a numeric column. A value
// outside [lo, hi] makes a bad row. It is an error unless lo < hi and both, and
// their difference, are finite.
func FromColumn(name string, lo, hi float64) (*Scorer, error) {
	switch width := hi - lo; {
	case name == "":
		return nil, fmt.Errorf("score column: it has no name")
	case !(lo < hi):
		return nil, fmt.Errorf("score column %q: range [%v, %v]: want the lower end below the upper one", name, lo, hi)
	case math.IsInf(width, 0):
		return nil, fmt.Errorf("score column %q: range [%v, %v]: want finite ends and a finite width", name, lo, hi)
	}
	return &Scorer{title: fmt.Sprintf("score column %q", name), core: &column{name, lo, hi}}, nil
}

func (c *column) kind() string { return "column" }

// features is the column itself, by its name.
func (c *column) features() []feature { return []feature{{name: c.name, kind: ScoreValue}} }

func (c *column) newFormula() formula { return c }

func (c *column) evaluate(in *inputs, probability []float64) error {
	values, err := in.numbers(0)
	if err != nil {
		return err
	}
	width := c.high - c.low
	for row, x := range values {
		if x >= c.low && x <= c.high {
			probability[row] = (x-c.low)/width + 0 // adding 0 turns -0 into 0
		} else {
			in.reject(row, 0, c.reason(in, row, x))
			probability[row] = math.NaN()
		}
	}
	return nil
}

// reason tells why x, the value of the row, is no score.
func (c *column) reason(in *inputs, row int, x float64) Reason {
	if x == x {
		return ScoreOutOfRange
	}
	in.counts[0].Missing++
	if isNull(in.arrays[0], row) {
		return ScoreNull
	}
	return ScoreNaN
}

func isNull(a arrow.Array, row int) bool {
	if dict, ok := a.(*array.Dictionary); ok && a.IsValid(row) {
		return dict.Dictionary().IsNull(dict.GetValueIndex(row))
	}
	return a.IsNull(row)
}

package score

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// oneHotColumn is a column of which a model has dummies: features that are 1 in
// the rows that hold their value and 0 in all others, those without a value
// included. Its values are looked up once for all of its dummies.
type oneHotColumn struct {
	vocabulary vocabulary        // of the dummies' values
	numbers    map[float64]int32 // the same for a column of numbers
	dummies    map[int]int32     // input to code
	codes      []int32           // by row
	missing    int               // rows without a value
	looked     bool              // in this batch
}

func newOneHotColumns(inputs []Input) map[string]*oneHotColumn {
	columns := map[string]*oneHotColumn{}
	for i, in := range inputs {
		if !in.OneHot {
			continue
		}
		if columns[in.Column] == nil {
			columns[in.Column] = &oneHotColumn{numbers: map[float64]int32{}, dummies: map[int]int32{}}
		}
		columns[in.Column].add(i, in.Value)
	}
	return columns
}

// add makes input i the dummy of a value. Python writes the bools of a column
// True and False.
func (c *oneHotColumn) add(i int, value string) {
	code := int32(len(c.dummies))
	c.dummies[i] = code
	c.vocabulary.add(value, code)
	if lower := strings.ToLower(value); lower == "true" || lower == "false" {
		c.vocabulary.add(lower, code)
	}
	if number, err := strconv.ParseFloat(value, 64); err == nil {
		c.numbers[number] = code
	}
}

// dummy gives one-hot input i as 0 or 1, a value per row. The slice is valid until
// the next call.
func (in *inputs) dummy(i int) ([]float64, error) {
	c := in.oneHot[in.names[i].Column]
	if !c.looked {
		if err := in.lookUp(c, i); err != nil {
			return nil, err
		}
	}
	in.counts[i].Missing = c.missing
	code := c.dummies[i]
	for row, found := range c.codes {
		in.values[row] = 0
		if found == code {
			in.values[row] = 1
		}
	}
	return in.values, nil
}

// lookUp finds the codes of a column, which is that of input i.
func (in *inputs) lookUp(c *oneHotColumn, i int) error {
	c.codes, c.looked, c.missing = grow(c.codes, len(in.values)), true, 0
	if a := in.arrays[i]; isNumber(a.DataType()) && a.DataType().ID() != arrow.BOOL {
		values, err := in.numbersOf(a)
		if err != nil {
			return fmt.Errorf("%s: %w", in.names[i].place(), err)
		}
		for row, x := range values {
			code, known := c.numbers[x]
			switch {
			case x != x:
				code = c.vocabulary.missing()
			case !known:
				code = c.vocabulary.unseen()
			}
			c.codes[row] = code
		}
	} else {
		codes, err := in.categories(i, c.vocabulary)
		if err != nil {
			return err
		}
		copy(c.codes, codes)
	}
	for _, code := range c.codes {
		if code == c.vocabulary.missing() {
			c.missing++
		}
	}
	return nil
}

package score

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// oneHotColumn is a column of which a model has dummies: features that are 1 in
// the rows that hold their value and 0 in all others. Its values are looked up once
// for all of its dummies. The dummy of the value nan, as pandas names it, is that of
// the rows without a value.
type oneHotColumn struct {
	vocabulary vocabulary        // of the dummies' values
	numbers    map[float64]int32 // the same for a column of numbers
	dummies    map[int]int32     // input to code
	absent     int32             // the code of nan, or that of a missing value
	codes      []int32           // by row
	missing    int               // rows without a value
	unseen     int               // rows with a value that has no dummy
	looked     bool              // in this batch
}

func newOneHotColumns(inputs []Input) map[string]*oneHotColumn {
	columns := map[string]*oneHotColumn{}
	for i, in := range inputs {
		if !in.OneHot {
			continue
		}
		c := columns[in.Column]
		if c == nil {
			c = &oneHotColumn{numbers: map[float64]int32{}, dummies: map[int]int32{}}
			c.vocabulary.blanks = in.blanks
			columns[in.Column] = c
		}
		code := int32(len(c.dummies))
		c.dummies[i] = code
		c.vocabulary.add(in.Value, code)
	}
	for _, c := range columns {
		c.complete(inputs)
	}
	return columns
}

const absentValue = "nan"

var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// complete adds the values as they stand in columns of other types: numbers, and
// bools, which Python writes True and False.
func (c *oneHotColumn) complete(inputs []Input) {
	c.absent = c.vocabulary.missing()
	for i, code := range c.dummies {
		value := inputs[i].Value
		if value == absentValue {
			c.absent = code
		}
		if value == "True" || value == "False" {
			c.vocabulary.add(strings.ToLower(value), code)
		}
		if number, err := strconv.ParseFloat(value, 64); err == nil && plainNumber.MatchString(value) {
			if known, twice := c.numbers[number]; !twice || code < known {
				c.numbers[number] = code
			}
		}
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
	in.counts[i] = InputCount{c.missing, c.unseen}
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
	c.codes, c.looked, c.missing, c.unseen = grow(c.codes, len(in.values)), true, 0, 0
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
	unseen, missing := c.vocabulary.unseen(), c.vocabulary.missing()
	for row, code := range c.codes {
		switch code {
		case missing:
			c.missing++
			c.codes[row] = c.absent
		case unseen:
			c.unseen++
		}
	}
	return nil
}

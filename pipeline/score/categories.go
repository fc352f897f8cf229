package score

import (
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/score/forest"
)

// namedCategories are the names of a feature's categories, whose codes are their
// places in the model file.
type namedCategories struct {
	texts   vocabulary
	numbers map[float64]int32 // where all names are numbers, else nil
}

func newNamedCategories(f forest.Feature) namedCategories {
	n := namedCategories{numbers: make(map[float64]int32, len(f.Categories))}
	isNumbers := true
	for code, name := range f.Categories {
		n.texts.add(name, int32(code))
		number, err := strconv.ParseFloat(name, 64)
		isNumbers = isNumbers && err == nil && (f.Numbers || plainNumber.MatchString(name))
		n.numbers[number] = int32(code)
	}
	if !isNumbers {
		n.numbers = nil
	}
	return n
}

// namedCodes gives the category codes of input i, a value per row, NaN where it
// is missing. A category that the model does not know is missing too, as in a
// data frame with the categories of training. A column of numbers holds the
// codes, unless the names of all categories are numbers: then it holds these.
func (in *inputs) namedCodes(i int, n *namedCategories) ([]float64, error) {
	a := in.arrays[i]
	isBool := a.DataType().ID() == arrow.BOOL
	if isText(a.DataType()) && !arrow.IsInteger(a.DataType().ID()) && !(isBool && n.numbers != nil) {
		codes, err := in.categories(i, n.texts)
		if err != nil {
			return nil, err
		}
		return in.fromCodes(codes, i, n.texts), nil
	}
	values, err := in.numbers(i)
	if err != nil {
		return nil, err
	}
	for _, x := range values {
		switch {
		case x != x:
			in.counts[i].Missing++
		case n.numbers == nil && !(x >= 0 && x < float64(n.texts.n)):
			in.counts[i].Unseen++
		}
	}
	if n.numbers != nil {
		values = in.numberedCodes(values, i, n.numbers)
	}
	return values, nil
}

// fromCodes turns the codes of a vocabulary into numbers.
func (in *inputs) fromCodes(codes []int32, i int, v vocabulary) []float64 {
	unseen, missing := v.unseen(), v.missing()
	for row, code := range codes {
		in.values[row] = float64(code)
		switch code {
		case unseen:
			in.counts[i].Unseen++
			in.values[row] = math.NaN()
		case missing:
			in.counts[i].Missing++
			in.values[row] = math.NaN()
		}
	}
	return in.values
}

func (in *inputs) numberedCodes(values []float64, i int, numbers map[float64]int32) []float64 {
	for row, x := range values {
		code, known := numbers[x]
		in.values[row] = float64(code)
		if !known {
			in.values[row] = math.NaN()
			if x == x {
				in.counts[i].Unseen++
			}
		}
	}
	return in.values
}

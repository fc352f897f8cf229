package filter

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// Resolve tells what a text stands for where both the name of a column and an
// expression may stand: a text that is the name of a column of the schema is that
// column, also when it could be an expression, and so is a text that is a name
// alone or no expression at all. Everything else is an expression. Without a
// schema (nil) every text that can be an expression is one.
func Resolve(text string, schema *arrow.Schema) (column string, x *Expression) {
	if schema != nil && schema.HasField(text) {
		return text, nil
	}
	x, err := Parse(text)
	if err != nil || slices.Equal(x.Columns(), []string{text}) {
		return text, nil
	}
	return "", x
}

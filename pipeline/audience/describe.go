package audience

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Describe says of what kind and length a value is, never the value itself, for
// RejectedRow.Value: "null", "string, 12 bytes", "double, not a number".
func Describe(column arrow.Array, i int) string {
	if column.IsNull(i) {
		return "null"
	}
	switch c := column.(type) {
	case *array.String:
		return fmt.Sprintf("string, %d bytes", c.ValueLen(i))
	case *array.LargeString:
		return fmt.Sprintf("string, %d bytes", len(c.Value(i)))
	case *array.Dictionary:
		return Describe(c.Dictionary(), c.GetValueIndex(i))
	case *array.Float64:
		return "double" + oddity(c.Value(i))
	case *array.Float32:
		return "float" + oddity(float64(c.Value(i)))
	}
	return column.DataType().String()
}

func oddity(v float64) string {
	switch {
	case math.IsNaN(v):
		return ", not a number"
	case math.IsInf(v, 0):
		return ", infinite"
	}
	return ""
}

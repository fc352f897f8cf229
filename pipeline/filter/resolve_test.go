package filter

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

func TestResolve(t *testing.T) {
	number := arrow.PrimitiveTypes.Float64
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: number}, {Name: "b", Type: number}, {Name: "a - b", Type: number}, {Name: "Call  Failure", Type: number}}, nil)
	for _, test := range []struct {
		text         string
		schema       *arrow.Schema
		isExpression bool
	}{
		{"a", schema, false}, {"gone", schema, false}, {"gone", nil, false},
		{"a - b", schema, false}, {"a - b", nil, true}, {"b - a", schema, true},
		{"Call  Failure", schema, false}, {"Call  Failure", nil, false}, {"no such column", schema, false},
		{`col("Call  Failure")`, schema, true}, {"a > 1.0", schema, true}, {"score", nil, true},
	} {
		column, x := Resolve(test.text, test.schema)
		if (x != nil) != test.isExpression || x == nil && column != test.text {
			t.Errorf("%q is column %q, expression %v; want an expression: %v", test.text, column, x, test.isExpression)
		}
	}
}

package audience_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/audience"
)

func TestDescribeShowsNoValue(t *testing.T) {
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	for _, test := range []struct {
		typ    arrow.DataType
		values string
		want   []string
	}{
		{arrow.BinaryTypes.String, `["secret", "é", null]`, []string{"string, 6 bytes", "string, 2 bytes", "null"}},
		{arrow.BinaryTypes.LargeString, `["secret"]`, []string{"string, 6 bytes"}},
		{coded, `["secret", null]`, []string{"string, 6 bytes", "null"}},
		{arrow.PrimitiveTypes.Float64, `["NaN", "-Inf", 3.5]`, []string{"double, not a number", "double, infinite", "double"}},
		{arrow.PrimitiveTypes.Float32, `["NaN", 3.5]`, []string{"float, not a number", "float"}},
		{arrow.PrimitiveTypes.Int32, `[42]`, []string{"int32"}},
	} {
		arr := fromJSON(t, test.typ, test.values)
		for i, want := range test.want {
			if got := audience.Describe(arr, i); got != want {
				t.Errorf("%s, value %d: %q, want %q", test.typ, i, got, want)
			}
		}
	}
}

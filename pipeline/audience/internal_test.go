package audience

import (
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// TestArraysOfAnotherType hands columns and cells an array that the view in
// front of them would have refused: they must not read its bytes as their own.
func TestArraysOfAnotherType(t *testing.T) {
	var null arrow.Array = array.NewNull(0)
	codes := over(arrow.PrimitiveTypes.Uint8, []uint8{0})
	coded := func(words arrow.Array) arrow.Array {
		return array.NewDictionaryArray(&arrow.DictionaryType{IndexType: codes.DataType(), ValueType: words.DataType()}, codes, words)
	}
	words := array.NewStringBuilder(memory.DefaultAllocator)
	words.Append("x")
	long := array.NewDictionaryArray(
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int64, ValueType: arrow.BinaryTypes.String},
		over(arrow.PrimitiveTypes.Int64, []int64{0}), words.NewArray())
	numbers := coded(over(arrow.PrimitiveTypes.Int32, []int32{1}))
	for _, typ := range []arrow.DataType{
		arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Timestamp_us, arrow.BinaryTypes.String,
		&arrow.Decimal128Type{Precision: 5}, &arrow.Decimal128Type{Precision: 15}, &arrow.Decimal128Type{Precision: 25},
	} {
		for _, arr := range []arrow.Array{null, numbers, long} {
			_, c, err := newColumn(arrow.Field{Name: "x", Type: typ, Nullable: true}, false)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.append(arr, []int32{}); !errors.Is(err, errBlock) {
				t.Errorf("a column of %s took an array of %s: %v", typ, arr.DataType(), err)
			}
		}
	}
	for _, arr := range []arrow.Array{null, numbers} {
		if _, err := newCell(arr, csvText{}.append); !errors.Is(err, errBlock) {
			t.Errorf("cells of an array of %s: error %v", arr.DataType(), err)
		}
	}
	if _, _, err := newColumn(arrow.Field{Name: "x", Type: arrow.Null}, false); !errors.Is(err, ErrColumn) {
		t.Errorf("a column of null: error %v", err)
	}
}

func TestBytesForDigits(t *testing.T) {
	// The table of the Parquet format: digits that so many bytes hold.
	for bytes, digits := range map[int]int32{8: 18, 9: 21, 10: 23, 11: 26, 12: 28, 13: 31, 14: 33, 15: 35, 16: 38} {
		if got := bytesFor(digits); got != bytes {
			t.Errorf("%d digits take %d bytes, want %d", digits, got, bytes)
		}
		if got := bytesFor(digits + 1); digits < 38 && got != bytes+1 {
			t.Errorf("%d digits take %d bytes, want %d", digits+1, got, bytes+1)
		}
	}
}

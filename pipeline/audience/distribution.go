package audience

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// NewDistributionTable writes a whole Parquet file with one row for each of the
// 10,001 scores: the score, its bucket from 1 (0 to 5) to 20 (95 to 100), the
// name of its category, and how many users have it. counts is by hundredths.
func NewDistributionTable(w io.Writer, counts []int64, category func(hundredths uint16) string, o ParquetOptions) error {
	if len(counts) != maxHundredths+1 {
		return fmt.Errorf("%w: %d counts: want one for each of %d scores", errBlock, len(counts), maxHundredths+1)
	}
	t, err := newTable(w, arrow.NewSchema([]arrow.Field{
		{Name: "score", Type: scoreType},
		{Name: "bucket", Type: arrow.PrimitiveTypes.Int32},
		{Name: "category", Type: arrow.BinaryTypes.String},
		{Name: "count", Type: arrow.PrimitiveTypes.Int64},
	}, nil), nil, o)
	if err != nil {
		return err
	}
	scores, buckets := make([]int32, len(counts)), make([]int32, len(counts))
	names := array.NewStringBuilder(memory.DefaultAllocator)
	defer names.Release()
	for i := range counts {
		scores[i] = int32(i)
		buckets[i] = int32(min(i/500, 19)) + 1
		names.Append(category(uint16(i)))
	}
	categories := names.NewArray()
	defer categories.Release()
	arrays := []arrow.Array{over(hundredthsType, scores), over(arrow.PrimitiveTypes.Int32, buckets), categories, over(arrow.PrimitiveTypes.Int64, counts)}
	if err := t.write(arrays, scores); err != nil { // scores are the row numbers too
		return err
	}
	return t.close()
}

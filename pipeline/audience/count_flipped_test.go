package audience_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/churntier/churntier/pipeline/audience"
)

// TestFlippedBitsThatDecodingFinds flips every bit of small files: what arrow-go finds
// when it decodes every value, counting them finds too.
func TestFlippedBitsThatDecodingFinds(t *testing.T) {
	number := func(valid func(int) bool, value func(int) float64) func(array.Builder, int) {
		return func(b array.Builder, row int) {
			if !valid(row) {
				b.AppendNull()
				return
			}
			b.(*array.Float64Builder).Append(value(row))
		}
	}
	some := func(row int) bool { return row%5 > 0 }
	for name, data := range map[string][]byte{
		"texts coded, zstd":     writeTexts(t, 60, 60, func(i int) (string, bool) { return fmt.Sprint(i / 9), i%5 > 1 }),
		"numbers coded, snappy": numbersOf(t, "snappy", arrow.PrimitiveTypes.Float64, 70, number(some, func(row int) float64 { return float64(row % 5) })),
		"numbers, snappy":       numbersOf(t, "snappy", arrow.PrimitiveTypes.Float64, 40, number(some, func(row int) float64 { return float64(row) })),
		"numbers as they are":   numbersOf(t, "snappy", arrow.PrimitiveTypes.Float64, 30, number(some, func(row int) float64 { return 1 / float64(row+3) })),
		"booleans": numbersOf(t, "snappy", arrow.FixedWidthTypes.Boolean, 20, func(b array.Builder, row int) {
			b.(*array.BooleanBuilder).Append(row%3 == 0)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			for at := range data {
				for bit := range 8 {
					damaged := bytes.Clone(data)
					damaged[at] ^= 1 << bit
					_, err := audience.CountParquet(bytes.NewReader(damaged), int64(len(damaged)))
					if decoded := decodeAll(damaged); decoded != nil && err == nil {
						t.Errorf("byte %d, bit %d: no error; decoding says %v", at, bit, decoded)
					}
				}
			}
		})
	}
}

// decodeAll decodes every value of a Parquet file with arrow-go and compares the rows
// with what the footer says.
func decodeAll(data []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoding stopped: %v", p)
		}
	}()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	rows := int64(0)
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		rows += group.NumRows()
		for c := range group.NumColumns() {
			n, err := decodeColumn(group, c)
			if err != nil || n != group.NumRows() {
				return fmt.Errorf("column %d has %d rows of %d: %w", c, n, group.NumRows(), err)
			}
		}
	}
	if rows != r.NumRows() {
		return fmt.Errorf("%d rows of %d", rows, r.NumRows())
	}
	return nil
}

func decodeColumn(group *file.RowGroupReader, c int) (int64, error) {
	column, err := group.Column(c)
	if err != nil {
		return 0, err
	}
	switch r := column.(type) {
	case *file.ByteArrayColumnChunkReader:
		return drain[parquet.ByteArray](r)
	case *file.Int32ColumnChunkReader:
		return drain[int32](r)
	case *file.Int64ColumnChunkReader:
		return drain[int64](r)
	case *file.Float64ColumnChunkReader:
		return drain[float64](r)
	case *file.BooleanColumnChunkReader:
		return drain[bool](r)
	}
	return 0, fmt.Errorf("a column of %s", column.Type())
}

func drain[T any](r interface {
	HasNext() bool
	Err() error
	ReadBatchInPage(batchSize int64, values []T, def, rep []int16) (total int64, valuesRead int, err error)
}) (rows int64, err error) {
	values, levels := make([]T, 100), make([]int16, 100)
	for r.HasNext() {
		n, _, err := r.ReadBatchInPage(100, values, levels, nil)
		if err != nil {
			return rows, err
		}
		if n == 0 {
			break
		}
		rows += n
	}
	return rows, r.Err()
}

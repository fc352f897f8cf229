package audience_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
)

// A file in the memory of others has the bytes of one in memory of its own.
func TestRecycledFilesHaveTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 40)
		var closed audience.Recycler
		write := func(chosen []int32, r *audience.Recycler) []byte {
			var out bytes.Buffer
			e, err := audience.NewParquet(&out, u.layout(), u.schema, audience.ParquetOptions{Recycler: r})
			if err != nil {
				t.Fatal(err)
			}
			u.write(t, e, chosen)
			return out.Bytes()
		}
		for range 3 {
			chosen := u.drawRows(t)
			if !bytes.Equal(write(chosen, nil), write(chosen, &closed)) {
				t.Fatal("other bytes in the memory of another file")
			}
		}
	})
}

// A column that no dictionary suited in one file may have one in the next.
func TestRecycledFilesBeginWithDictionaries(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "text", Type: arrow.BinaryTypes.String}, {Name: "number", Type: arrow.PrimitiveTypes.Float64},
	}, nil)
	layout := audience.Layout{ID: "id"}
	for _, f := range schema.Fields() {
		layout.Columns = append(layout.Columns, audience.Column{Name: f.Name, Column: f.Name})
	}
	write := func(different int, r *audience.Recycler) []byte {
		const rows = 40_000
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for i := range rows {
			b.Field(0).(*array.StringBuilder).Append(fmt.Sprint("u", i))
			b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("text ", i%different))
			b.Field(2).(*array.Float64Builder).Append(float64(i%different) / 7)
		}
		var out bytes.Buffer
		e, err := audience.NewParquet(&out, layout, schema, audience.ParquetOptions{Recycler: r})
		if err == nil {
			err = errors.Join(e.Write(&audience.Block{Batch: b.NewRecordBatch()}, ascending(rows)), e.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	var closed audience.Recycler
	for _, different := range []int{3, 40_000, 3, 100} {
		if !bytes.Equal(write(different, nil), write(different, &closed)) {
			t.Errorf("other bytes of %d different values in the memory of another file", different)
		}
	}
}

package main

import (
	"fmt"
	"os"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"github.com/churntier/churntier/scripts/interop/internal/upstream"
)

// groupRows is the length of a row group: small, so that a part has several.
const groupRows = 500

var types = map[upstream.Kind]arrow.DataType{
	upstream.Text:    arrow.BinaryTypes.String,
	upstream.Integer: arrow.PrimitiveTypes.Int32,
	upstream.Real:    arrow.PrimitiveTypes.Float64,
	upstream.Flag:    arrow.FixedWidthTypes.Boolean,
	upstream.Instant: arrow.FixedWidthTypes.Timestamp_us,
}

// writeFile writes data pages v2 in zstd, with the Arrow schema in the footer.
func writeFile(path string, users []upstream.User) error {
	rows, err := record(users)
	if err != nil {
		return err
	}
	defer rows.Release()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	props := parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithDataPageVersion(parquet.DataPageV2),
		parquet.WithMaxRowGroupLength(groupRows),
	)
	w, err := pqarrow.NewFileWriter(rows.Schema(), file, props, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return err
	}
	if err := w.WriteBuffered(rows); err != nil {
		return err
	}
	return w.Close() // closes the file, too
}

func record(users []upstream.User) (arrow.Record, error) {
	columns := upstream.Columns()
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.Name, Type: types[c.Kind], Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i, c := range columns {
		for u := range users {
			if err := appendValue(b.Field(i), c.Value(&users[u])); err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
		}
	}
	return b.NewRecord(), nil
}

func appendValue(b array.Builder, value any) error {
	switch v := value.(type) {
	case nil:
		b.AppendNull()
	case string:
		b.(*array.StringBuilder).Append(v)
	case int32:
		b.(*array.Int32Builder).Append(v)
	case float64:
		b.(*array.Float64Builder).Append(v)
	case bool:
		b.(*array.BooleanBuilder).Append(v)
	case int64:
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(v))
	default:
		return fmt.Errorf("no builder for a %T", value)
	}
	return nil
}

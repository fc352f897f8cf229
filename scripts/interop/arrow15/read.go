package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"github.com/churntier/churntier/scripts/interop/internal/tally"
)

// readFile tallies a file by Arrow record batches. It reads columns one after
// the other: a panic in one of the library's own goroutines could not be caught.
func readFile(path string) (*tally.Table, error) {
	parquetFile, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, err
	}
	defer parquetFile.Close()
	props := pqarrow.ArrowReadProperties{Parallel: false, BatchSize: 16 << 10}
	arrowFile, err := pqarrow.NewFileReader(parquetFile, props, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	records, err := arrowFile.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		return nil, err
	}
	defer records.Release()

	t := tally.New(path)
	t.Rows = parquetFile.NumRows()
	for records.Next() {
		if err := add(t, records.Record()); err != nil {
			return nil, err
		}
	}
	if err := records.Err(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return t, complete(t, records.Schema())
}

// complete checks every column against the footer: the library ends a column
// early, without an error, when it meets a page that it cannot read.
func complete(t *tally.Table, schema *arrow.Schema) error {
	for _, f := range schema.Fields() {
		if seen := t.Column(f.Name).Seen(); seen != t.Rows {
			return fmt.Errorf("column %s: read %d rows, the footer says %d", f.Name, seen, t.Rows)
		}
	}
	return nil
}

func add(t *tally.Table, batch arrow.Record) error {
	for i, column := range batch.Columns() {
		name := batch.ColumnName(i)
		if err := addColumn(t.Column(name), column); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
	}
	return nil
}

func addColumn(c *tally.Column, values arrow.Array) error {
	for i := range values.Len() {
		if values.IsNull(i) {
			c.Null()
		} else if err := addValue(c, values, i); err != nil {
			return err
		}
	}
	return nil
}

func addValue(c *tally.Column, values arrow.Array, i int) error {
	switch v := values.(type) {
	case *array.String:
		c.Text(v.Value(i))
	case *array.Dictionary:
		return addValue(c, v.Dictionary(), v.GetValueIndex(i))
	case *array.Float64:
		c.Float(v.Value(i))
	case *array.Float32:
		c.Float(float64(v.Value(i)))
	case *array.Decimal128:
		c.Decimal(v.Value(i).BigInt(), v.DataType().(*arrow.Decimal128Type).Scale)
	default:
		return addInteger(c, values, i)
	}
	return nil
}

// addInteger adds what is stored as an integer; times and dates in their unit.
func addInteger(c *tally.Column, values arrow.Array, i int) error {
	switch v := values.(type) {
	case *array.Boolean:
		c.Bool(v.Value(i))
	case *array.Int8:
		c.Int(int64(v.Value(i)))
	case *array.Int16:
		c.Int(int64(v.Value(i)))
	case *array.Int32:
		c.Int(int64(v.Value(i)))
	case *array.Int64:
		c.Int(v.Value(i))
	case *array.Date32:
		c.Int(int64(v.Value(i)))
	case *array.Timestamp:
		c.Int(int64(v.Value(i)))
	default:
		return fmt.Errorf("no sum for a column of type %s", values.DataType())
	}
	return nil
}

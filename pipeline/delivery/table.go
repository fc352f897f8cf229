package delivery

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// tableBatch and tableFileRows are how many rows are written at once and to a file.
const (
	tableBatch    = 16 << 10
	tableFileRows = 1 << 20
)

// tableWriter writes rows of a schema to immutable Parquet files beside a delivery.
type tableWriter struct {
	ctx    context.Context
	bucket *objstore.Bucket
	prefix string // of the keys of its files
	schema *arrow.Schema
	rows   *array.RecordBuilder
	n      int // rows in the batch
	open   *tableFile
	files  []publish.File
}

type tableFile struct {
	key     string
	out     *objstore.Writer
	encoder audience.Encoder
}

func newTableWriter(ctx context.Context, b *objstore.Bucket, prefix string, schema *arrow.Schema) *tableWriter {
	return &tableWriter{ctx: ctx, bucket: b, prefix: prefix, schema: schema, rows: array.NewRecordBuilder(memory.DefaultAllocator, schema)}
}

func (w *tableWriter) text(column int, v string) {
	w.rows.Field(column).(*array.StringBuilder).Append(v)
}

func (w *tableWriter) flag(column int, v bool) {
	w.rows.Field(column).(*array.BooleanBuilder).Append(v)
}

// endRow ends a row that has a value in every column.
func (w *tableWriter) endRow() error {
	if w.n++; w.n == tableBatch {
		return w.flush()
	}
	return nil
}

func (w *tableWriter) flush() error {
	if w.n == 0 {
		return nil
	}
	batch := w.rows.NewRecordBatch()
	defer batch.Release()
	if w.open == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	rows := firstRows(w.n)
	w.n = 0
	if err := w.open.encoder.Write(&audience.Block{Batch: batch}, rows); err != nil {
		return err
	}
	if w.open.encoder.Rows() >= tableFileRows {
		return w.end()
	}
	return nil
}

// firstRows numbers n rows.
func firstRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

func (w *tableWriter) begin() (err error) {
	f := &tableFile{key: fmt.Sprintf("%s-%05d.parquet", w.prefix, len(w.files))}
	if f.out, err = w.bucket.Create(w.ctx, f.key); err != nil {
		return err
	}
	w.open = f
	var l audience.Layout
	for _, field := range w.schema.Fields() {
		l.Columns = append(l.Columns, audience.Column{Name: field.Name, Source: audience.FromColumn, Column: field.Name})
	}
	f.encoder, err = audience.NewParquet(f.out, l, w.schema, audience.ParquetOptions{Compression: "zstd"})
	return err
}

func (w *tableWriter) end() error {
	f := w.open
	if f == nil {
		return nil
	}
	if err := f.encoder.Close(); err != nil {
		return err
	}
	written, err := f.out.Commit()
	w.open = nil
	w.files = append(w.files, publish.File{
		Key: f.key, Format: formatParquet, Rows: f.encoder.Rows(), Bytes: written.Size, SHA256: written.SHA256, CRC32C: publish.Checksum(written.CRC32C),
	})
	return err
}

// close writes the rest and gives the files.
func (w *tableWriter) close() ([]publish.File, error) {
	err := w.flush()
	if err == nil {
		err = w.end()
	}
	return w.files, err
}

// abort drops the file that is not finished.
func (w *tableWriter) abort() {
	if w.open != nil && w.open.out != nil {
		w.open.out.Abort()
	}
	w.rows.Release()
}

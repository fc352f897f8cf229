package delivery

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// tableBatch and tableFileRows are how many rows are written at once, and about how
// many to a file.
const (
	tableBatch    = 16 << 10
	tableFileRows = 1 << 20
)

// tableWriter writes rows of a schema to immutable Parquet files beside a delivery.
// They are snappy's, which costs the least time of whoever reads them the next night.
type tableWriter struct {
	ctx    context.Context
	bucket *objstore.Bucket
	prefix string // of the keys of its files
	schema *arrow.Schema
	closed *audience.Recycler // nil for none
	number int                // of the next file
	open   *tableFile
	files  []publish.File
}

type tableFile struct {
	key     string
	out     *objstore.Writer
	encoder audience.Encoder
}

func newTableWriter(ctx context.Context, b *objstore.Bucket, prefix string, schema *arrow.Schema) *tableWriter {
	return &tableWriter{ctx: ctx, bucket: b, prefix: prefix, schema: schema}
}

// write writes rows to the open file, or to a new one.
func (w *tableWriter) write(columns []arrow.Array, rows int) error {
	if w.open == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	batch := batchOf(w.schema, columns, int64(rows))
	defer batch.Release()
	for _, c := range columns {
		c.Release()
	}
	return w.open.encoder.Write(&audience.Block{Batch: batch}, firstRows(rows))
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
	f := &tableFile{key: fmt.Sprintf("%s-%05d.parquet", w.prefix, w.number)}
	if f.out, err = w.bucket.Create(w.ctx, f.key); err != nil {
		return err
	}
	w.open = f
	w.number++
	l := audience.Layout{ID: w.schema.Field(0).Name}
	for _, field := range w.schema.Fields() {
		l.Columns = append(l.Columns, audience.Column{Name: field.Name, Source: audience.FromColumn, Column: field.Name, Required: !field.Nullable})
	}
	f.encoder, err = audience.NewParquet(f.out, l, w.schema, audience.ParquetOptions{Compression: "snappy", Recycler: w.closed})
	return err
}

// end finishes the open file.
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

// abort drops the file that is not finished.
func (w *tableWriter) abort() {
	if w.open != nil && w.open.out != nil {
		w.open.out.Abort()
	}
}

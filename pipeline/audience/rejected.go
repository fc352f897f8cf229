package audience

import (
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// maxRejectedID cuts the ids in the table of rejected rows: one may have been
// rejected because it is a megabyte long.
const maxRejectedID = 1024

// RejectedRow is a row of the snapshot that got no score, and why. Bytes that
// are not UTF-8 are written as U+FFFD.
type RejectedRow struct {
	ID     []byte // text form, written up to 1 KiB
	HasID  bool   // false: null
	Reason string
	Column string // the column at fault; "" is written as null
	Value  string // kind and length alone, such as "string, 12 bytes"; "" is written as null
	File   string // name relative to the snapshot
	Row    int64  // number of the row in the file
}

// RejectedEncoder writes the table of rejected rows.
type RejectedEncoder struct {
	table *table
	rows  *array.RecordBuilder
	all   []int32 // 0, 1, 2..
}

// NewRejected starts the Parquet file of rejected rows: id, reason, column,
// value, file, row.
func NewRejected(w io.Writer, o ParquetOptions) (*RejectedEncoder, error) {
	text := arrow.BinaryTypes.String
	s := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: text, Nullable: true},
		{Name: "reason", Type: text},
		{Name: "column", Type: text, Nullable: true},
		{Name: "value", Type: text, Nullable: true},
		{Name: "file", Type: text},
		{Name: "row", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	t, err := newTable(w, s, map[string]bool{"id": true}, o)
	if err != nil {
		return nil, err
	}
	return &RejectedEncoder{table: t, rows: array.NewRecordBuilder(memory.DefaultAllocator, s)}, nil
}

// Write adds rows in the order given.
func (e *RejectedEncoder) Write(rows []RejectedRow) error {
	for _, r := range rows {
		e.add(r)
	}
	batch := e.rows.NewRecordBatch()
	defer batch.Release()
	for len(e.all) < len(rows) {
		e.all = append(e.all, int32(len(e.all)))
	}
	return e.table.write(batch.Columns(), e.all[:len(rows)])
}

func (e *RejectedEncoder) add(r RejectedRow) {
	text := func(i int) *array.StringBuilder { return e.rows.Field(i).(*array.StringBuilder) }
	if r.HasID {
		text(0).Append(rejectedID(r.ID))
	} else {
		text(0).AppendNull()
	}
	text(1).Append(valid(r.Reason))
	appendKnown(text(2), r.Column)
	appendKnown(text(3), r.Value)
	text(4).Append(valid(r.File))
	e.rows.Field(5).(*array.Int64Builder).Append(r.Row)
}

func appendKnown(b *array.StringBuilder, s string) {
	if s == "" {
		b.AppendNull()
		return
	}
	b.Append(valid(s))
}

func rejectedID(id []byte) string {
	if len(id) > maxRejectedID {
		id = id[:maxRejectedID]
	}
	return valid(string(id))
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Close writes what is buffered and the footer.
func (e *RejectedEncoder) Close() error {
	e.rows.Release()
	return e.table.close()
}

// Rows counts the rows written so far.
func (e *RejectedEncoder) Rows() int64 { return e.table.rows }

package audience

import (
	"bufio"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// A row group ends at groupRows rows, or at a whole number of steps once it
// holds groupBytes, so that long texts cannot fill the memory. Steps are counted
// from the group's first row: where it ends depends on the rows alone.
const (
	groupRows  = 122_880
	stepRows   = groupRows / 8
	groupBytes = 32 << 20
	pageBytes  = 64 << 10
	sinkBytes  = 256 << 10
)

// createdBy stands in every Parquet file. It carries no version, which would
// change the bytes of a night that is published again.
const createdBy = "churntier"

// zstdLevel is the fastest: on ids and scores it takes a quarter less time than
// the default and leaves no larger files. Snappy knows no levels.
const zstdLevel = 1

// table writes arrow arrays as one Parquet file. Rows are gathered column by
// column and written when a row group is full.
type table struct {
	sink     *bufio.Writer // keeps the first error of the writer below
	file     *file.Writer
	columns  []column
	buffered int
	rows     int64
	closed   bool
	latch
}

// column buffers one column of the open row group.
type column interface {
	// append adds the values at rows, indices into arr.
	append(arr arrow.Array, rows []int32) error
	// size is about the number of bytes buffered.
	size() int
	// flush writes what is buffered as one column chunk and empties the buffer.
	flush(w file.ColumnChunkWriter) error
}

// newTable starts a file with the columns of s. Texts named in plain are never
// written as a dictionary.
func newTable(w io.Writer, s *arrow.Schema, plain map[string]bool, o ParquetOptions) (*table, error) {
	codec, err := o.codec()
	if err != nil {
		return nil, err
	}
	t := &table{sink: bufio.NewWriterSize(w, sinkBytes)}
	nodes := make(schema.FieldList, s.NumFields())
	props := fileProperties(codec)
	for i, f := range s.Fields() {
		node, column, err := newColumn(f, plain[f.Name])
		if err != nil {
			return nil, err
		}
		nodes[i] = node
		t.columns = append(t.columns, column)
		props = append(props, columnProperties(f, plain[f.Name])...)
	}
	return t, t.guard(func() error { return t.start(nodes, props) })
}

func (t *table) start(nodes schema.FieldList, props []parquet.WriterProperty) error {
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return err
	}
	t.file, err = file.NewParquetWriterWithError(t.sink, root, file.WithWriterProps(parquet.NewWriterProperties(props...)))
	return err
}

// fileProperties takes version 1 of the data pages: version 2 is no faster and
// leaves the levels, which say where null is, outside the frames that zstd puts
// its checksums on.
func fileProperties(codec compress.Compression) []parquet.WriterProperty {
	return []parquet.WriterProperty{
		parquet.WithCreatedBy(createdBy),
		parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithDataPageVersion(parquet.DataPageV1),
		parquet.WithDataPageSize(pageBytes),
		parquet.WithDictionaryDefault(false),
		parquet.WithCompression(codec),
		parquet.WithCompressionLevel(zstdLevel),
	}
}

// columnProperties chooses how texts are stored. Plain ones have their lengths
// apart from their bytes, which takes zstd a quarter less time. Those that are
// never null have no statistics: the least and greatest id of a shard tell no
// reader anything. Nullable columns keep theirs for the count of nulls.
func columnProperties(f arrow.Field, plain bool) []parquet.WriterProperty {
	switch {
	case f.Type.ID() != arrow.STRING:
		return nil
	case !plain:
		return []parquet.WriterProperty{parquet.WithDictionaryFor(f.Name, true)}
	default:
		return []parquet.WriterProperty{
			parquet.WithEncodingFor(f.Name, parquet.Encodings.DeltaLengthByteArray),
			parquet.WithStatsFor(f.Name, f.Nullable),
		}
	}
}

// write adds the rows of arrays, one array a column.
func (t *table) write(arrays []arrow.Array, rows []int32) error {
	return t.guard(func() error {
		if t.closed {
			return errClosed
		}
		for len(rows) > 0 {
			n := min(len(rows), stepRows-t.buffered%stepRows)
			if err := t.add(arrays, rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
		}
		return nil
	})
}

// add buffers rows, which end at or before the next step.
func (t *table) add(arrays []arrow.Array, rows []int32) error {
	for i, c := range t.columns {
		if err := c.append(arrays[i], rows); err != nil {
			return inColumn(t.file.Schema.Column(i).Name(), err)
		}
	}
	t.buffered += len(rows)
	t.rows += int64(len(rows))
	if t.full() {
		return t.flush()
	}
	return nil
}

func (t *table) full() bool {
	if t.buffered%stepRows != 0 {
		return false
	}
	size := 0
	for _, c := range t.columns {
		size += c.size()
	}
	return t.buffered == groupRows || size >= groupBytes
}

// flush writes the buffered rows as one row group.
func (t *table) flush() error {
	group, err := t.file.AppendRowGroupChecked()
	if err != nil {
		return err
	}
	for _, c := range t.columns {
		w, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := c.flush(w); err != nil {
			return fmt.Errorf("column %q: %w", w.Descr().Name(), err)
		}
	}
	t.buffered = 0
	return group.Close()
}

// close writes what is buffered and the footer.
func (t *table) close() error {
	return t.guard(func() error {
		if t.closed {
			return nil
		}
		t.closed = true
		if t.buffered > 0 {
			if err := t.flush(); err != nil {
				return err
			}
		}
		if err := t.file.Close(); err != nil {
			return err
		}
		return t.sink.Flush()
	})
}

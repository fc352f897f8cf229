package audience

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// A row group ends at groupRows rows, or at a whole number of steps once it
// holds groupBytes, so that long texts cannot fill the memory, of whoever reads it
// either. Steps are counted from the group's first row: where it ends depends on the
// rows alone.
const (
	groupRows  = 122_880
	stepRows   = 128
	groupBytes = 32 << 20
	sinkBytes  = 256 << 10
)

// createdBy stands in every Parquet file. It carries no version, which would
// change the bytes of a night that is published again.
const createdBy = "churntier"

// magic is what a Parquet file begins and ends with.
const magic = "PAR1"

// table writes arrow arrays as one Parquet file. Rows are gathered column by
// column and written when a row group is full.
type table struct {
	sink     *bufio.Writer // keeps the first error of the writer below
	chunks   *chunkWriter
	schema   *schema.Schema
	footer   *metadata.FileMetaDataBuilder
	columns  []column
	recycler *Recycler
	groups   int16
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
	flush(w *chunkWriter) (bounds, error)
	// nullCount counts the nulls buffered.
	nullCount() int
}

// newTable starts a file with the columns of s. Texts named in plain are never
// written as a dictionary.
func newTable(w io.Writer, s *arrow.Schema, plain map[string]bool, o ParquetOptions) (*table, error) {
	codec, err := codecOf(o.Compression)
	if err != nil {
		return nil, err
	}
	sink := bufio.NewWriterSize(w, sinkBytes)
	t := &table{sink: sink, chunks: &chunkWriter{out: sink, codec: codec}, recycler: o.Recycler}
	columns := make([]column, s.NumFields())
	nodes := make(schema.FieldList, s.NumFields())
	props := []parquet.WriterProperty{
		parquet.WithCreatedBy(createdBy), parquet.WithVersion(parquet.V2_LATEST), parquet.WithCompression(codec.id),
	}
	for i, f := range s.Fields() {
		if nodes[i], columns[i], err = newColumn(f, plain[f.Name]); err != nil {
			return nil, err
		}
		if f.Type.ID() == arrow.STRING {
			props = append(props, parquet.WithEncodingFor(f.Name, parquet.Encodings.DeltaLengthByteArray))
		}
	}
	if t.columns = o.Recycler.get(); t.columns == nil {
		t.columns = columns
	}
	return t, t.guard(func() error { return t.start(nodes, props) })
}

func (t *table) start(nodes schema.FieldList, props []parquet.WriterProperty) error {
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return err
	}
	t.schema = schema.NewSchema(root)
	t.footer = metadata.NewFileMetadataBuilder(t.schema, parquet.NewWriterProperties(props...), nil)
	return t.chunks.write([]byte(magic))
}

// write adds the rows of arrays, one array a column.
func (t *table) write(arrays []arrow.Array, rows []int32) error {
	return t.guard(func() error {
		if t.closed {
			return errClosed
		}
		for len(rows) > 0 {
			n, step := min(len(rows), groupRows-t.buffered), stepRows-t.buffered%stepRows
			if n > step && t.sizeWith(arrays, n) >= groupBytes {
				n = step
			}
			if err := t.add(arrays, rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
		}
		return nil
	})
}

// add buffers rows, of which the row group takes all.
func (t *table) add(arrays []arrow.Array, rows []int32) error {
	for i, c := range t.columns {
		if err := c.append(arrays[i], rows); err != nil {
			return inColumn(t.schema.Column(i).Name(), err)
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
	return t.buffered == groupRows || t.size() >= groupBytes
}

func (t *table) size() (sum int) {
	for _, c := range t.columns {
		sum += c.size()
	}
	return sum
}

// sizeWith is at least what size is, at any moment, while n rows of arrays are added.
func (t *table) sizeWith(arrays []arrow.Array, n int) (sum int) {
	const widest = 16 + 2 // a number and its level
	for i, c := range t.columns {
		if texts, ok := c.(*texts); ok {
			sum += texts.sizeWith(arrays[i], n)
		} else {
			sum += c.size() + n*widest
		}
	}
	return sum
}

// flush writes the buffered rows as one row group.
func (t *table) flush() error {
	t.chunks.scratch, _ = scratches.Get().(*scratch)
	defer func() { scratches.Put(t.chunks.scratch) }()
	group := t.footer.AppendRowGroup()
	group.SetNumRows(t.buffered)
	for _, c := range t.columns {
		if err := t.flushColumn(c, group.NextColumnChunk()); err != nil {
			return err
		}
	}
	t.buffered = 0
	t.groups++
	return group.Finish(0, t.groups-1)
}

func (t *table) flushColumn(c column, meta *metadata.ColumnChunkMetaDataBuilder) error {
	t.chunks.begin()
	nulls := c.nullCount()
	b, err := c.flush(t.chunks)
	if err != nil {
		return fmt.Errorf("column %q: %w", meta.Descr().Name(), err)
	}
	meta.SetStats(b.statistics(nulls, meta.Descr().SortOrder() == schema.SortSIGNED))
	return t.chunks.finish(meta, t.buffered)
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
		if err := t.end(); err != nil {
			return err
		}
		t.recycler.put(t.columns)
		t.columns = nil
		return t.sink.Flush()
	})
}

// end writes the footer.
func (t *table) end() error {
	footer, err := t.footer.Finish()
	if err != nil {
		return err
	}
	n, err := footer.WriteTo(t.sink, nil)
	if err != nil {
		return err
	}
	return t.chunks.write(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), magic...))
}

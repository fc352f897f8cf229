package audience

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// readBytes is how much of a column is read at once, in one request to a remote store;
// arrow-go would take memory for all of it.
const readBytes = 1 << 20

// CountParquet reads a written Parquet file again and counts its rows. It
// decodes every value of every column, so that checksums of frames are checked
// too. A file that cannot be decoded, or whose footer, row groups and columns
// do not agree, is ErrDamaged.
func CountParquet(r io.ReaderAt, size int64) (int64, error) {
	var rows int64
	err := recovered(func() (err error) {
		rows, err = countParquet(r, size)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return rows, nil
}

func countParquet(r io.ReaderAt, size int64) (int64, error) {
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled, props.BufferSize = true, readBytes
	f, err := file.NewParquetReader(io.NewSectionReader(r, 0, size), file.WithReadProps(props))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var rows int64
	for g := range f.NumRowGroups() {
		group := f.RowGroup(g)
		for c := range group.NumColumns() {
			if err := checkColumn(group, c); err != nil {
				return 0, fmt.Errorf("row group %d: %w", g, err)
			}
		}
		rows += group.NumRows()
	}
	if rows != f.NumRows() {
		return 0, fmt.Errorf("the footer says %d rows, the row groups hold %d", f.NumRows(), rows)
	}
	return rows, nil
}

// checkColumn decodes a column chunk and compares its rows with the group's.
func checkColumn(group *file.RowGroupReader, c int) error {
	column, err := group.Column(c)
	if err != nil {
		return err
	}
	rows, err := countColumn(column)
	if err == nil && rows != group.NumRows() {
		err = fmt.Errorf("%d rows decoded, the footer says %d", rows, group.NumRows())
	}
	if err != nil {
		return fmt.Errorf("column %q: %w", column.Descriptor().Name(), err)
	}
	return nil
}

func countColumn(c file.ColumnChunkReader) (int64, error) {
	switch r := c.(type) {
	case *file.ByteArrayColumnChunkReader:
		return drain[parquet.ByteArray](r)
	case *file.Int32ColumnChunkReader:
		return drain[int32](r)
	case *file.Int64ColumnChunkReader:
		return drain[int64](r)
	case *file.Float32ColumnChunkReader:
		return drain[float32](r)
	case *file.Float64ColumnChunkReader:
		return drain[float64](r)
	case *file.BooleanColumnChunkReader:
		return drain[bool](r)
	case *file.FixedLenByteArrayColumnChunkReader:
		return drain[parquet.FixedLenByteArray](r)
	}
	return 0, fmt.Errorf("%s is a type that is never written", c.Type())
}

// batchReader is what every typed column reader of arrow-go can do. A batch is views
// of the page at hand: nothing is copied.
type batchReader[T any] interface {
	HasNext() bool
	Err() error
	ReadBatchInPage(batchSize int64, values []T, def, rep []int16) (total int64, valuesRead int, err error)
}

func drain[T any](r batchReader[T]) (rows int64, err error) {
	const batch = 4096
	values, levels := make([]T, batch), make([]int16, batch)
	for r.HasNext() {
		n, _, err := r.ReadBatchInPage(batch, values, levels, nil)
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

package audience

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// readBytes is how much of a column is read at once, which stays in a processor's caches;
// arrow-go would take memory for all of it.
const readBytes = 256 << 10

// CountParquet reads a written Parquet file again and counts its rows. Every page is
// decompressed, so that checksums of frames are checked, and its values are counted
// from how they are encoded. A file of which any of this fails, whose footer, row
// groups and columns do not agree, or that has what is never written, is ErrDamaged.
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
	at := int64(len(magic))
	for g := range f.NumRowGroups() {
		group := f.RowGroup(g)
		for c := range group.NumColumns() {
			size, err := checkColumn(group, c, at)
			if err != nil {
				return 0, fmt.Errorf("row group %d: column %q: %w", g, f.MetaData().Schema.Column(c).Name(), err)
			}
			at += size
		}
		rows += group.NumRows()
	}
	if end := size - int64(f.MetaData().Size()) - int64(4+len(magic)); at != end {
		return 0, fmt.Errorf("the columns end at byte %d, the footer begins at byte %d", at, end)
	}
	if rows != f.NumRows() {
		return 0, fmt.Errorf("the footer says %d rows, the row groups hold %d", f.NumRows(), rows)
	}
	return rows, nil
}

// checkColumn walks through the pages of a column chunk, which begins at byte at of the
// file, compares its rows with the group's and gives its size.
func checkColumn(group *file.RowGroupReader, column int, at int64) (size int64, err error) {
	chunk, err := group.MetaData().ColumnChunk(column)
	if err != nil {
		return 0, err
	}
	first := chunk.DataPageOffset()
	if chunk.HasDictionaryPage() {
		first = min(first, chunk.DictionaryPageOffset())
	}
	if first != at {
		return 0, fmt.Errorf("it begins at byte %d, the one before it ends at byte %d", first, at)
	}
	rows, err := countRows(group, column)
	if err == nil && rows != group.NumRows() {
		err = fmt.Errorf("%d rows counted, the footer says %d", rows, group.NumRows())
	}
	return chunk.TotalCompressedSize(), err
}

func countRows(group *file.RowGroupReader, column int) (rows int64, err error) {
	c, err := newCounter(group, column)
	if err != nil {
		return 0, err
	}
	pages, err := group.GetColumnPageReader(column)
	if err != nil {
		return 0, err
	}
	defer func() { _ = pages.Close() }() // it holds nothing but memory
	for pages.Next() {
		n, err := c.page(pages.Page())
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, pages.Err()
}

package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// ErrDamaged says that a part is not what it must be: no Parquet file, broken,
// beyond a limit, or not the rows that its own footer promises.
var ErrDamaged = errors.New("damaged part")

// damaged says what was found where, what was expected and what to do.
func damaged(name, format string, args ...any) error {
	return fmt.Errorf("%w: part %s: %s; write the part again", ErrDamaged, name, fmt.Sprintf(format, args...))
}

// File is one part whose footer was read and checked. It does not change, so any
// number of goroutines may read from it at once.
type File struct {
	name       string
	input      io.ReaderAt
	pieces     []*piece // by row group; nil where they are read from input
	size       int64
	footer     int64 // offset
	limits     Limits
	rows       int64
	groups     []group
	leaves     map[string]leaf
	unreadable map[string]string
	schema     *arrow.Schema
}

const (
	magic     = "PAR1"
	tailBytes = 8 // length of the footer, magic
)

// OpenFile reads the footer of a part of size bytes; name is for error texts. The
// footer must be true to itself and to the size, else it returns ErrDamaged.
// Columns that cannot be read are no error until they are asked for.
func OpenFile(r io.ReaderAt, size int64, name string, lim Limits) (*File, error) {
	data, err := readFooter(r, size, name, lim)
	if err != nil {
		return nil, err
	}
	parsed, err := parseFooter(data, lim)
	if err != nil {
		return nil, damaged(name, "footer: %v", err)
	}
	f := &File{name: name, input: r, size: size, footer: size - tailBytes - int64(len(data)), limits: lim, rows: parsed.rows, groups: parsed.groups}
	leaves, err := f.readSchema(parsed.elements)
	if err != nil {
		return nil, damaged(name, "schema: %v", err)
	}
	if err := f.checkRows(); err != nil {
		return nil, err
	}
	return f, f.checkChunks(leaves)
}

// readFooter gives the bytes of the footer.
func readFooter(r io.ReaderAt, size int64, name string, lim Limits) ([]byte, error) {
	if size == 0 {
		return nil, damaged(name, "found an empty file, expected Parquet")
	}
	head, err := readAt(r, 0, min(size, int64(len(magic))))
	if err != nil {
		return nil, inputFailed(name, "start", err)
	}
	if string(head) != magic {
		return nil, damaged(name, "found %s, expected Parquet", foreign(r, head, size))
	}
	if size < int64(len(magic))+tailBytes {
		return nil, damaged(name, "found %d bytes, fewer than any Parquet file has", size)
	}
	tail, err := readAt(r, size-tailBytes, tailBytes)
	if err != nil {
		return nil, inputFailed(name, "end", err)
	}
	if string(tail[4:]) != magic {
		return nil, damaged(name, "found %q as the last bytes, expected %q: the part is cut off or still being written", tail[4:], magic)
	}
	length, room := int64(binary.LittleEndian.Uint32(tail)), size-tailBytes-int64(len(magic))
	if length > room || length > lim.Footer {
		return nil, damaged(name, "found a footer of %d bytes, expected at most %d", length, min(room, lim.Footer))
	}
	data, err := readAt(r, size-tailBytes-length, length)
	if err != nil {
		return nil, inputFailed(name, "footer", err)
	}
	return data, nil
}

// readAt reads exactly n bytes.
func readAt(r io.ReaderAt, offset, n int64) ([]byte, error) {
	data := make([]byte, n)
	return data, fullAt(r, data, offset)
}

// errInput marks that the store failed, not the part.
var errInput = errors.New("read failed")

// fullAt fills data from offset. Any error but errInput says that the part has
// become shorter.
func fullAt(r io.ReaderAt, data []byte, offset int64) error {
	n, err := r.ReadAt(data, offset)
	if n == len(data) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("found %d of %d bytes at byte %d: the part has become shorter", n, len(data), offset)
	}
	return fmt.Errorf("%w at byte %d: %w", errInput, offset, err)
}

// inputFailed gives an error of reading its kind and its place.
func inputFailed(name, where string, err error) error {
	if errors.Is(err, errInput) {
		return fmt.Errorf("part %s: %s: %w", name, where, err)
	}
	return damaged(name, "%s: %v", where, err)
}

// checkRows compares the rows of the footer with those of its row groups.
func (f *File) checkRows() error {
	total := int64(0)
	for i, g := range f.groups {
		if g.rows < 0 || g.rows > f.rows-total {
			return damaged(f.name, "row group %d has %d rows, which does not fit the %d rows of the footer", i, g.rows, f.rows)
		}
		total += g.rows
	}
	if total != f.rows {
		return damaged(f.name, "found %d rows in the row groups, expected the %d of the footer", total, f.rows)
	}
	if f.limits.Rows > 0 && f.rows > f.limits.Rows {
		return damaged(f.name, "found %d rows, more than the limit of %d", f.rows, f.limits.Rows)
	}
	return nil
}

// checkChunks checks that every row group has a chunk for each of the columns,
// that lies inside the part and, for flat columns, has the group's rows and type.
func (f *File) checkChunks(columns int) error {
	for i, g := range f.groups {
		if len(g.chunks) != columns {
			return damaged(f.name, "row group %d has %d column chunks, expected %d as in the schema", i, len(g.chunks), columns)
		}
		for j, c := range g.chunks {
			if c.offset < 0 || c.size < 0 || c.offset > f.size || c.size > f.size-c.offset {
				return damaged(f.name, "row group %d: column %d lies at bytes %d to %d, expected inside the %d bytes of the part",
					i, j, c.offset, c.offset+c.size, f.size)
			}
		}
	}
	for name, l := range f.leaves {
		if err := f.checkLeaf(l); err != nil {
			return damaged(f.name, "column %q: %v", name, err)
		}
	}
	return nil
}

func (f *File) checkLeaf(l leaf) error {
	for i, g := range f.groups {
		c := g.chunks[l.chunk]
		if c.values != g.rows {
			return fmt.Errorf("row group %d: found %d values, expected the group's %d rows", i, c.values, g.rows)
		}
		if c.physical != l.physical {
			return fmt.Errorf("row group %d: found values of type %s, expected %s as in the schema", i, c.physical, l.physical)
		}
	}
	return nil
}

// Rows counts the rows of the part.
func (f *File) Rows() int64 { return f.rows }

// GroupRows gives the rows of each row group.
func (f *File) GroupRows() []int64 {
	rows := make([]int64, len(f.groups))
	for i, g := range f.groups {
		rows[i] = g.rows
	}
	return rows
}

// Schema gives the columns that can be read, in the order of the part. A text
// column is a String here, though its batches may be dictionaries; see Reader.Next.
func (f *File) Schema() *arrow.Schema { return f.schema }

// Unreadable says why a column of the part cannot be read, or gives "" when it
// can or is not there.
func (f *File) Unreadable(name string) string { return f.unreadable[name] }

// column gives a readable column, or ErrSchema.
func (f *File) column(name string) (leaf, error) {
	if l, ok := f.leaves[name]; ok {
		return l, nil
	}
	if why := f.unreadable[name]; why != "" {
		return leaf{}, fmt.Errorf("%w: part %s: column %q: %s", ErrSchema, f.name, name, why)
	}
	return leaf{}, fmt.Errorf("%w: part %s has no column %q; it has %s", ErrSchema, f.name, name, f.someColumns())
}

// someColumns names the first columns, for an error text.
func (f *File) someColumns() string {
	const enough = 10
	var names []string
	for _, field := range f.schema.Fields() {
		names = append(names, field.Name)
	}
	if len(names) > enough {
		return fmt.Sprintf("%q and %d more", slices.Clip(names[:enough]), len(names)-enough)
	}
	return fmt.Sprintf("%q", names)
}

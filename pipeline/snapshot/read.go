package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// ErrSchema says that a column is missing, of a type that cannot be used, or of
// different types in different parts.
var ErrSchema = errors.New("snapshot schema")

// Schema gives the named columns as the first part has them, in that order, or
// every column when none is named. Check tells whether the other parts agree.
func (f *Files) Schema(columns ...string) *arrow.Schema {
	first := f.files[0].Schema()
	if len(columns) == 0 {
		return first
	}
	var fields []arrow.Field
	for _, c := range columns {
		if field, ok := first.FieldsByName(c); ok {
			fields = append(fields, field[0])
		}
	}
	return arrow.NewSchema(fields, nil)
}

// Type gives the type of a column in the first part, if it has the column.
func (f *Files) Type(column string) (arrow.DataType, bool) {
	fields, ok := f.Schema().FieldsByName(column)
	if !ok {
		return nil, false
	}
	return fields[0].Type, true
}

// Has says whether the first part has a column of that name, readable or not.
func (f *Files) Has(column string) bool {
	_, readable := f.Type(column)
	return readable || f.files[0].Unreadable(column) != ""
}

// Nulls counts the nulls of a column by the statistics in the footers, which need
// not be there and are not checked against the pages.
func (f *Files) Nulls(column string) (nulls int64, known bool) {
	for _, file := range f.files {
		leaf, ok := file.leaves[column]
		if !ok {
			return 0, false
		}
		for _, g := range file.groups {
			n := g.chunks[leaf.chunk].nulls
			if !leaf.optional {
				n = 0
			}
			if n < 0 || n > g.rows {
				return 0, false
			}
			nulls += n
		}
	}
	return nulls, true
}

// SameKind says whether two id columns can name the same users: both hold
// integers or both hold text.
func SameKind(a, b arrow.DataType) bool {
	return arrow.IsInteger(a.ID()) == arrow.IsInteger(b.ID())
}

// Check returns ErrSchema with every fault of the wanted columns: missing in a
// part, not readable, or not of one type in all parts.
func (f *Files) Check(columns []string) error {
	var faults []error
	for _, c := range columns {
		if err := f.checkColumn(c); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func (f *Files) checkColumn(column string) error {
	var first arrow.DataType
	for i, file := range f.files {
		field, ok := file.Schema().FieldsByName(column)
		switch {
		case !ok && file.Unreadable(column) != "":
			return fmt.Errorf("%w: part %s: column %q: %s", ErrSchema, f.Parts[i].Name, column, file.Unreadable(column))
		case !ok:
			return fmt.Errorf("%w: part %s has no column %q", ErrSchema, f.Parts[i].Name, column)
		case first == nil:
			first = field[0].Type
		case !arrow.TypeEqual(first, field[0].Type):
			return fmt.Errorf("%w: column %q is %s in part %s and %s in part %s; every part must have the same type",
				ErrSchema, column, first, f.Parts[0].Name, field[0].Type, f.Parts[i].Name)
		}
	}
	return nil
}

// Batch is rows of one part that follow one another. Its memory is the
// reader's and holds until the next call of Next.
type Batch struct {
	Record  arrow.RecordBatch
	First   int64  // number of its first row in the snapshot
	Part    string // name of the part
	PartRow int64  // number of its first row in the part
}

// SplitReader reads the wanted columns of one split, batch by batch, in order.
// It belongs to one goroutine.
type SplitReader struct {
	files   *Files
	ranges  []Range
	columns []string
	batch   Batch
	open    *Reader
}

// Split starts reading the wanted columns of a split; the columns of a batch are
// in the order asked for.
func (f *Files) Split(s Split, columns []string) *SplitReader {
	return &SplitReader{files: f, ranges: s.Ranges, columns: columns, batch: Batch{First: s.First}}
}

// Next gives the next batch, or io.EOF at the end of the split.
func (r *SplitReader) Next(ctx context.Context) (Batch, error) {
	if r.batch.Record != nil {
		rows := r.batch.Record.NumRows()
		r.batch.First += rows
		r.batch.PartRow += rows
		r.batch.Record = nil
	}
	for {
		if r.open == nil {
			if err := r.nextRange(ctx); err != nil {
				return Batch{}, err
			}
		}
		record, err := r.open.Next()
		if err == nil {
			r.batch.Record = record
			return r.batch, nil
		}
		if !errors.Is(err, io.EOF) {
			return Batch{}, err
		}
		if err := r.Close(); err != nil {
			return Batch{}, err
		}
	}
}

func (r *SplitReader) nextRange(ctx context.Context) error {
	if len(r.ranges) == 0 {
		return io.EOF
	}
	next := r.ranges[0]
	r.ranges = r.ranges[1:]
	r.batch.Part, r.batch.PartRow = r.files.Parts[next.Part].Name, next.Row
	var err error
	r.open, err = r.files.files[next.Part].Read(ctx, next.Group, next.Groups, r.columns)
	return err
}

// Close frees the reader; it may be called at any time and more than once.
func (r *SplitReader) Close() error {
	if r.open == nil {
		return nil
	}
	err := r.open.Close()
	r.open = nil
	return err
}

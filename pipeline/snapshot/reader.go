package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// BatchRows is the most rows that a batch has. A batch never reaches over the end
// of a row group.
const BatchRows = 16384

// Reader decodes the wanted columns of consecutive row groups of one part. It
// belongs to one goroutine and starts none.
type Reader struct {
	ctx     context.Context
	file    *File
	columns []*column
	group   int // next to open
	end     int // behind the last
	left    int64
	piece   *piece // of the open row group, or nil
	arrays  []arrow.Array
	schema  *arrow.Schema
	batch   arrow.RecordBatch
	err     error
}

// Read starts reading columns, which may be none, of row groups firstGroup and the
// following. A column that is missing or cannot be read is ErrSchema.
func (f *File) Read(ctx context.Context, firstGroup, groups int, columns []string) (*Reader, error) {
	if firstGroup < 0 || groups < 0 || groups > len(f.groups)-firstGroup {
		return nil, fmt.Errorf("part %s: row groups %d to %d asked for, of %d", f.name, firstGroup, firstGroup+groups, len(f.groups))
	}
	r := &Reader{ctx: ctx, file: f, group: firstGroup, end: firstGroup + groups, arrays: make([]arrow.Array, len(columns))}
	for _, name := range columns {
		l, err := f.column(name)
		if err != nil {
			return nil, err
		}
		r.columns = append(r.columns, columnOf(l, f.input, f.limits))
	}
	return r, nil
}

// Next gives the next batch, or io.EOF at the end, when every column had exactly
// the rows that the footer promised. The batch's columns are those asked for, in
// that order; its memory is the Reader's and holds until Next or Close is called.
//
// A text column is an *array.String or, where the part stores it with a dictionary
// of at most BatchRows texts, an *array.Dictionary of int32 indices; it may change
// from batch to batch. All batches of one row group share the data of one dictionary,
// whose memory is not reused: who retains it may keep it. Any error ends the Reader.
func (r *Reader) Next() (arrow.RecordBatch, error) {
	r.release()
	if r.err == nil {
		r.err = r.decode()
		if r.piece != nil && errors.Is(r.err, ErrDamaged) {
			r.err = cmp.Or(r.piece.part.right(r.ctx), r.err) // other bytes say nothing of the part
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.batch, nil
}

// Close ends the Reader; its last batch must not be used any more.
func (r *Reader) Close() error {
	r.release()
	if r.err == nil {
		r.err = errClosed
	}
	r.dropPiece()
	if errors.Is(r.err, io.EOF) {
		recycle(r.columns)
	}
	r.columns = nil
	return nil
}

// takePiece takes the piece of row group g, if there is one and nobody had it.
func (r *Reader) takePiece(g int) error {
	r.dropPiece()
	if r.file.pieces == nil {
		return nil
	}
	p := r.file.pieces[g]
	mine, err := p.take(r.ctx)
	if mine {
		r.piece = p
	}
	return err
}

func (r *Reader) dropPiece() {
	if r.piece != nil {
		r.piece.release()
		r.piece = nil
	}
}

var errClosed = errors.New("reader is closed")

func (r *Reader) release() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

// decode makes the next batch.
func (r *Reader) decode() error {
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("part %s: %w", r.file.name, err)
	}
	for r.left == 0 {
		if r.group == r.end {
			return io.EOF
		}
		if err := r.openGroup(); err != nil {
			return err
		}
	}
	n := int(min(r.left, BatchRows))
	if err := r.eachColumn(func(i int) error { return r.read(i, n) }); err != nil {
		return err
	}
	r.left -= int64(n)
	r.makeBatch(n)
	return r.finishGroup()
}

func (r *Reader) openGroup() error {
	if err := r.takePiece(r.group); err != nil {
		return err
	}
	g := r.file.groups[r.group]
	r.group++
	r.left = g.rows
	if err := r.eachColumn(func(i int) error { return r.columns[i].open(g, r.file.size, r.piece) }); err != nil {
		return err
	}
	return r.finishGroup()
}

// finishGroup checks, when all rows of a row group are read, that it has no more.
func (r *Reader) finishGroup() error {
	if r.left > 0 {
		return nil
	}
	return r.eachColumn(func(i int) error {
		if r.columns[i].pages.surplus() {
			return errors.New("found more rows than the footer says")
		}
		return nil
	})
}

// eachColumn does something with every column and says where it failed.
func (r *Reader) eachColumn(do func(i int) error) error {
	for i, c := range r.columns {
		if err := guarded(func() error { return do(i) }); err != nil {
			return r.failed(c, err)
		}
	}
	return nil
}

// guarded turns a panic of a decoder into an error.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("found bytes that cannot be decoded: %v", p)
		}
	}()
	return do()
}

func (r *Reader) read(i, n int) (err error) {
	r.arrays[i], err = r.columns[i].read(n)
	return err
}

// failed names the place of an error and gives it its kind.
func (r *Reader) failed(c *column, err error) error {
	where := fmt.Sprintf("row group %d: column %q", r.group-1, c.leaf.name)
	if errors.Is(err, ErrSchema) {
		return fmt.Errorf("part %s: %s: %w", r.file.name, where, err)
	}
	return inputFailed(r.file.name, where, err)
}

// makeBatch puts the columns' arrays together. The schema is made anew only when a
// text column has changed between plain and dictionary.
func (r *Reader) makeBatch(n int) {
	changed := r.schema == nil
	fields := make([]arrow.Field, len(r.arrays))
	for i, a := range r.arrays {
		fields[i] = r.columns[i].leaf.field(a.DataType())
		changed = changed || r.schema.Field(i).Type != a.DataType()
	}
	if changed {
		r.schema = arrow.NewSchema(fields, nil)
	}
	r.batch = array.NewRecordBatch(r.schema, r.arrays, int64(n))
	for _, a := range r.arrays {
		a.Release()
	}
}

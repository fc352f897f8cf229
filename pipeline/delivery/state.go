package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// standing is the state of one user in one audience, or in its control arm, after a
// delivery. Place tells which file of the delivery spoke of it, so that the standing
// before holds where that file was never put.
type standing struct {
	key
	Now    Standing
	Before Standing
	Place  int64 // -1 where no file spoke of the user
}

// key names one standing. Keys are ordered by the hash of the id, the id, the
// audience, the members before the control arm.
type key struct {
	Hash     uint64 // xxh3 of the id
	ID       string
	Audience string
	Control  bool
}

// compare orders keys.
func (k key) compare(o key) int {
	switch {
	case k.Hash != o.Hash:
		return order(k.Hash < o.Hash)
	case k.ID != o.ID:
		return order(k.ID < o.ID)
	case k.Audience != o.Audience:
		return order(k.Audience < o.Audience)
	case k.Control != o.Control:
		return order(o.Control)
	}
	return 0
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// stateSchema is that of a state file. Its rows are in the order of keys.
var stateSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.BinaryTypes.String},
	{Name: "audience", Type: arrow.BinaryTypes.String},
	{Name: "control", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "place", Type: arrow.PrimitiveTypes.Int64},
	{Name: "in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "left", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "payload", Type: arrow.PrimitiveTypes.Int64},
	{Name: "identity", Type: arrow.BinaryTypes.String},
	{Name: "before_in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "before_last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "before_left", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "before_resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_payload", Type: arrow.PrimitiveTypes.Int64},
	{Name: "before_identity", Type: arrow.BinaryTypes.String},
}, nil)

// standingColumns is how many columns a Standing takes.
const standingColumns = 7

// stateWriter writes standings, in the order of keys, to immutable files.
type stateWriter struct{ *tableWriter }

func newStateWriter(ctx context.Context, b *objstore.Bucket, prefix string) stateWriter {
	return stateWriter{newTableWriter(ctx, b, prefix+"bucket", stateSchema)}
}

// add writes one standing.
func (w stateWriter) add(s standing) error {
	w.text(0, s.ID)
	w.text(1, s.Audience)
	w.flag(2, s.Control)
	w.rows.Field(3).(*array.Int64Builder).Append(s.Place)
	for i, v := range []Standing{s.Now, s.Before} {
		at := 4 + standingColumns*i
		w.flag(at, v.In)
		w.rows.Field(at + 1).(*array.Int32Builder).Append(int32(v.Day))
		w.day(at+2, v.Last)
		w.day(at+3, v.Left)
		w.flag(at+4, v.Resting)
		w.rows.Field(at + 5).(*array.Int64Builder).Append(int64(v.Payload))
		w.text(at+6, v.Identity)
	}
	return w.endRow()
}

// day writes a date, or null for none.
func (w stateWriter) day(column int, v date.Date) {
	b := w.rows.Field(column).(*array.Date32Builder)
	if v.IsZero() {
		b.AppendNull()
	} else {
		b.Append(arrow.Date32(v.Days()))
	}
}

// stateReader reads the standings after a delivery, in the order of keys.
type stateReader struct {
	ctx    context.Context
	files  *snapshot.Files
	splits []snapshot.Split
	open   *snapshot.SplitReader
	batch  arrow.RecordBatch
	row    int
	last   key
	lost   func(standing) bool // whether the file that spoke of it was never put
}

// openState opens the state after delivery i; lost says which standings are as
// they were before it. Without i there are none.
func (b *builder) openState(ctx context.Context, i *Intent, lost func(standing) bool) (*stateReader, error) {
	r := &stateReader{ctx: ctx, lost: lost}
	if i == nil {
		return r, nil
	}
	var found []objstore.Attrs
	for _, f := range i.State {
		attrs, err := b.published.Stat(ctx, f.Key)
		if err != nil {
			return nil, err
		}
		found = append(found, attrs)
	}
	if len(found) == 0 {
		return r, nil
	}
	var err error
	if r.files, err = snapshot.Open(ctx, snapshot.PinFiles(b.published, found), snapshot.VerifyRead, b.Temp, snapshot.DefaultLimits()); err != nil {
		return nil, err
	}
	r.splits = snapshot.Cut(r.files.Parts, tableFileRows)
	return r, nil
}

// next gives the next standing, or io.EOF.
func (r *stateReader) next() (standing, error) {
	for r.batch == nil || r.row == int(r.batch.NumRows()) {
		if err := r.nextBatch(); err != nil {
			return standing{}, err
		}
	}
	s, err := readStanding(r.batch, r.row)
	r.row++
	if err == nil && r.last.ID != "" && r.last.compare(s.key) >= 0 {
		err = fmt.Errorf("%w: the state of the delivery before is not in order", ErrLog)
	}
	r.last = s.key
	if err == nil && r.lost(s) {
		s.Now = s.Before
	}
	return s, err
}

func (r *stateReader) nextBatch() error {
	for {
		if r.open == nil {
			if len(r.splits) == 0 {
				return io.EOF
			}
			r.open, r.splits = r.files.Split(r.splits[0], names(stateSchema)), r.splits[1:]
		}
		batch, err := r.open.Next(r.ctx)
		if err == nil {
			r.batch, r.row = batch.Record, 0
			return nil
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
		if err := r.open.Close(); err != nil {
			return err
		}
		r.open = nil
	}
}

func (r *stateReader) close() error {
	var err error
	if r.open != nil {
		err = r.open.Close()
	}
	if r.files != nil {
		err = errors.Join(err, r.files.Close())
	}
	return err
}

func names(s *arrow.Schema) []string {
	var all []string
	for _, f := range s.Fields() {
		all = append(all, f.Name)
	}
	return all
}

// readStanding reads one row of a state file.
func readStanding(b arrow.RecordBatch, row int) (s standing, err error) {
	c := cells{b, row, nil}
	s.key = newKey(c.text(0), c.text(1), c.flag(2))
	s.Place = c.int(3)
	for i, v := range []*Standing{&s.Now, &s.Before} {
		at := 4 + standingColumns*i
		v.In, v.Day, v.Last, v.Left = c.flag(at), int(c.int(at+1)), c.date(at+2), c.date(at+3)
		v.Resting, v.Payload, v.Identity = c.flag(at+4), uint64(c.int(at+5)), c.text(at+6)
	}
	return s, c.err
}

// cells reads values of one row; the first that has another type is the error.
type cells struct {
	batch arrow.RecordBatch
	row   int
	err   error
}

func (c *cells) bad(i int) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: the state's column %q is %s", ErrLog, stateSchema.Field(i).Name, c.batch.Column(i).DataType())
	}
}

// text gives a text that outlives the batch, whose memory the reader uses again; that
// of dictionaries it does not.
func (c *cells) text(i int) string {
	switch a := c.batch.Column(i).(type) {
	case array.StringLike:
		return strings.Clone(a.Value(c.row))
	case *array.Dictionary:
		if words, ok := a.Dictionary().(array.StringLike); ok {
			return words.Value(a.GetValueIndex(c.row))
		}
	}
	c.bad(i)
	return ""
}

func (c *cells) flag(i int) bool {
	if a, ok := c.batch.Column(i).(*array.Boolean); ok {
		return a.Value(c.row)
	}
	c.bad(i)
	return false
}

func (c *cells) int(i int) int64 {
	switch a := c.batch.Column(i).(type) {
	case *array.Int64:
		return a.Value(c.row)
	case *array.Int32:
		return int64(a.Value(c.row))
	}
	c.bad(i)
	return 0
}

func (c *cells) date(i int) date.Date {
	a, ok := c.batch.Column(i).(*array.Date32)
	if !ok {
		c.bad(i)
	}
	if !ok || a.IsNull(c.row) {
		return date.Date{}
	}
	return date.FromDays(int32(a.Value(c.row)))
}

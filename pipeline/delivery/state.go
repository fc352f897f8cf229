package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// standing is the state of one user in one audience, or in its control arm, after a
// delivery. Place tells which file of the delivery spoke of it, so that the standing
// before holds where that file was never put.
type standing struct {
	key
	Identity string // what the tool knows the user by, as a JSON object; "" where it is the id alone
	Now      Standing
	Before   Standing
	Place    int64 // -1 where no file spoke of the user
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
	{Name: "identity", Type: arrow.BinaryTypes.String},
	{Name: "place", Type: arrow.PrimitiveTypes.Int64},
	{Name: "in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "payload", Type: arrow.PrimitiveTypes.Int64},
	{Name: "before_in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "before_last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "before_resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_payload", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// stateBatch and stateFileRows are how many rows are written at once and to a file.
const (
	stateBatch    = 16 << 10
	stateFileRows = 1 << 20
)

// stateWriter writes standings, in the order of keys, to immutable files.
type stateWriter struct {
	ctx    context.Context
	bucket *objstore.Bucket
	prefix string // of the keys of its files
	rows   *array.RecordBuilder
	n      int // rows in the batch
	open   *stateFile
	files  []publish.File
}

type stateFile struct {
	key     string
	out     *objstore.Writer
	encoder audience.Encoder
}

func newStateWriter(ctx context.Context, b *objstore.Bucket, prefix string) *stateWriter {
	return &stateWriter{ctx: ctx, bucket: b, prefix: prefix, rows: array.NewRecordBuilder(memory.DefaultAllocator, stateSchema)}
}

// add writes one standing.
func (w *stateWriter) add(s standing) error {
	text := func(i int, v string) { w.rows.Field(i).(*array.StringBuilder).Append(v) }
	flag := func(i int, v bool) { w.rows.Field(i).(*array.BooleanBuilder).Append(v) }
	text(0, s.ID)
	text(1, s.Audience)
	flag(2, s.Control)
	text(3, s.Identity)
	w.rows.Field(4).(*array.Int64Builder).Append(s.Place)
	for i, v := range []Standing{s.Now, s.Before} {
		at := 5 + 5*i
		flag(at, v.In)
		w.rows.Field(at + 1).(*array.Int32Builder).Append(int32(v.Day))
		if v.Last.IsZero() {
			w.rows.Field(at + 2).AppendNull()
		} else {
			w.rows.Field(at + 2).(*array.Date32Builder).Append(arrow.Date32(v.Last.Days()))
		}
		flag(at+3, v.Resting)
		w.rows.Field(at + 4).(*array.Int64Builder).Append(int64(v.Payload))
	}
	if w.n++; w.n == stateBatch {
		return w.flush()
	}
	return nil
}

func (w *stateWriter) flush() error {
	if w.n == 0 {
		return nil
	}
	batch := w.rows.NewRecordBatch()
	defer batch.Release()
	if w.open == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	rows := make([]int32, w.n)
	for i := range rows {
		rows[i] = int32(i)
	}
	w.n = 0
	if err := w.open.encoder.Write(&audience.Block{Batch: batch}, rows); err != nil {
		return err
	}
	if w.open.encoder.Rows() >= stateFileRows {
		return w.end()
	}
	return nil
}

func (w *stateWriter) begin() (err error) {
	f := &stateFile{key: fmt.Sprintf("%sbucket-%05d.parquet", w.prefix, len(w.files))}
	if f.out, err = w.bucket.Create(w.ctx, f.key); err != nil {
		return err
	}
	w.open = f
	var l audience.Layout
	for _, field := range stateSchema.Fields() {
		l.Columns = append(l.Columns, audience.Column{Name: field.Name, Source: audience.FromColumn, Column: field.Name})
	}
	f.encoder, err = audience.NewParquet(f.out, l, stateSchema, audience.ParquetOptions{Compression: "zstd"})
	return err
}

func (w *stateWriter) end() error {
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
		Key: f.key, Format: "parquet", Rows: f.encoder.Rows(), Bytes: written.Size, SHA256: written.SHA256, CRC32C: publish.Checksum(written.CRC32C),
	})
	return err
}

// close writes the rest and gives the files.
func (w *stateWriter) close() ([]publish.File, error) {
	err := w.flush()
	if err == nil {
		err = w.end()
	}
	return w.files, err
}

// abort drops the file that is not finished.
func (w *stateWriter) abort() {
	if w.open != nil && w.open.out != nil {
		w.open.out.Abort()
	}
	w.rows.Release()
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
	r.splits = snapshot.Cut(r.files.Parts, stateFileRows)
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
	s.Identity, s.Place = c.text(3), c.int(4)
	for i, v := range []*Standing{&s.Now, &s.Before} {
		at := 5 + 5*i
		v.In, v.Day, v.Last, v.Resting, v.Payload = c.flag(at), int(c.int(at+1)), c.date(at+2), c.flag(at+3), uint64(c.int(at+4))
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

func (c *cells) text(i int) string {
	switch a := c.batch.Column(i).(type) {
	case array.StringLike:
		return a.Value(c.row)
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

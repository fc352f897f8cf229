package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// stateReader reads the standings after a delivery, in the order of keys.
type stateReader struct {
	ctx     context.Context
	files   *snapshot.Files
	splits  []snapshot.Split
	open    *snapshot.SplitReader
	columns []string
	rows    stateBatch
	row     int                 // the one at hand
	last    key                 // of the batch before
	lost    func(standing) bool // whether the file that spoke of it was never put; nil for none
	names   map[string]string   // audiences that were read, by themselves
	bits, n int                 // leading ones that all hashes have, and what number they are
}

// stateBatch is a batch of a state. It holds until the next one.
type stateBatch struct {
	arrow.RecordBatch
	n          int
	ids        identity.IDs
	hashes     []uint64 // of the ids
	control    *array.Boolean
	in         *array.Boolean
	day        []int32
	last, left *array.Date32
	resting    *array.Boolean
	payload    []int64
	audience   textView
	identity   textView
}

// textView gives the texts of a column, "" for null.
type textView struct {
	column arrow.Array
	codes  []int32 // of a dictionary
	words  []string
	plain  array.StringLike
}

func viewTexts(column arrow.Array) (v textView, ok bool) {
	v.column = column
	switch a := column.(type) {
	case array.StringLike:
		v.plain = a
		return v, true
	case *array.Dictionary:
		codes, coded := a.Indices().(*array.Int32)
		words, worded := a.Dictionary().(array.StringLike)
		if !coded || !worded {
			return v, false
		}
		v.codes = codes.Values()
		for i := range words.Len() {
			v.words = append(v.words, words.Value(i))
		}
		return v, true
	}
	return v, false
}

func (v *textView) at(row int) string {
	switch {
	case v.column.NullN() > 0 && v.column.IsNull(row):
		return ""
	case v.plain != nil:
		return v.plain.Value(row)
	}
	return v.words[v.codes[row]]
}

// openState opens the state after delivery i; lost says which standings are as
// they were before it, nil for none. Without i there are none.
func (b *builder) openState(ctx context.Context, i *Intent, lost func(standing) bool) (*stateReader, error) {
	r := &stateReader{ctx: ctx, lost: lost, names: map[string]string{}, columns: names(stateSchema)}
	if lost == nil {
		r.columns = r.columns[:columnPlace]
	}
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

// next gives the next standing, or io.EOF. It holds for as long as it is wanted: its
// texts are no part of the batch.
func (r *stateReader) next() (standing, error) {
	if there, err := r.more(); err != nil {
		return standing{}, err
	} else if !there {
		return standing{}, io.EOF
	}
	s, err := r.rows.standing(r.row)
	r.row++
	r.own(&s)
	if err == nil && r.lost != nil && r.lost(s) {
		s.Now = s.Before
	}
	return s, err
}

// more says whether there is a row at hand.
func (r *stateReader) more() (bool, error) {
	for r.row == r.rows.n {
		err := r.nextBatch()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// compareUser orders the user at hand and another one.
func (r *stateReader) compareUser(hash uint64, id []byte) int {
	if h := r.rows.hashes[r.row]; h != hash {
		return order(h < hash)
	}
	return bytes.Compare(r.rows.ids.At(r.row), id)
}

// alone says for certain that no other row is of the user at hand.
func (r *stateReader) alone() bool {
	next := r.row + 1
	return next < r.rows.n && r.rows.hashes[next] != r.rows.hashes[r.row]
}

// own copies the texts of a standing, which are the batch's.
func (r *stateReader) own(s *standing) {
	name, known := r.names[s.Audience]
	if !known {
		name = strings.Clone(s.Audience)
		r.names[name] = name
	}
	s.Audience = name
	same := s.Now.Identity == s.Before.Identity
	s.Now.Identity = strings.Clone(s.Now.Identity)
	if same {
		s.Before.Identity = s.Now.Identity
	} else {
		s.Before.Identity = strings.Clone(s.Before.Identity)
	}
}

func (r *stateReader) nextBatch() error {
	for {
		if r.open == nil {
			if len(r.splits) == 0 {
				return io.EOF
			}
			r.open, r.splits = r.files.Split(r.splits[0], r.columns), r.splits[1:]
		}
		if err := r.keepLast(); err != nil {
			return err
		}
		batch, err := r.open.Next(r.ctx)
		if err == nil {
			r.row = 0
			return r.load(batch.Record)
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

// keepLast keeps the last key of the batch, and lets go of the batch.
func (r *stateReader) keepLast() error {
	if r.rows.n == 0 {
		return nil
	}
	s, err := r.rows.standing(r.rows.n - 1)
	r.own(&s)
	r.last, r.rows.n, r.row = s.key, 0, 0
	return err
}

// load takes a batch, whose rows must follow those before in the order of keys.
func (r *stateReader) load(batch arrow.RecordBatch) error {
	b := &r.rows
	b.RecordBatch = batch
	if err := errors.Join(b.ids.Load(batch.Column(0)), b.check()); err != nil {
		return err
	}
	b.n = b.ids.Len()
	b.hashes = b.hashes[:0]
	for i := range b.n {
		b.hashes = append(b.hashes, xxh3.Hash(b.ids.At(i)))
	}
	for i := range b.hashes {
		if ordered, err := r.follows(i); err != nil {
			return err
		} else if !ordered || len(b.ids.At(i)) == 0 || bucketOf(b.hashes[i], r.bits) != r.n {
			return fmt.Errorf("%w: the state of the delivery before is not in order", ErrLog)
		}
	}
	return nil
}

// follows says whether a row of the batch comes after the one before it.
func (r *stateReader) follows(row int) (bool, error) {
	b := &r.rows
	if row > 0 && b.hashes[row-1] < b.hashes[row] {
		return true, nil
	}
	s, err := b.standing(row)
	if err != nil || row == 0 {
		return r.last.ID == "" || r.last.compare(s.key) < 0, err
	}
	before, err := b.standing(row - 1)
	return before.compare(s.key) < 0, err
}

// check takes the columns whose values are looked at without making a Standing.
func (b *stateBatch) check() error {
	column := func(i int) arrow.Array { return b.Column(columnNow + i) }
	var ok [9]bool // from control to identity
	var day *array.Int32
	var payload *array.Int64
	b.control, ok[0] = b.Column(2).(*array.Boolean)
	b.in, ok[1] = column(0).(*array.Boolean)
	day, ok[2] = column(1).(*array.Int32)
	b.last, ok[3] = column(2).(*array.Date32)
	b.left, ok[4] = column(3).(*array.Date32)
	b.resting, ok[5] = column(4).(*array.Boolean)
	payload, ok[6] = column(5).(*array.Int64)
	b.identity, ok[7] = viewTexts(column(6))
	b.audience, ok[8] = viewTexts(b.Column(1))
	for i, ok := range ok {
		if !ok {
			return (&cells{batch: b}).bad((2 + i) % columnPlace)
		}
	}
	b.day, b.payload = day.Values(), payload.Values()
	return nil
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

// standing reads one row. Its texts but the id are the batch's; Before is empty where
// it was not read.
func (b *stateBatch) standing(row int) (s standing, err error) {
	c := cells{b.RecordBatch, row, nil}
	s.key = key{b.hashes[row], string(b.ids.At(row)), c.text(1), c.flag(2)}
	s.Now = c.standing(columnNow)
	s.Now.Identity = c.text(columnPlace - 1)
	if int(b.NumCols()) == columnPlace {
		return s, c.err
	}
	s.Place, s.Before = c.int(columnPlace), c.standing(columnBefore)
	payload, last := b.Column(columnBefore+5), stateSchema.NumFields()-1
	if payload.IsNull(row) {
		s.Before.Payload = s.Now.Payload
	}
	s.Before.Identity = s.Now.Identity
	if !b.Column(last).IsNull(row) {
		s.Before.Identity = c.text(last)
	}
	return s, c.err
}

// outline reads that of one row.
func (b *stateBatch) outline(row int) outline {
	days := func(column *array.Date32) arrow.Date32 {
		if column.IsNull(row) {
			return never
		}
		return column.Value(row)
	}
	return outline{b.in.Value(row), b.day[row], days(b.last), days(b.left), b.resting.Value(row)}
}

// cells reads values of one row; the first that has another type is the error.
type cells struct {
	batch arrow.RecordBatch
	row   int
	err   error
}

func (c *cells) bad(i int) error {
	if c.err == nil {
		c.err = fmt.Errorf("%w: the state's column %q is %s", ErrLog, stateSchema.Field(i).Name, c.batch.Column(i).DataType())
	}
	return c.err
}

// standing reads what standingColumns hold.
func (c *cells) standing(at int) Standing {
	return Standing{
		In: c.flag(at), Day: int(c.int(at + 1)), Last: c.date(at + 2), Left: c.date(at + 3),
		Resting: c.flag(at + 4), Payload: uint64(c.int(at + 5)),
	}
}

// text gives "" for null.
func (c *cells) text(i int) string {
	column := c.batch.Column(i)
	if column.IsNull(c.row) {
		return ""
	}
	switch a := column.(type) {
	case array.StringLike:
		return a.Value(c.row)
	case *array.Dictionary:
		if words, ok := a.Dictionary().(array.StringLike); ok {
			return words.Value(a.GetValueIndex(c.row))
		}
	}
	_ = c.bad(i)
	return ""
}

func (c *cells) flag(i int) bool {
	if a, ok := c.batch.Column(i).(*array.Boolean); ok {
		return a.Value(c.row)
	}
	_ = c.bad(i)
	return false
}

func (c *cells) int(i int) int64 {
	switch a := c.batch.Column(i).(type) {
	case *array.Int64:
		return a.Value(c.row)
	case *array.Int32:
		return int64(a.Value(c.row))
	}
	_ = c.bad(i)
	return 0
}

func (c *cells) date(i int) date.Date {
	a, ok := c.batch.Column(i).(*array.Date32)
	if !ok {
		_ = c.bad(i)
	}
	if !ok || a.IsNull(c.row) {
		return date.Date{}
	}
	return date.FromDays(int32(a.Value(c.row)))
}

package delivery

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/identity"
)

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
	nulls  int
	codes  []int32 // of a dictionary
	words  []string
	plain  array.StringLike
}

func viewTexts(column arrow.Array) (v textView, ok bool) {
	v.column, v.nulls = column, column.NullN()
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
	case v.nulls > 0 && (v.nulls == v.column.Len() || v.column.IsNull(row)):
		return ""
	case v.plain != nil:
		return v.plain.Value(row)
	}
	return v.words[v.codes[row]]
}

// check takes the columns whose values are looked at without making a Standing.
func (b *stateBatch) check() error {
	column := func(i int) arrow.Array { return b.Column(columnNow + i) }
	var ok [9]bool // from audience to identity
	var day *array.Int32
	var payload *array.Int64
	b.audience, ok[0] = viewTexts(b.Column(1))
	b.control, ok[1] = b.Column(2).(*array.Boolean)
	b.in, ok[2] = column(0).(*array.Boolean)
	day, ok[3] = column(1).(*array.Int32)
	b.last, ok[4] = column(2).(*array.Date32)
	b.left, ok[5] = column(3).(*array.Date32)
	b.resting, ok[6] = column(4).(*array.Boolean)
	payload, ok[7] = column(5).(*array.Int64)
	b.identity, ok[8] = viewTexts(column(6))
	for i, ok := range ok {
		if !ok {
			return (&cells{batch: b}).bad(1 + i)
		}
	}
	b.day, b.payload = day.Values(), payload.Values()
	return nil
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

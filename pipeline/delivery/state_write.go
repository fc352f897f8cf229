package delivery

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// stateWriter writes standings, in the order of keys, to immutable files: one a
// bucket, which is a range of hashes by their leading bits.
type stateWriter struct {
	*tableWriter
	bits int // leading ones of a hash that are the number of its bucket
	rows stateColumns
}

// stateRow is one row of a state. Its texts stay the caller's.
type stateRow struct {
	hash                     uint64
	id                       []byte
	audience                 int32 // as stateColumns.audiences numbers it
	control                  bool
	place                    int64
	outlines                 outlines
	payload, payloadBefore   uint64
	identity, identityBefore []byte
}

// outlines are what a standing and the one before have in common with those of nearly
// everyone else.
type outlines struct{ now, before outline }

type outline struct {
	in         bool
	day        int32
	last, left arrow.Date32 // or never
	resting    bool
}

const never = arrow.Date32(math.MinInt32)

func outlineOf(s Standing) outline {
	days := func(d date.Date) arrow.Date32 {
		if d.IsZero() {
			return never
		}
		return arrow.Date32(d.Days())
	}
	return outline{s.In, int32(s.Day), days(s.Last), days(s.Left), s.Resting}
}

func newStateWriter(ctx context.Context, b *objstore.Bucket, prefix string) *stateWriter {
	return &stateWriter{tableWriter: newTableWriter(ctx, b, prefix+"bucket", stateSchema)}
}

// bucketOf gives the number that leading bits of a hash are.
func bucketOf(hash uint64, bits int) int { return int(hash >> 1 >> (63 - bits)) }

// add writes one standing.
func (w *stateWriter) add(s standing) error {
	return w.put(&stateRow{
		hash: s.Hash, id: []byte(s.ID), audience: w.rows.audiences.code(s.Audience), control: s.Control, place: s.Place,
		outlines: outlines{outlineOf(s.Now), outlineOf(s.Before)},
		payload:  s.Now.Payload, payloadBefore: s.Before.Payload,
		identity: []byte(s.Now.Identity), identityBefore: []byte(s.Before.Identity),
	})
}

// put writes one row, in the file of its bucket.
func (w *stateWriter) put(r *stateRow) error {
	if err := w.openBucket(bucketOf(r.hash, w.bits)); err != nil {
		return err
	}
	w.rows.add(r)
	return nil
}

// openBucket ends the files of the buckets before one, and opens its own.
func (w *stateWriter) openBucket(bucket int) error {
	if w.open != nil && w.number == bucket+1 {
		if w.rows.n == tableBatch {
			return w.flush()
		}
		return nil
	}
	for w.number <= bucket {
		if err := w.endBucket(); err != nil {
			return err
		}
		if err := w.begin(); err != nil {
			return err
		}
	}
	return nil
}

func (w *stateWriter) endBucket() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.end()
}

func (w *stateWriter) flush() error {
	if w.rows.n == 0 {
		return nil
	}
	err := w.write(w.rows.arrays(), w.rows.n)
	w.rows.empty()
	return err
}

// close writes the rest and gives the files.
func (w *stateWriter) close() ([]publish.File, error) {
	err := w.endBucket()
	return w.files, err
}

// stateColumns are rows of a state as they will be written. What is mostly null is
// filled up to a row when it has a value; outlines are added when they change.
type stateColumns struct {
	n                             int
	ids, identity, identityBefore textColumn
	audiences                     wordColumn
	control                       flagColumn
	place, payload, payloadBefore numberColumn[int64]
	now, before                   outlineColumns
	outlines                      outlines
	outlined                      int // rows whose outlines were added
}

func (c *stateColumns) add(r *stateRow) {
	if r.outlines != c.outlines {
		c.outline()
		c.outlines = r.outlines
	}
	c.ids.add(r.id)
	c.audiences.rows.add(r.audience)
	c.control.add(r.control)
	c.place.add(r.place)
	c.payload.add(int64(r.payload))
	if r.payloadBefore != r.payload {
		c.payloadBefore.fill(c.n)
		c.payloadBefore.add(int64(r.payloadBefore))
	}
	if len(r.identity) > 0 {
		c.identity.fill(c.n)
		c.identity.add(r.identity)
	}
	if string(r.identityBefore) != string(r.identity) {
		c.identityBefore.fill(c.n)
		c.identityBefore.add(r.identityBefore)
	}
	c.n++
}

// outline adds the outlines of the rows that have them in common.
func (c *stateColumns) outline() {
	c.now.add(c.outlines.now, c.n-c.outlined)
	c.before.add(c.outlines.before, c.n-c.outlined)
	c.outlined = c.n
}

// arrays gives the columns of stateSchema.
func (c *stateColumns) arrays() []arrow.Array {
	c.outline()
	c.payloadBefore.fill(c.n)
	c.identity.fill(c.n)
	c.identityBefore.fill(c.n)
	whole := arrow.PrimitiveTypes.Int64
	all := append([]arrow.Array{c.ids.array(), c.audiences.array(), c.control.array()}, c.now.arrays()...)
	all = append(all, c.payload.array(whole), c.identity.array(), c.place.array(whole))
	all = append(all, c.before.arrays()...)
	return append(all, c.payloadBefore.array(whole), c.identityBefore.array())
}

func (c *stateColumns) empty() {
	c.n, c.outlined = 0, 0
	c.ids.empty()
	c.identity.empty()
	c.identityBefore.empty()
	c.audiences.rows.empty()
	c.control.empty()
	c.place.empty()
	c.payload.empty()
	c.payloadBefore.empty()
	c.now.empty()
	c.before.empty()
}

// outlineColumns are those of an outline, in the order of stateSchema.
type outlineColumns struct {
	in, resting flagColumn
	day         numberColumn[int32]
	last, left  numberColumn[arrow.Date32]
}

// add adds an outline n times.
func (c *outlineColumns) add(o outline, n int) {
	c.in.addAll(o.in, n)
	c.day.addAll(o.day, n)
	for _, column := range []struct {
		*numberColumn[arrow.Date32]
		day arrow.Date32
	}{{&c.last, o.last}, {&c.left, o.left}} {
		if column.day == never {
			column.fill(column.n() + n)
		} else {
			column.addAll(column.day, n)
		}
	}
	c.resting.addAll(o.resting, n)
}

func (c *outlineColumns) arrays() []arrow.Array {
	days := arrow.FixedWidthTypes.Date32
	return []arrow.Array{c.in.array(), c.day.array(arrow.PrimitiveTypes.Int32), c.last.array(days), c.left.array(days), c.resting.array()}
}

func (c *outlineColumns) empty() {
	c.in.empty()
	c.day.empty()
	c.last.empty()
	c.left.empty()
	c.resting.empty()
}

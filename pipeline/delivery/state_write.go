package delivery

import (
	"context"

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

// stateColumns are rows of a state as they will be written.
type stateColumns struct {
	ids            textColumn
	audiences      wordColumn
	control        flagColumn
	now            standingColumns
	identity       textColumn
	place          numberColumn[int64]
	before         standingColumns
	identityBefore textColumn

	stayed int // rows at the end of which not all is written: see settle
	date   arrow.Date32
}

// standingColumns are those of a Standing that both have, now and before.
type standingColumns struct {
	in         flagColumn
	day        numberColumn[int32]
	last, left numberColumn[arrow.Date32]
	resting    flagColumn
	payload    numberColumn[int64]
}

func newStateWriter(ctx context.Context, b *objstore.Bucket, prefix string) *stateWriter {
	return &stateWriter{tableWriter: newTableWriter(ctx, b, prefix+"bucket", stateSchema)}
}

// bucketOf gives the number that leading bits of a hash are.
func bucketOf(hash uint64, bits int) int { return int(hash >> 1 >> (63 - bits)) }

// add writes one standing.
func (w *stateWriter) add(s standing) error {
	c := &w.rows
	if err := w.row(s.Hash, s.ID, c.audiences.code(s.Audience), s.Control, s.Place); err != nil {
		return err
	}
	c.settle()
	c.now.add(s.Now, false)
	c.identity.add(s.Now.Identity, s.Now.Identity != "")
	c.before.add(s.Before, s.Before.Payload == s.Now.Payload)
	c.identityBefore.add(s.Before.Identity, s.Before.Identity != s.Now.Identity)
	return nil
}

// stay writes the standing of a member, or of one in a control arm, who stayed without
// a cadence; at is the row of before.
func (w *stateWriter) stay(row *selected, audience int32, control bool, d date.Date, before *stateBatch, at int) error {
	c := &w.rows
	if err := w.row(row.hash, row.id, audience, control, row.place); err != nil {
		return err
	}
	c.now.payload.add(int64(row.payload))
	c.identity.add(row.identity, row.identity != "")
	c.before.day.add(before.day[at])
	c.before.last.addValid(before.last.Value(at), before.last.IsValid(at))
	c.before.left.addValid(before.left.Value(at), before.left.IsValid(at))
	c.before.resting.add(before.resting.Value(at))
	c.before.payload.addValid(before.payload[at], before.payload[at] != int64(row.payload))
	c.stayed, c.date = c.stayed+1, arrow.Date32(d.Days())
	return nil
}

// settle writes what is the same of everyone who stayed since it was called last.
func (c *stateColumns) settle() {
	n := c.stayed
	c.stayed = 0
	c.now.in.addAll(true, n)
	c.now.day.addAll(0, true, n)
	c.now.last.addAll(c.date, true, n)
	c.now.left.addAll(0, false, n)
	c.now.resting.addAll(false, n)
	c.before.in.addAll(true, n)
	c.identityBefore.addNulls(n)
}

// row begins a row, in the file of its bucket.
func (w *stateWriter) row(hash uint64, id string, audience int32, control bool, place int64) error {
	if err := w.openBucket(bucketOf(hash, w.bits)); err != nil {
		return err
	}
	c := &w.rows
	c.ids.add(id, true)
	c.audiences.rows.add(audience)
	c.control.add(control)
	c.place.add(place)
	return nil
}

// openBucket ends the files of the buckets before one, and opens its own.
func (w *stateWriter) openBucket(bucket int) error {
	if w.open != nil && w.number == bucket+1 {
		if w.rows.control.n == tableBatch {
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
	c := &w.rows
	if c.control.n == 0 {
		return nil
	}
	c.settle()
	columns := append([]arrow.Array{c.ids.array(), c.audiences.array(), c.control.array()}, c.now.arrays()...)
	columns = append(columns, c.identity.array(), c.place.array(arrow.PrimitiveTypes.Int64))
	columns = append(columns, c.before.arrays()...)
	err := w.write(append(columns, c.identityBefore.array()), c.control.n)
	c.ids.empty()
	c.audiences.rows.empty()
	c.control.empty()
	c.now.empty()
	c.identity.empty()
	c.place.empty()
	c.before.empty()
	c.identityBefore.empty()
	return err
}

// close writes the rest and gives the files.
func (w *stateWriter) close() ([]publish.File, error) {
	err := w.endBucket()
	return w.files, err
}

// add adds a standing; of one whose payload is the same as another's it is null.
func (c *standingColumns) add(v Standing, same bool) {
	c.in.add(v.In)
	c.day.add(int32(v.Day))
	c.last.addValid(arrow.Date32(v.Last.Days()), !v.Last.IsZero())
	c.left.addValid(arrow.Date32(v.Left.Days()), !v.Left.IsZero())
	c.resting.add(v.Resting)
	c.payload.addValid(int64(v.Payload), !same)
}

func (c *standingColumns) arrays() []arrow.Array {
	days := arrow.FixedWidthTypes.Date32
	return []arrow.Array{
		c.in.array(), c.day.array(arrow.PrimitiveTypes.Int32), c.last.array(days), c.left.array(days),
		c.resting.array(), c.payload.array(arrow.PrimitiveTypes.Int64),
	}
}

func (c *standingColumns) empty() {
	c.in.empty()
	c.day.empty()
	c.last.empty()
	c.left.empty()
	c.resting.empty()
	c.payload.empty()
}

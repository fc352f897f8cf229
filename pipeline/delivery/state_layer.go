package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// stateLayer reads the rows of one layer of a state, in the order of keys.
type stateLayer struct {
	ctx     context.Context
	files   *snapshot.Files
	splits  []snapshot.Split
	open    *snapshot.SplitReader
	columns []string
	rows    stateBatch
	row     int               // the one at hand
	last    key               // of the batch before
	names   map[string]string // audiences that were read, by themselves
	bits, n int               // leading ones that all hashes have, and what number they are
	until   date.Date         // of the state's delivery, which says nothing new of these rows; zero in the newest layer
}

// more says whether there is a row at hand.
func (l *stateLayer) more() (bool, error) {
	for l.row == l.rows.n {
		err := l.nextBatch()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// hash is that of the id at hand.
func (l *stateLayer) hash() uint64 { return l.rows.hashes[l.row] }

// id is the one at hand, as long as its batch is.
func (l *stateLayer) id() []byte { return l.rows.ids.At(l.row) }

// payload is that of the standing at hand.
func (l *stateLayer) payload() uint64 { return uint64(l.rows.payload[l.row]) }

// compare orders the rows at hand of two layers by their keys.
func (l *stateLayer) compare(o *stateLayer) (int, error) {
	if l.hash() != o.hash() {
		return order(l.hash() < o.hash()), nil
	}
	a, err := l.rows.standing(l.row)
	b, err2 := o.rows.standing(o.row)
	return a.compare(b.key), errors.Join(err, err2)
}

// standing gives the one at hand. It holds for as long as it is wanted: its texts are
// no part of the batch. Of a layer that is not the newest it says how things are since:
// members were delivered again each time, and no file spoke of anyone.
func (l *stateLayer) standing() (standing, error) {
	s, err := l.rows.standing(l.row)
	if !l.until.IsZero() {
		if s.Now.In {
			s.Now.Last = l.until
		}
		s.Before, s.Place = s.Now, -1
	}
	l.own(&s)
	return s, err
}

// outline gives that of the standing at hand.
func (l *stateLayer) outline() outline {
	o := l.rows.outline(l.row)
	if o.in && !l.until.IsZero() {
		o.last = arrow.Date32(l.until.Days())
	}
	return o
}

// ends says whether the row at hand only says that an older layer's does not hold any
// more, which nobody needs to know on a date.
func (l *stateLayer) ends(d date.Date) bool {
	if l.until.IsZero() || l.rows.in.Value(l.row) || l.rows.day[l.row] != 0 {
		return false
	}
	return l.outline().last != arrow.Date32(d.Days())
}

// own copies the texts of a standing, which are the batch's.
func (l *stateLayer) own(s *standing) {
	name, known := l.names[s.Audience]
	if !known {
		name = strings.Clone(s.Audience)
		l.names[name] = name
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

func (l *stateLayer) nextBatch() error {
	for {
		if l.open == nil {
			if len(l.splits) == 0 {
				return io.EOF
			}
			l.open, l.splits = l.files.Split(l.splits[0], l.columns), l.splits[1:]
		}
		if err := l.keepLast(); err != nil {
			return err
		}
		batch, err := l.open.Next(l.ctx)
		if err == nil {
			l.row = 0
			return l.load(batch.Record)
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
		if err := l.open.Close(); err != nil {
			return err
		}
		l.open = nil
	}
}

// keepLast keeps the last key of the batch, and lets go of the batch.
func (l *stateLayer) keepLast() error {
	if l.rows.n == 0 {
		return nil
	}
	s, err := l.rows.standing(l.rows.n - 1)
	l.own(&s)
	l.last, l.rows.n, l.row = s.key, 0, 0
	return err
}

// load takes a batch, whose rows must follow those before in the order of keys.
func (l *stateLayer) load(batch arrow.RecordBatch) error {
	b := &l.rows
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
		if ordered, err := l.follows(i); err != nil {
			return err
		} else if !ordered || len(b.ids.At(i)) == 0 || bucketOf(b.hashes[i], l.bits) != l.n {
			return fmt.Errorf("%w: the state of the delivery before is not in order", ErrLog)
		}
	}
	return nil
}

// follows says whether a row of the batch comes after the one before it.
func (l *stateLayer) follows(row int) (bool, error) {
	b := &l.rows
	if row > 0 && b.hashes[row-1] < b.hashes[row] {
		return true, nil
	}
	s, err := b.standing(row)
	if err != nil || row == 0 {
		return l.last.ID == "" || l.last.compare(s.key) < 0, err
	}
	before, err := b.standing(row - 1)
	return before.compare(s.key) < 0, err
}

func (l *stateLayer) close() error {
	var err error
	if l.open != nil {
		err = l.open.Close()
	}
	return errors.Join(err, l.files.Close())
}

func names(s *arrow.Schema) []string {
	var all []string
	for _, f := range s.Fields() {
		all = append(all, f.Name)
	}
	return all
}

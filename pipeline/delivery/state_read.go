package delivery

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// stateReader reads the standings after a delivery, in the order of keys: each as the
// newest layer has it that has it at all.
type stateReader struct {
	layers []*stateLayer       // the oldest first
	lost   func(standing) bool // whether the file that spoke of it was never put; nil for none
	date   date.Date           // of the delivery that reads
	top    *stateLayer         // has the standing at hand; nil where that is to be found
	limit  uint64              // no other layer has a row of a lesser hash left
}

// openState opens the state after delivery i; lost says which standings are as
// they were before it, nil for none. Without i there are none.
func (b *builder) openState(ctx context.Context, i *Intent, lost func(standing) bool) (r *stateReader, err error) {
	r = &stateReader{lost: lost, date: b.target.Date}
	if i == nil {
		return r, nil
	}
	for n := range i.layers() {
		l, err := b.openLayer(ctx, i, n)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		if l == nil {
			continue
		}
		l.columns = names(stateSchema)
		if lost == nil {
			l.columns = l.columns[:columnPlace]
		}
		r.layers = append(r.layers, l)
	}
	return r, nil
}

// openLayer opens layer n of the state after i, nil where it has no file.
func (b *builder) openLayer(ctx context.Context, i *Intent, n int) (*stateLayer, error) {
	var found []objstore.Attrs
	for at := n; at < len(i.State); at += i.layers() {
		attrs, err := b.published.Stat(ctx, i.State[at].Key)
		if err != nil {
			return nil, err
		}
		found = append(found, attrs)
	}
	if len(found) == 0 {
		return nil, nil
	}
	files, err := snapshot.Open(ctx, snapshot.PinFiles(b.published, found), snapshot.VerifyRead, b.Temp, snapshot.DefaultLimits())
	if err != nil {
		return nil, err
	}
	l := &stateLayer{ctx: ctx, names: map[string]string{}, files: files, splits: snapshot.Cut(files.Parts, tableFileRows)}
	if n < i.layers()-1 {
		l.until = i.Date
	}
	return l, nil
}

// within says that all hashes have so many leading bits, and what number these are.
func (r *stateReader) within(bits, n int) {
	for _, l := range r.layers {
		l.bits, l.n = bits, n
	}
}

// next gives the next standing, or io.EOF. It holds for as long as it is wanted.
func (r *stateReader) next() (standing, error) {
	if there, err := r.more(); err != nil {
		return standing{}, err
	} else if !there {
		return standing{}, io.EOF
	}
	s, err := r.top.standing()
	r.skip()
	if err == nil && r.lost != nil && r.lost(s) {
		s.Now = s.Before
	}
	return s, err
}

// more says whether there is a standing at hand.
func (r *stateReader) more() (bool, error) {
	for r.top == nil {
		top, err := r.least()
		if top == nil || err != nil {
			return false, err
		}
		if top.ends(r.date) {
			top.row++
			continue
		}
		r.top = top
	}
	return true, nil
}

// skip goes on to the next standing.
func (r *stateReader) skip() {
	l := r.top
	l.row++
	if l.row == l.rows.n || l.hash() >= r.limit || l.ends(r.date) {
		r.top = nil
	}
}

// least gives the layer whose row has the least key, nil where there is none left. The
// rows of older layers with the same key are passed over.
func (r *stateReader) least() (top *stateLayer, err error) {
	for _, l := range r.layers {
		there, err := l.more()
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		c := 1
		if top != nil {
			if c, err = top.compare(l); err != nil {
				return nil, err
			}
		}
		if c == 0 {
			top.row++
		}
		if c >= 0 {
			top = l
		}
	}
	r.limit = math.MaxUint64
	for _, l := range r.layers {
		if l == top {
			continue
		}
		if there, err := l.more(); err != nil {
			return nil, err
		} else if there {
			r.limit = min(r.limit, l.hash())
		}
	}
	return top, nil
}

// compareUser orders the user at hand and another one.
func (r *stateReader) compareUser(hash uint64, id []byte) int {
	if h := r.top.hash(); h != hash {
		return order(h < hash)
	}
	return bytes.Compare(r.top.id(), id)
}

// alone says for certain that no other row is of the user at hand.
func (r *stateReader) alone() bool {
	l := r.top
	next := l.row + 1
	return next < l.rows.n && l.rows.hashes[next] != l.hash() && r.limit != l.hash()
}

func (r *stateReader) close() error {
	var errs []error
	for _, l := range r.layers {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/churntier/churntier/pipeline/objstore"
)

// arrival is a part on its way from a remote store to a nameless file, which is
// gone when it is closed, even after a crash. A read waits until the part is there,
// every byte of it checked, or gives the reason why it will not be. It may be read
// from several goroutines.
type arrival struct {
	bring func()        // lets it be fetched
	over  chan struct{} // closed when the fields below are set
	file  objstore.ReaderAtCloser
	err   error
}

// fetch brings the part into folder temp. It is called once.
func (a *arrival) fetch(ctx context.Context, b *objstore.Bucket, attrs objstore.Attrs, temp string) {
	defer close(a.over)
	a.file, a.err = spool(ctx, b, attrs, temp)
	a.err = asNotReady(a.err)
}

// ReadAt implements io.ReaderAt.
func (a *arrival) ReadAt(p []byte, offset int64) (int, error) {
	a.bring()
	<-a.over
	if a.err != nil {
		return 0, a.err
	}
	return a.file.ReadAt(p, offset)
}

// Close frees the file. The part has arrived or failed, or was never fetched.
func (a *arrival) Close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}

// early is a part whose footer is read before the part is there, by requests that
// no checksum covers. What they gave is held against the part before anything else
// of it is read.
type early struct {
	*arrival
	direct io.ReaderAt // nil once the footer is known
	seen   []passage
	held   sync.Once
	differ error
}

// passage is bytes of a part.
type passage struct {
	offset int64
	data   []byte
}

// footer gives the checksum of what was seen from an offset to the end.
func (e *early) footer(from int64) (sum objstore.Checksum) {
	slices.SortFunc(e.seen, func(p, q passage) int { return cmp.Compare(p.offset, q.offset) })
	for _, p := range e.seen {
		if p.offset == from+sum.Size {
			sum.Add(p.data)
		}
	}
	return sum
}

// openEarly fails wherever there is any doubt; then the part has to be waited for.
// So has one without rows, which nobody would wait for later.
func openEarly(direct io.ReaderAt, a *arrival, part *Part, lim Limits) (*File, error) {
	e := &early{arrival: a, direct: direct}
	f, err := OpenFile(e, part.Size, part.Name, lim)
	if err == nil && f.rows == 0 {
		err = errors.New("a part without rows is waited for at once")
	}
	e.direct = nil
	return f, err
}

// ReadAt implements io.ReaderAt.
func (e *early) ReadAt(p []byte, offset int64) (int, error) {
	if e.direct != nil {
		n, err := e.direct.ReadAt(p, offset)
		e.seen = append(e.seen, passage{offset, bytes.Clone(p[:n])})
		return n, err
	}
	e.held.Do(func() { e.differ = e.compare() })
	if e.differ != nil {
		return 0, e.differ
	}
	return e.arrival.ReadAt(p, offset)
}

func (e *early) compare() error {
	for _, p := range e.seen {
		arrived := make([]byte, len(p.data))
		if _, err := e.arrival.ReadAt(arrived, p.offset); err != nil {
			return err
		}
		if !bytes.Equal(arrived, p.data) {
			return fmt.Errorf("%w: the footer came with other bytes than the part", objstore.ErrChecksum)
		}
	}
	return nil
}

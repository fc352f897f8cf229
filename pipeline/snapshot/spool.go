package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/spill"
)

// Verify says how the bytes of the parts are checked.
type Verify string

// The ways to verify: every byte against its checksum, or only what is read.
const (
	VerifyWhole Verify = "whole"
	VerifyRead  Verify = "read"
)

// Files is a pinned snapshot with random access to its parts.
type Files struct {
	*Pinned
	limits   Limits
	files    []*File
	close    []io.Closer
	parts    []*inPieces        // nil where they are not read in pieces
	bring    func()             // begins to copy the parts that are not read in place, unless it has begun
	cancel   context.CancelFunc // of what is fetched
	fetching sync.WaitGroup
}

const (
	opensAtOnce  = 4 // footers read side by side
	spoolsAtOnce = 4 // parts downloaded side by side
)

// Open gives random access to the parts and reads their footers, which fills
// Rows and GroupRows of each. With VerifyWhole a part of a remote store is first
// copied to folder temp, every byte checked against the checksum of the store, or
// that of Sum; local parts are read in place. Open waits for the first part; of the
// others the footers are enough, and whoever reads more of one waits until the part
// is there and right.
func Open(ctx context.Context, p *Pinned, v Verify, temp string, lim Limits) (*Files, error) {
	f, fetching, arrivals := newFiles(ctx, p, v, temp, lim)
	f.bring()
	if err := f.open(ctx, fetching, arrivals, 1); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// OpenOnce is Open for who reads every row once. Parts of a remote store are not copied
// where their row groups are small: these are read as they come. What is read may
// belong to a part that turns out to be another than it should; Whole tells when it is
// known to be right. Who reads a row again waits for the copies.
func OpenOnce(ctx context.Context, p *Pinned, v Verify, temp string, lim Limits) (*Files, error) {
	f, fetching, arrivals := newFiles(ctx, p, v, temp, lim)
	err := f.open(ctx, fetching, arrivals, 0)
	if err == nil {
		err = f.cut(fetching)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// newFiles also gives the context of what is fetched, and the arrivals of the parts
// that are not read in place.
func newFiles(ctx context.Context, p *Pinned, v Verify, temp string, lim Limits) (*Files, context.Context, []*arrival) {
	f := &Files{Pinned: p, limits: lim, files: make([]*File, len(p.Parts)), close: make([]io.Closer, len(p.Parts))}
	fetching, cancel := context.WithCancel(ctx)
	f.cancel = cancel
	arrivals := make([]*arrival, len(p.Parts))
	f.bring = sync.OnceFunc(func() { f.fetch(fetching, arrivals, temp) })
	for i, part := range p.Parts {
		if v == VerifyWhole && part.attrs.HasCRC32C && !p.Source.Bucket.InPlace() {
			arrivals[i] = &arrival{bring: f.bring, over: make(chan struct{})}
			f.close[i] = arrivals[i]
		}
	}
	return f, fetching, arrivals
}

// fetch begins to bring the parts, the first ones first.
func (f *Files) fetch(ctx context.Context, arrivals []*arrival, temp string) {
	f.fetching.Go(func() {
		var g errgroup.Group
		g.SetLimit(spoolsAtOnce)
		for i, a := range arrivals {
			if a != nil {
				g.Go(func() error { a.fetch(ctx, f.Source.Bucket, f.Parts[i].attrs, temp); return nil })
			}
		}
		_ = g.Wait() // an arrival keeps its own error
	})
}

// open opens all parts and waits for the first ones, so many. Those that are read in
// place are read as long as fetching lasts.
func (f *Files) open(ctx, fetching context.Context, arrivals []*arrival, waitFor int) error {
	g, opening := errgroup.WithContext(ctx)
	g.SetLimit(opensAtOnce)
	for i, a := range arrivals {
		g.Go(func() (err error) {
			switch {
			case a == nil:
				err = f.openInPlace(fetching, i)
			case i < waitFor:
				err = f.openArrived(opening, i, a)
			default:
				err = f.openComing(opening, i, a)
			}
			if err == nil {
				part := &f.Parts[i]
				part.GroupRows, part.Rows = f.files[i].GroupRows(), f.files[i].Rows()
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if rows := f.Rows(); f.limits.Rows > 0 && rows > f.limits.Rows {
		return fmt.Errorf("%w: the snapshot has %d rows, more than the limit of %d", ErrDamaged, rows, f.limits.Rows)
	}
	return nil
}

func (f *Files) openInPlace(ctx context.Context, i int) error {
	part := f.Parts[i]
	r, err := f.Source.Bucket.OpenAt(ctx, part.attrs)
	if err != nil {
		return fmt.Errorf("part %s: %w", part.Name, asNotReady(err))
	}
	f.close[i] = r
	f.files[i], err = OpenFile(r, part.Size, part.Name, f.limits)
	return err
}

// openArrived waits for a part.
func (f *Files) openArrived(ctx context.Context, i int, a *arrival) (err error) {
	part := f.Parts[i]
	f.bring()
	select {
	case <-a.over:
	case <-ctx.Done():
		return ctx.Err()
	}
	if a.err != nil {
		return fmt.Errorf("part %s: %w", part.Name, a.err)
	}
	f.files[i], err = OpenFile(a, part.Size, part.Name, f.limits)
	return err
}

// openComing waits for a part only where its footer alone is not enough.
func (f *Files) openComing(ctx context.Context, i int, a *arrival) error {
	part := f.Parts[i]
	direct, err := f.Source.Bucket.OpenAt(ctx, part.attrs)
	if err != nil {
		return f.openArrived(ctx, i, a)
	}
	f.files[i], err = openEarly(direct, a, &part, f.limits)
	if err := errors.Join(err, direct.Close()); err != nil {
		return f.openArrived(ctx, i, a)
	}
	return nil
}

// asNotReady gives an error its kind where a part is not what it was.
func asNotReady(err error) error {
	if errors.Is(err, objstore.ErrChanged) || errors.Is(err, objstore.ErrNotExist) {
		return fmt.Errorf("%w: it changed since the run began: %w", ErrNotReady, err)
	}
	return err
}

// spool copies an object to a nameless file in folder temp, which is gone when
// it is closed, even after a crash.
func spool(ctx context.Context, b *objstore.Bucket, a objstore.Attrs, temp string) (_ objstore.ReaderAtCloser, err error) {
	in, err := b.Open(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := spill.Create(temp)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(io.NewOffsetWriter(out, 0), in); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// Close frees the parts, and fetches no more of them.
func (f *Files) Close() error {
	f.cancel()
	f.fetching.Wait()
	var errs []error
	for _, c := range f.close {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

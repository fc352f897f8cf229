package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"

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
	limits Limits
	files  []*File
	close  []io.Closer
}

// spoolsAtOnce bounds how many parts are downloaded side by side.
const spoolsAtOnce = 4

// Open gives random access to the parts and reads their footers, which fills
// Rows and GroupRows of each. With VerifyWhole a part of a remote store is first
// copied to folder temp, every byte checked against the checksum of the store, or
// that of Sum; local parts are read in place.
func Open(ctx context.Context, p *Pinned, v Verify, temp string, lim Limits) (*Files, error) {
	f := &Files{Pinned: p, limits: lim, files: make([]*File, len(p.Parts)), close: make([]io.Closer, len(p.Parts))}
	g, spooling := errgroup.WithContext(ctx)
	g.SetLimit(spoolsAtOnce)
	for i := range p.Parts {
		g.Go(func() error { return f.open(ctx, spooling, i, v, temp) })
	}
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if rows := f.Rows(); lim.Rows > 0 && rows > lim.Rows {
		return nil, errors.Join(fmt.Errorf("%w: the snapshot has %d rows, more than the limit of %d", ErrDamaged, rows, lim.Rows), f.Close())
	}
	return f, nil
}

// open opens part i. What is spooled is done with when the group is, and a part
// that is read in place goes on being read as long as ctx lasts.
func (f *Files) open(ctx, spooling context.Context, i int, v Verify, temp string) error {
	part := &f.Parts[i]
	r, err := f.access(ctx, spooling, part, v, temp)
	if errors.Is(err, objstore.ErrChanged) || errors.Is(err, objstore.ErrNotExist) {
		err = fmt.Errorf("%w: it changed since the run began: %w", ErrNotReady, err)
	}
	if err != nil {
		return fmt.Errorf("part %s: %w", part.Name, err)
	}
	f.close[i] = r
	if f.files[i], err = OpenFile(r, part.Size, part.Name, f.limits); err != nil {
		return err
	}
	part.GroupRows = f.files[i].GroupRows()
	part.Rows = f.files[i].Rows()
	return nil
}

func (f *Files) access(ctx, spooling context.Context, part *Part, v Verify, temp string) (objstore.ReaderAtCloser, error) {
	if v == VerifyWhole && part.attrs.HasCRC32C && !f.Source.Bucket.InPlace() {
		return spool(spooling, f.Source.Bucket, part.attrs, temp)
	}
	return f.Source.Bucket.OpenAt(ctx, part.attrs)
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

// Close frees the parts.
func (f *Files) Close() error {
	var errs []error
	for _, c := range f.close {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// OpenAt gives random access to the generation that a names, and to no other:
// where it is gone the error is ErrChanged, now or at a later read. Reads are
// not checked against the checksum. They end when ctx does; the caller closes.
func (b *Bucket) OpenAt(ctx context.Context, a Attrs) (ReaderAtCloser, error) {
	if err := CheckKey(b.prefix + a.Key); err != nil {
		return nil, b.failed("read", a.Key, err)
	}
	direct, ok := b.driver.(RandomAccess)
	if !ok {
		return &ranges{ctx: ctx, bucket: b, attrs: a}, nil
	}
	full := a
	full.Key = b.prefix + a.Key
	r, err := direct.OpenAt(ctx, full)
	if err != nil {
		return nil, b.failed("read", a.Key, err)
	}
	return r, nil
}

// InPlace says whether OpenAt reads the object where it lies, without requests.
func (b *Bucket) InPlace() bool {
	_, ok := b.driver.(RandomAccess)
	return ok
}

// ranges reads at any place by one request a range.
type ranges struct {
	ctx    context.Context
	bucket *Bucket
	attrs  Attrs
}

// ReadAt implements io.ReaderAt.
func (r *ranges) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, r.failed(fmt.Errorf("offset %d is negative", offset))
	}
	want := min(int64(len(p)), r.attrs.Size-offset)
	if want <= 0 {
		return 0, endOf(p)
	}
	n, err := r.fetch(p[:want], offset)
	if err != nil {
		return n, r.failed(err)
	}
	return n, endOf(p[n:])
}

// fetch fills p, which is not empty and lies within the object.
func (r *ranges) fetch(p []byte, offset int64) (int, error) {
	body, err := r.bucket.open(r.ctx, r.attrs, offset, int64(len(p)))
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %d bytes at %d, expected %d of an object of %d",
			ErrChecksum, n, offset, len(p), r.attrs.Size)
	}
	return n, closing(body, err)
}

func (r *ranges) failed(err error) error {
	return r.bucket.failed("read", r.attrs.Key, err)
}

// Close implements io.Closer; there is nothing to release.
func (r *ranges) Close() error { return nil }

// endOf is what ReadAt says when the object ends before unread is filled.
func endOf(unread []byte) error {
	if len(unread) == 0 {
		return nil
	}
	return io.EOF
}

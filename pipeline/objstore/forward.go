package objstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Forward reads an object whose index is at its end, in two or three requests and without
// keeping it: what is before the end comes in ascending order of offsets only. It is
// not safe for concurrent use; its owner owes it a call of Close.
type Forward struct {
	ctx    context.Context
	bucket *Bucket
	attrs  Attrs
	end    []byte        // the last bytes, at any place
	body   io.ReadCloser // the whole object; nil until something before the end is read
	at     int64         // place of the body
}

// OpenForward gives the generation that a names, and at least its last bytes, so
// many, at any place. What is read in one ReadAt up to these joins them, until the
// first one that reads from elsewhere.
func (b *Bucket) OpenForward(ctx context.Context, a Attrs, last int64) (*Forward, error) {
	f := &Forward{ctx: ctx, bucket: b, attrs: a}
	return f, f.extend(min(last, a.Size))
}

// extend makes the end so many bytes longer.
func (f *Forward) extend(by int64) error {
	r, err := f.bucket.OpenAt(f.ctx, f.attrs)
	if err != nil {
		return err
	}
	more := make([]byte, by, by+int64(len(f.end)))
	_, err = r.ReadAt(more, f.endsAt()-by)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	f.end = append(more, f.end...)
	return closing(r, err)
}

// endsAt is where the end begins.
func (f *Forward) endsAt() int64 { return f.attrs.Size - int64(len(f.end)) }

var errOrder = errors.New("bytes before the end of the object are read in order only")

// ReadAt implements io.ReaderAt. Nothing is known to be right before Verify says so.
func (f *Forward) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || offset > f.attrs.Size {
		return 0, fmt.Errorf("offset %d of an object of %d bytes", offset, f.attrs.Size)
	}
	if before := f.endsAt() - offset; f.body == nil && before > 0 && before <= int64(len(p)) {
		if err := f.extend(before); err != nil {
			return 0, err
		}
	}
	n := 0
	if before := min(f.endsAt()-offset, int64(len(p))); before > 0 {
		if err := f.read(p[:before], offset); err != nil {
			return 0, err
		}
		n = int(before)
	}
	if n < len(p) {
		n += copy(p[n:], f.end[offset+int64(n)-f.endsAt():])
	}
	return n, endOf(p[n:])
}

// read fills p from the body.
func (f *Forward) read(p []byte, offset int64) (err error) {
	if f.body == nil {
		if f.body, err = f.bucket.Open(f.ctx, f.attrs); err != nil {
			return err
		}
	}
	if offset < f.at {
		return fmt.Errorf("%w: byte %d after byte %d", errOrder, offset, f.at)
	}
	if err := f.skip(io.Discard, offset-f.at); err != nil {
		return err
	}
	n, err := io.ReadFull(f.body, p)
	f.at += int64(n)
	return err
}

func (f *Forward) skip(to io.Writer, bytes int64) error {
	n, err := io.CopyN(to, f.body, bytes)
	f.at += n
	return err
}

// Verify reads what was not read yet, and returns ErrChecksum unless all that ReadAt
// gave was of the object whose checksum the attributes say.
func (f *Forward) Verify() error {
	if err := f.read(nil, f.at); err != nil {
		return err
	}
	if err := f.skip(io.Discard, f.endsAt()-f.at); err != nil {
		return err
	}
	end := bytes.NewBuffer(make([]byte, 0, len(f.end)+1))
	if _, err := io.Copy(end, f.body); err != nil {
		return err
	}
	if !bytes.Equal(end.Bytes(), f.end) {
		return f.bucket.failed("read", f.attrs.Key, fmt.Errorf("%w: the end came with other bytes than the whole", ErrChecksum))
	}
	return nil
}

// Close implements io.Closer.
func (f *Forward) Close() error {
	if f.body == nil {
		return nil
	}
	return f.body.Close()
}

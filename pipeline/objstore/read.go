package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// replacedWhileRead is how often Read starts again when the object is replaced
// between looking it up and reading it.
const replacedWhileRead = 5

// Read gives a small object at once, with the attributes of exactly what was
// read. Over limit bytes it is ErrTooLarge, and nothing is read.
func (b *Bucket) Read(ctx context.Context, key string, limit int64) ([]byte, Attrs, error) {
	for again := replacedWhileRead; ; again-- {
		a, err := b.Stat(ctx, key)
		if err != nil {
			return nil, Attrs{}, err
		}
		if a.Size > limit {
			err := fmt.Errorf("%w: %d bytes, at most %d are expected", ErrTooLarge, a.Size, limit)
			return nil, Attrs{}, b.failed("read", key, err)
		}
		data, err := b.readAll(ctx, a)
		if errors.Is(err, ErrChanged) && again > 0 {
			continue
		}
		if err != nil {
			return nil, Attrs{}, err
		}
		return data, a, nil
	}
}

func (b *Bucket) readAll(ctx context.Context, a Attrs) ([]byte, error) {
	r, err := b.Open(ctx, a)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, closing(r, err)
}

// Open reads the whole of the generation that a names, and no other: where it
// is gone the error is ErrChanged. The reader returns ErrChecksum in place of
// io.EOF where the bytes do not have the size, or the checksum if there is
// one, that a says. The caller closes it.
func (b *Bucket) Open(ctx context.Context, a Attrs) (io.ReadCloser, error) {
	r, err := b.open(ctx, a, 0, -1)
	if err != nil {
		return nil, b.failed("read", a.Key, err)
	}
	return &verified{ReadCloser: r, bucket: b, attrs: a}, nil
}

// Checksum gives the CRC32C of the generation that a names: the store's own,
// or else computed by reading the object.
func (b *Bucket) Checksum(ctx context.Context, a Attrs) (uint32, error) {
	if a.HasCRC32C {
		return a.CRC32C, nil
	}
	r, err := b.open(ctx, a, 0, -1)
	if err != nil {
		return 0, b.failed("read", a.Key, err)
	}
	v := &verified{ReadCloser: r, bucket: b, attrs: a}
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, v, make([]byte, checksumBuffer))
	return v.sum.CRC32C, closing(v, err)
}

// checksumBuffer is how much is read at once; io.Discard by itself takes 8 KiB.
const checksumBuffer = 256 << 10

func (b *Bucket) open(ctx context.Context, a Attrs, offset, length int64) (io.ReadCloser, error) {
	if err := CheckKey(b.prefix + a.Key); err != nil {
		return nil, err
	}
	return b.driver.Open(ctx, b.prefix+a.Key, a.Generation, offset, length)
}

// closing closes c and gives err, or the failure to close where err is nil.
func closing(c io.Closer, err error) error {
	if failed := c.Close(); err == nil {
		return failed
	}
	return err
}

// verified passes on an object and says at its end whether it was that object.
type verified struct {
	io.ReadCloser
	bucket *Bucket
	attrs  Attrs
	sum    Checksum
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Add(p[:n])
	if v.sum.Size > v.attrs.Size || errors.Is(err, io.EOF) {
		if differs := v.sum.Check(v.expected()); differs != nil {
			err = differs
		}
	}
	if errors.Is(err, io.EOF) {
		return n, err
	}
	return n, v.bucket.failed("read", v.attrs.Key, err)
}

func (v *verified) expected() Checksum {
	want := Checksum{v.attrs.Size, v.attrs.CRC32C}
	if !v.attrs.HasCRC32C {
		want.CRC32C = v.sum.CRC32C
	}
	return want
}

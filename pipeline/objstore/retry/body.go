package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// body reads a range, and reads on where it broke off.
type body struct {
	ctx        context.Context
	driver     *Driver
	key        string
	generation string
	offset     int64
	left       int64 // negative: all the rest

	below io.ReadCloser // nil after it could not be opened again
	watch *watch
	fails uint // since something was read
}

// open begins to read at the offset.
func (b *body) open() error {
	w := watching(b.ctx, b.driver.patience.Silence)
	r, err := b.driver.below.Open(w.ctx, b.key, b.generation, b.offset, b.left)
	if err != nil {
		defer w.end()
		return w.explain(err)
	}
	w.rest()
	b.below, b.watch = r, w
	return nil
}

// Read implements io.Reader. The end is one only where nothing is left.
func (b *body) Read(p []byte) (int, error) {
	for b.below != nil {
		n, err := b.read(p)
		if n > 0 || err == nil || errors.Is(err, io.EOF) {
			return n, err
		}
		if err := b.resume(err); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("the reader has failed before")
}

// read reads once. A failure after some bytes shows at the next call.
func (b *body) read(p []byte) (int, error) {
	b.watch.wait()
	n, err := b.below.Read(p)
	b.watch.rest()
	b.offset += int64(n)
	if b.left >= 0 {
		b.left -= int64(n)
	}
	if errors.Is(err, io.EOF) && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if n > 0 {
		b.fails = 0
	}
	if n > 0 && !errors.Is(err, io.EOF) {
		return n, nil
	}
	return n, b.watch.explain(err)
}

// resume opens the rest of the same generation, or gives the failure that
// broke the body off.
func (b *body) resume(broken error) error {
	b.fails++
	if b.generation == "" || b.fails >= b.driver.patience.Tries || !b.driver.passing(b.ctx, broken) {
		return fmt.Errorf("broke off at byte %d: %w", b.offset, broken)
	}
	_ = b.Close()
	b.below = nil
	retries.Add(1)
	if err := b.driver.again(b.ctx, b.open); err != nil {
		return fmt.Errorf("broke off at byte %d: %w; to read on: %w", b.offset, broken, err)
	}
	return nil
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.watch.end()
	if b.below == nil {
		return nil
	}
	return b.below.Close()
}

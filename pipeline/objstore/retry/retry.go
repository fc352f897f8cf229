// Package retry gives every store the same patience: an operation that hears
// nothing for a time is given up, and one that is safe to repeat is tried again
// where the failure is of no kind of objstore.
//
// A listing is repeated as long as nothing of it was given away, the opening of
// an object always, a body that broke off goes on where it ended if the
// generation is known, and a delete is repeated if it names a generation. A
// write never is: its answer may be lost, and who reads back knows more. The
// client of a cloud repeats single requests itself; its tries count as one.
package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Patience says how long to wait and how often to try.
type Patience struct {
	Silence time.Duration // an operation that hears nothing for so long has failed; a write, twice as long
	Tries   uint
	Pause   time.Duration // before the second try, about; it grows
	Total   time.Duration // no try begins later than this after the first
}

var usual = Patience{Silence: time.Minute, Tries: 5, Pause: 500 * time.Millisecond, Total: time.Minute}

// retries counts for all drivers of the process.
var retries atomic.Int64

// Retries says how often an operation was tried again, or a body read on, since the
// process began.
func Retries() int64 { return retries.Load() }

// Driver is a patient driver. It is safe for concurrent use if the one below is.
type Driver struct {
	below    objstore.Driver
	patience Patience
}

// New wraps a driver of a cloud.
func New(below objstore.Driver) *Driver { return With(below, usual) }

// With is New with another patience.
func With(below objstore.Driver, p Patience) *Driver { return &Driver{below, p} }

// List implements objstore.Driver.
func (d *Driver) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	given := false
	return d.again(ctx, func() error {
		w := watching(ctx, d.patience.Silence)
		defer w.end()
		err := d.below.List(w.ctx, prefix, folders, func(a objstore.Attrs) error {
			given = true
			w.rest()
			defer w.wait()
			return yield(a)
		})
		if err = w.explain(err); err != nil && given {
			return backoff.Permanent(err)
		}
		return err
	})
}

// Open implements objstore.Driver.
func (d *Driver) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	b := &body{ctx: ctx, driver: d, key: key, generation: generation, offset: offset, left: length}
	if err := d.again(ctx, b.open); err != nil {
		return nil, err
	}
	return b, nil
}

// Put implements objstore.Driver.
func (d *Driver) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	w := watching(ctx, 2*d.patience.Silence)
	u, err := d.below.Put(w.ctx, key, cond)
	if err != nil {
		defer w.end()
		return nil, w.explain(err)
	}
	w.rest()
	return &upload{u, w}, nil
}

// Delete implements objstore.Driver. When an answer was lost and the object is
// gone, it was deleted.
func (d *Driver) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	again := d.again
	if cond.Generation() == "" {
		again = func(_ context.Context, try func() error) error { return try() }
	}
	failed := false
	return again(ctx, func() error {
		w := watching(ctx, d.patience.Silence)
		defer w.end()
		err := w.explain(d.below.Delete(w.ctx, key, cond))
		if failed && errors.Is(err, objstore.ErrNotExist) {
			return nil
		}
		failed = err != nil
		return err
	})
}

// again tries until it succeeds, or fails in a way that another try would not
// change, or patience ends.
func (d *Driver) again(ctx context.Context, try func() error) error {
	var failure error
	tries := uint(0)
	once := func() (struct{}, error) {
		if tries++; tries > 1 {
			retries.Add(1)
		}
		failure = try()
		if failure != nil && !d.passing(ctx, failure) {
			return struct{}{}, backoff.Permanent(failure)
		}
		return struct{}{}, failure
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = d.patience.Pause
	_, err := backoff.Retry(ctx, once, backoff.WithBackOff(pauses),
		backoff.WithMaxTries(d.patience.Tries), backoff.WithMaxElapsedTime(d.patience.Total))
	var final *backoff.PermanentError
	if errors.As(failure, &final) {
		failure = final.Unwrap()
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), failure)
	case tries > 1:
		return fmt.Errorf("%w (tried %d times)", failure, tries)
	}
	return failure
}

// passing says whether a failure may be another one, or none, the next time.
func (*Driver) passing(ctx context.Context, err error) bool {
	return ctx.Err() == nil && objstore.Kind(err) == nil
}

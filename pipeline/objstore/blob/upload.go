package blob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
)

// piece is how much of an object is sent in one request, and held in memory: an
// object up to this size is sent whole. S3 takes no smaller pieces, and 10,000
// of them at most.
const piece = 5 << 20

// writer is how one cloud writes objects. Whatever is sent has a checksum that
// the store checks before it keeps it.
type writer interface {
	// whole writes an object in one request.
	whole(ctx context.Context, key string, cond objstore.Condition, data []byte) (generation string, err error)
	// begin starts an object that is sent in pieces.
	begin(ctx context.Context, key string) (pieces, error)
	// once gives the writer that does not repeat whole, nor finish of its pieces.
	once() writer
}

// pieces is an object of which nobody sees anything until it is finished.
type pieces interface {
	add(ctx context.Context, data []byte) error
	// finish makes the object of all pieces visible, if cond holds.
	finish(ctx context.Context, cond objstore.Condition, sum objstore.Checksum) (generation string, err error)
	// abandon gives up what was sent.
	abandon(ctx context.Context)
}

// Put implements objstore.Driver. Nothing is sent before the object ends or
// grows large.
func (d *Driver) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &upload{ctx: ctx, driver: d, key: key, cond: cond}, nil
}

type upload struct {
	ctx    context.Context
	driver *Driver
	key    string
	cond   objstore.Condition
	held   []byte
	sent   pieces // nil while everything is held
	sum    objstore.Checksum
	ended  bool
}

var errEnded = errors.New("the upload has ended")

func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	written := 0
	for len(p) > 0 {
		if len(u.held) == piece {
			if err := u.send(); err != nil {
				return written, err
			}
		}
		n := min(len(p), piece-len(u.held))
		u.held = append(u.held, p[:n]...)
		u.sum.Add(p[:n])
		p, written = p[n:], written+n
	}
	return written, nil
}

// send sends what is held as the next piece.
func (u *upload) send() (err error) {
	if u.sent == nil {
		if u.sent, err = u.driver.uploads.begin(u.ctx, u.key); err != nil {
			return err
		}
	}
	err = u.sent.add(u.ctx, u.held)
	u.held = u.held[:0]
	return err
}

func (u *upload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	defer u.Abort()
	if err := u.usable(); err != nil {
		return objstore.Attrs{}, err
	}
	if err := u.sum.Check(sum); err != nil {
		return objstore.Attrs{}, err
	}
	generation, err := u.finish()
	if err != nil {
		return objstore.Attrs{}, err
	}
	u.ended = true
	return u.checked(generation)
}

func (u *upload) finish() (string, error) {
	if u.sent == nil {
		return u.driver.uploads.whole(u.ctx, u.key, u.cond, u.held)
	}
	if err := u.send(); err != nil {
		return "", err
	}
	return u.sent.finish(u.ctx, u.cond, u.sum)
}

// checked compares what the store has with what was sent, and removes it if it
// differs. Where the object was replaced or removed since, there is nothing to
// compare.
func (u *upload) checked(generation string) (objstore.Attrs, error) {
	own := objstore.Attrs{
		Key: u.key, Size: u.sum.Size, Generation: generation, CRC32C: u.sum.CRC32C, HasCRC32C: true,
	}
	there, err := u.driver.objects.head(u.ctx, u.key, generation)
	switch {
	case errors.Is(err, objstore.ErrPrecondition) || errors.Is(err, objstore.ErrNotExist):
		return own, nil
	case err != nil: // of no kind: the object is there
		return objstore.Attrs{}, errors.New("written, but not looked up: " + err.Error())
	case there.Generation != generation: // and the store ignored the condition
		return own, nil
	}
	own.Modified = there.Modified
	if there.Size == own.Size && (!there.HasCRC32C || there.CRC32C == own.CRC32C) {
		return own, nil
	}
	return objstore.Attrs{}, u.remove(own, there)
}

// remove deletes an object that is not what was sent.
func (u *upload) remove(own, there objstore.Attrs) error {
	err := fmt.Errorf("%w: the store has %d bytes of %d, crc32c %08x, sent were %08x",
		objstore.ErrChecksum, there.Size, own.Size, there.CRC32C, own.CRC32C)
	ctx, cancel := u.clearingUp()
	defer cancel()
	if failed := u.driver.objects.remove(ctx, u.key, own.Generation); failed != nil {
		err = fmt.Errorf("%w; it is still there: %w", err, failed)
	}
	return err
}

// Abort gives up what was sent, also after the context has ended.
func (u *upload) Abort() {
	if u.ended {
		return
	}
	u.ended, u.held = true, nil
	if u.sent != nil {
		ctx, cancel := u.clearingUp()
		defer cancel()
		u.sent.abandon(ctx)
	}
}

// clearTime bounds how long it may take to remove what was sent.
const clearTime = 10 * time.Second

func (u *upload) clearingUp() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(u.ctx), clearTime)
}

func (u *upload) usable() error {
	if u.ended {
		return errEnded
	}
	return u.ctx.Err()
}

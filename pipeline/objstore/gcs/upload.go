package gcs

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/storage"

	"github.com/churntier/churntier/pipeline/objstore"
)

const (
	// chunk is how much of a large object is sent in one request, and sent again when
	// that fails. What is not larger is held back, so that it is sent at once and with
	// its checksum, which the store then checks before it keeps it. An upload takes
	// up to twice this much memory: for what is on its way, and for what is to follow or
	// was held back.
	chunk = 8 << 20
	// blocksHeld is chunk in blocks.
	blocksHeld = chunk / len(block{}.data)
	// blocksWaiting is how many blocks a writer may be ahead of the store: the next
	// chunk, so that it goes on while one is on its way.
	blocksWaiting = blocksHeld
)

// Put implements objstore.Driver. Nothing is sent before the object ends or
// grows large.
func (d *Driver) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	object, err := d.under(key, cond)
	if err != nil {
		return nil, err
	}
	if d.once { // pieces are repeated still: their session makes one object, and ends
		object = object.Retryer(storage.WithPolicy(storage.RetryNever))
	}
	ctx, cancel := context.WithCancel(ctx)
	return &upload{ctx: ctx, cancel: cancel, driver: d, object: object, key: key}, nil
}

type upload struct {
	ctx    context.Context
	cancel context.CancelFunc
	driver *Driver
	object *storage.ObjectHandle
	key    string
	held   []*block        // all full but the last
	stream *storage.Writer // nil while everything is held
	behind *behind         // passes on to the stream of a large object; else nil
	sum    objstore.Checksum
	ended  bool
}

var errEnded = errors.New("the upload has ended")

func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	u.sum.Add(p)
	for rest := p; len(rest) > 0; {
		last := len(u.held) - 1
		if last < 0 || u.held[last].full() {
			if err := u.makeRoom(); err != nil {
				return 0, u.driver.kind(u.ctx, err)
			}
			u.held = append(u.held, newBlock())
			last = len(u.held) - 1
		}
		rest = u.held[last].take(rest)
	}
	return len(p), nil
}

// makeRoom passes on what is held, unless the object may yet be a small one.
func (u *upload) makeRoom() error {
	if u.stream == nil {
		if len(u.held) < blocksHeld {
			return nil
		}
		u.stream = u.begin()
		u.behind = newBehind(u.stream, blocksWaiting)
	}
	for _, b := range u.held {
		if err := u.behind.add(b); err != nil {
			return err
		}
	}
	clear(u.held) // they are the stream's
	u.held = u.held[:0]
	return nil
}

// begin opens a stream for a large object.
func (u *upload) begin() *storage.Writer {
	stream := u.object.NewWriter(u.ctx)
	stream.ContentType = "application/octet-stream"
	stream.ChunkSize = chunk
	return stream
}

func (u *upload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	defer u.Abort()
	if err := u.usable(); err != nil {
		return objstore.Attrs{}, err
	}
	if err := u.sum.Check(sum); err != nil {
		return objstore.Attrs{}, err
	}
	if err := u.finish(); err != nil {
		return objstore.Attrs{}, u.notFinished(err)
	}
	u.ended = true
	u.cancel()
	return u.checked(attrsOf(u.stream.Attrs()))
}

func (u *upload) finish() error {
	if u.behind == nil {
		return u.sendWhole()
	}
	if err := u.makeRoom(); err != nil {
		return err
	}
	if err := u.behind.finish(); err != nil {
		return err
	}
	return u.stream.Close()
}

// sendWhole sends an object that was held back, with its checksum.
func (u *upload) sendWhole() error {
	u.stream = u.begin()
	u.stream.ChunkSize = int(u.sum.Size) + 1 // with less than a chunk there is no session
	u.stream.CRC32C, u.stream.SendCRC32C = u.sum.CRC32C, true
	for _, b := range u.held {
		if err := b.pass(u.stream); err != nil {
			return err
		}
	}
	return u.stream.Close()
}

// notFinished gives the kind of a failed end. An object cannot be missing
// here: that answer means a session which has ended, perhaps with success.
func (u *upload) notFinished(err error) error {
	failed := u.driver.kind(u.ctx, err)
	if errors.Is(failed, objstore.ErrNotExist) {
		return err
	}
	return failed
}

// checked removes the object if the store has not kept what was sent.
func (u *upload) checked(a objstore.Attrs) (objstore.Attrs, error) {
	err := objstore.Checksum{Size: a.Size, CRC32C: a.CRC32C}.Check(u.sum)
	if err == nil {
		return a, nil
	}
	ctx := context.WithoutCancel(u.ctx)
	if failed := u.driver.Delete(ctx, u.key, objstore.IfGeneration(a.Generation)); failed != nil {
		err = fmt.Errorf("%w; it is still there: %w", err, failed)
	}
	return objstore.Attrs{}, err
}

// Abort gives up what was sent. The context is cancelled before the stream is
// closed, which would publish it otherwise.
func (u *upload) Abort() {
	if u.ended {
		return
	}
	u.ended = true
	u.cancel()
	if u.behind != nil {
		_ = u.behind.finish()
	}
	if u.stream != nil {
		_ = u.stream.Close()
	}
}

func (u *upload) usable() error {
	if u.ended {
		return errEnded
	}
	return u.ctx.Err()
}

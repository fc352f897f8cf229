package faulty

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing/iotest"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Open implements objstore.Driver.
func (s *store) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	f := s.meet(Open, key, offset)
	if f.told != nil {
		return nil, f.told
	}
	r, err := s.driver.Open(ctx, key, generation, offset, length)
	if err != nil || f.bytes == nil {
		return r, err
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	body := io.Reader(bytes.NewReader(f.bytes(data)))
	if f.end != nil {
		body = io.MultiReader(body, iotest.ErrReader(f.end))
	}
	return io.NopCloser(body), nil
}

// Put implements objstore.Driver.
func (s *store) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &upload{ctx: ctx, store: s, key: key, cond: cond}, nil
}

// upload is an object that the store has seen nothing of.
type upload struct {
	ctx   context.Context
	store *store
	key   string
	cond  objstore.Condition
	data  []byte
	ended bool
}

var errEnded = errors.New("the upload has ended")

func (u *upload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, errEnded
	}
	u.data = append(u.data, p...)
	return len(p), u.ctx.Err()
}

// Commit sends the whole object.
func (u *upload) Commit(sum objstore.Checksum) (a objstore.Attrs, err error) {
	if u.ended {
		return a, errEnded
	}
	u.ended = true
	f := u.store.meet(Put, u.key, 0)
	if f.bytes != nil {
		u.data = f.bytes(u.data)
	}
	if f.crash && !f.done {
		u.die()
	}
	err = u.store.process.run(f, func() error {
		a, err = u.send(f.outlive(u.ctx), sum)
		return err
	})
	return a, err
}

// send writes the object to the driver.
func (u *upload) send(ctx context.Context, sum objstore.Checksum) (objstore.Attrs, error) {
	to, err := u.store.driver.Put(ctx, u.key, u.cond)
	if err != nil {
		return objstore.Attrs{}, err
	}
	if _, err := to.Write(u.data); err != nil {
		to.Abort()
		return objstore.Attrs{}, err
	}
	return to.Commit(sum)
}

// die leaves what a program leaves that ends in the middle of a write.
func (u *upload) die() {
	if to, err := u.store.driver.Put(u.ctx, u.key, u.cond); err == nil {
		_, _ = to.Write(firstHalf(u.data))
	}
}

func (u *upload) Abort() { u.ended = true }

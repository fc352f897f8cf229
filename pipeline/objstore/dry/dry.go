// Package dry reads a store and drops what would be written to it.
package dry

import (
	"context"
	"errors"
	"sync"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Driver passes reads on to another driver. Writes are checked against what is
// there and counted, and leave nothing: they cannot be read back. It is safe
// for concurrent use.
type Driver struct {
	objstore.Driver
	there *objstore.Bucket

	mu      sync.Mutex
	dropped Dropped
}

// Dropped counts what would have been written.
type Dropped struct {
	Objects int64
	Bytes   int64
	Deletes int64
}

// New wraps a driver that is only read from.
func New(d objstore.Driver) *Driver {
	return &Driver{Driver: d, there: objstore.New(d, "dry run")}
}

// Dropped says what would have been written so far.
func (d *Driver) Dropped() Dropped {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dropped
}

// Put implements objstore.Driver.
func (d *Driver) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &upload{ctx: ctx, driver: d, key: key, cond: cond}, nil
}

// Delete implements objstore.Driver.
func (d *Driver) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	now, err := d.generationNow(ctx, key)
	switch {
	case err != nil:
		return err
	case now == "":
		return objstore.ErrNotExist
	case !cond.Holds(now):
		return objstore.ErrPrecondition
	}
	d.drop(Dropped{Deletes: 1})
	return nil
}

func (d *Driver) generationNow(ctx context.Context, key string) (string, error) {
	a, err := d.there.Stat(ctx, key)
	if errors.Is(err, objstore.ErrNotExist) {
		return "", nil
	}
	return a.Generation, err
}

func (d *Driver) drop(what Dropped) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropped.Objects += what.Objects
	d.dropped.Bytes += what.Bytes
	d.dropped.Deletes += what.Deletes
}

type upload struct {
	ctx    context.Context
	driver *Driver
	key    string
	cond   objstore.Condition
	sum    objstore.Checksum
	ended  bool
}

var errEnded = errors.New("the upload has ended")

func (u *upload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, errEnded
	}
	u.sum.Add(p)
	return len(p), u.ctx.Err()
}

func (u *upload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	if u.ended {
		return objstore.Attrs{}, errEnded
	}
	u.ended = true
	if err := u.sum.Check(sum); err != nil {
		return objstore.Attrs{}, err
	}
	now, err := u.driver.generationNow(u.ctx, u.key)
	if err != nil {
		return objstore.Attrs{}, err
	}
	if !u.cond.Holds(now) {
		return objstore.Attrs{}, objstore.ErrPrecondition
	}
	u.driver.drop(Dropped{Objects: 1, Bytes: sum.Size})
	return objstore.Attrs{
		Key: u.key, Size: sum.Size, Generation: "dropped", CRC32C: sum.CRC32C, HasCRC32C: true,
	}, nil
}

func (u *upload) Abort() { u.ended = true }

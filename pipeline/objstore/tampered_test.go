package objstore_test

import (
	"context"
	"io"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// tampered is a store in memory on which things go wrong where a hook is set.
type tampered struct {
	*mem.Driver
	opening func()                            // before an object is opened
	opened  func(io.ReadCloser) io.ReadCloser // what is read
	writing func(p []byte) error              // before a piece is written
	replied func(error) error                 // the answer to a commit, which was applied
}

func (d *tampered) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	if d.opening != nil {
		d.opening()
	}
	r, err := d.Driver.Open(ctx, key, generation, offset, length)
	if err == nil && d.opened != nil {
		r = d.opened(r)
	}
	return r, err
}

func (d *tampered) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := d.Driver.Put(ctx, key, cond)
	return &tamperedUpload{u, d}, err
}

type tamperedUpload struct {
	objstore.Upload
	driver *tampered
}

func (u *tamperedUpload) Write(p []byte) (int, error) {
	if u.driver.writing != nil {
		if err := u.driver.writing(p); err != nil {
			return 0, err
		}
	}
	return u.Upload.Write(p)
}

func (u *tamperedUpload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	a, err := u.Upload.Commit(sum)
	if u.driver.replied != nil {
		if failed := u.driver.replied(err); failed != nil {
			return objstore.Attrs{}, failed
		}
	}
	return a, err
}

func create(t *testing.T, b *objstore.Bucket, key, data string) objstore.Written {
	t.Helper()
	w, err := b.CreateBytes(t.Context(), key, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func stat(t *testing.T, b *objstore.Bucket, key string) objstore.Attrs {
	t.Helper()
	a, err := b.Stat(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

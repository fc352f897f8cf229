package faulty

import (
	"context"
	"io"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
)

// store is a driver as a process uses it.
type store struct {
	process *Process
	name    string
	driver  objstore.Driver
}

func (s *store) meet(kind, key string, offset int64) Fault {
	return s.process.meet(Operation{Store: s.name, Kind: kind, Key: key, Offset: offset})
}

// List implements objstore.Driver.
func (s *store) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	f := s.meet(List, prefix, 0)
	if f.told != nil {
		return f.told
	}
	return s.driver.List(ctx, prefix, folders, yield)
}

// Delete implements objstore.Driver.
func (s *store) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	f := s.meet(Delete, key, 0)
	return s.process.run(f, func() error { return s.driver.Delete(f.outlive(ctx), key, cond) })
}

// outlive is the context of what the fault makes happen after the caller has gone.
func (f Fault) outlive(ctx context.Context) context.Context {
	if f.late {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// local is a driver that is more than a Driver.
type local interface {
	objstore.RandomAccess
	objstore.Sweeper
}

type localStore struct {
	*store
	local local
}

// OpenAt implements objstore.RandomAccess; every read at a place is an operation.
func (s *localStore) OpenAt(ctx context.Context, a objstore.Attrs) (objstore.ReaderAtCloser, error) {
	if f := s.meet(Open, a.Key, 0); f.told != nil {
		return nil, f.told
	}
	r, err := s.local.OpenAt(ctx, a)
	if err != nil {
		return nil, err
	}
	return &readerAt{ReaderAtCloser: r, store: s.store, key: a.Key}, nil
}

type readerAt struct {
	objstore.ReaderAtCloser
	store *store
	key   string
}

func (r *readerAt) ReadAt(p []byte, offset int64) (int, error) {
	f := r.store.meet(Open, r.key, offset)
	if f.told != nil {
		return 0, f.told
	}
	n, err := r.ReaderAtCloser.ReadAt(p, offset)
	if f.bytes == nil {
		return n, err
	}
	if kept := len(f.bytes(p[:n])); kept < n {
		n, err = kept, io.EOF
	}
	if f.end != nil {
		err = f.end
	}
	return n, err
}

// Sweep implements objstore.Sweeper.
func (s *localStore) Sweep(ctx context.Context, prefix string, before time.Time) (n int, err error) {
	err = s.process.run(s.meet(Sweep, prefix, 0), func() error {
		n, err = s.local.Sweep(ctx, prefix, before)
		return err
	})
	return n, err
}

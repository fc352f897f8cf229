// Package mem keeps objects in memory: for tests, and as the reference of what
// a driver does.
package mem

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Driver is an empty store. It is safe for concurrent use; it keeps only the
// newest generation of an object. Its clock starts at 2000-01-01 and goes on
// by one second with every write, so it is the same in every test.
type Driver struct {
	mu      sync.Mutex
	objects map[string]object
	writes  int64
}

type object struct {
	attrs objstore.Attrs
	data  []byte // never changed
}

// New gives an empty store.
func New() *Driver { return &Driver{objects: map[string]object{}} }

// List implements objstore.Driver.
func (d *Driver) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	for _, a := range d.listed(prefix, folders) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(a); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (d *Driver) listed(prefix string, folders bool) []objstore.Attrs {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []objstore.Attrs
	for key, o := range d.objects {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		a := o.attrs
		if slash := strings.IndexByte(rest, '/'); folders && slash >= 0 {
			a = objstore.Attrs{Key: key[:len(prefix)+slash+1]}
		}
		found = append(found, a)
	}
	slices.SortFunc(found, func(a, b objstore.Attrs) int { return strings.Compare(a.Key, b.Key) })
	return slices.CompactFunc(found, func(a, b objstore.Attrs) bool { return a.Key == b.Key })
}

// Open implements objstore.Driver.
func (d *Driver) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	d.mu.Lock()
	o, ok := d.objects[key]
	d.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case generation != "" && o.attrs.Generation != generation:
		return nil, objstore.ErrChanged
	case !ok:
		return nil, objstore.ErrNotExist
	}
	data := o.data[offset:]
	if length >= 0 {
		data = data[:length]
	}
	return &reader{ctx, bytes.NewReader(data)}, nil
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
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o, ok := d.objects[key]
	switch {
	case !ok:
		return objstore.ErrNotExist
	case !cond.Holds(o.attrs.Generation):
		return objstore.ErrPrecondition
	}
	delete(d.objects, key)
	return nil
}

func (d *Driver) store(key string, cond objstore.Condition, data []byte, sum objstore.Checksum) (objstore.Attrs, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !cond.Holds(d.objects[key].attrs.Generation) {
		return objstore.Attrs{}, objstore.ErrPrecondition
	}
	d.writes++
	a := objstore.Attrs{
		Key:        key,
		Size:       sum.Size,
		Generation: strconv.FormatInt(d.writes, 10),
		CRC32C:     sum.CRC32C,
		HasCRC32C:  true,
		Modified:   time.Date(2000, 1, 1, 0, 0, int(d.writes), 0, time.UTC),
	}
	d.objects[key] = object{a, data}
	return a, nil
}

// reader ends with its context, as a connection does.
type reader struct {
	ctx  context.Context
	data *bytes.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.data.Read(p)
}

func (r *reader) Close() error { return nil }

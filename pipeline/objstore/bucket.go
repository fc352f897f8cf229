package objstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bucket is a place for objects: a driver, a prefix below it and a URL for
// people. Keys given to it and got from it are relative to the prefix. It does
// not change and may be used concurrently. Its errors begin with what was to
// be done and the URL it was done to.
type Bucket struct {
	driver Driver
	url    string // of the driver, without a slash at the end
	prefix string // "" or ending in a slash
}

// New gives the whole of a driver as a bucket; url is how people name it.
func New(d Driver, url string) *Bucket {
	return &Bucket{driver: d, url: strings.TrimRight(url, "/")}
}

// URL names the object under key for people, and the bucket itself for "".
func (b *Bucket) URL(key string) string {
	return strings.TrimSuffix(b.url+"/"+b.prefix+key, "/")
}

// Sub gives the part of b below prefix, a folder.
func (b *Bucket) Sub(prefix string) *Bucket {
	sub := *b
	sub.prefix += asFolder(prefix)
	return &sub
}

// List gives the objects whose key begins with prefix, in byte order of keys.
// What begins with TemporaryPrefix, and the empty objects that stand for
// folders, are left out.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Attrs, error) {
	var found []Attrs
	err := b.list(ctx, prefix, false, func(a Attrs) error {
		if !hidden(a.Key) {
			found = append(found, a)
		}
		return nil
	})
	return found, err
}

// Folders gives the names of the folders one level below prefix, which is a
// folder itself or "": without slashes, sorted. A folder is there while an
// object is below it.
func (b *Bucket) Folders(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	prefix = asFolder(prefix)
	err := b.list(ctx, prefix, true, func(a Attrs) error {
		name, isFolder := strings.CutSuffix(a.Key[len(prefix):], "/")
		if isFolder && name != "" && !hidden(name) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// Objects gives the objects one level below prefix, which is a folder itself or
// "", in byte order of keys. What List leaves out is left out.
func (b *Bucket) Objects(ctx context.Context, prefix string) ([]Attrs, error) {
	var found []Attrs
	err := b.list(ctx, asFolder(prefix), true, func(a Attrs) error {
		if !strings.HasSuffix(a.Key, "/") && !hidden(a.Key) {
			found = append(found, a)
		}
		return nil
	})
	return found, err
}

var errFound = errors.New("found")

// Stat gives the attributes of one object, or ErrNotExist.
func (b *Bucket) Stat(ctx context.Context, key string) (Attrs, error) {
	if err := CheckKey(b.prefix + key); err != nil {
		return Attrs{}, b.failed("look up", key, err)
	}
	var found Attrs
	err := b.driver.List(ctx, b.prefix+key, true, func(a Attrs) error {
		found = a // a key comes before all longer ones that begin with it
		return errFound
	})
	switch {
	case err != nil && !errors.Is(err, errFound):
		return Attrs{}, b.failed("look up", key, err)
	case found.Key != b.prefix+key:
		return Attrs{}, b.failed("look up", key, ErrNotExist)
	}
	found.Key = key
	return found, nil
}

// Delete removes an object if cond holds: ErrNotExist where there is none,
// ErrPrecondition where it is another generation.
func (b *Bucket) Delete(ctx context.Context, key string, cond Condition) error {
	err := CheckKey(b.prefix + key)
	if err == nil {
		err = b.driver.Delete(ctx, b.prefix+key, cond)
	}
	return b.failed("delete", key, err)
}

func (b *Bucket) list(ctx context.Context, prefix string, folders bool, yield func(Attrs) error) error {
	err := checkPrefix(b.prefix + prefix)
	if err == nil {
		err = b.driver.List(ctx, b.prefix+prefix, folders, func(a Attrs) error {
			a.Key = a.Key[len(b.prefix):]
			return yield(a)
		})
	}
	return b.failed("list", prefix, err)
}

// failed gives err the path that leads to it; nil stays nil.
func (b *Bucket) failed(what, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, b.URL(key), err)
}

func asFolder(prefix string) string {
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		return prefix
	}
	return prefix + "/"
}

// Sweep removes what writers that died left behind before the given time, by the
// clock of the store, and tells how many objects that were. Stores that keep
// nothing of an object that never became visible have nothing to sweep.
func (b *Bucket) Sweep(ctx context.Context, before time.Time) (int, error) {
	s, ok := b.driver.(Sweeper)
	if !ok {
		return 0, nil
	}
	n, err := s.Sweep(ctx, b.prefix, before)
	return n, b.failed("sweep", "", err)
}

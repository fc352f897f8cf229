// Package gcs keeps objects in one bucket of Google Cloud Storage, through the
// client of Google. With STORAGE_EMULATOR_HOST set it talks to an emulator.
//
// Needed roles: to read, storage.objects.get and storage.objects.list; to
// write, storage.objects.create; to replace or delete, storage.objects.delete.
package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"github.com/churntier/churntier/pipeline/objstore"
)

// retryFor bounds how long one request is tried again while the store says
// that it is unavailable or cannot be reached.
const retryFor = time.Minute

// Driver is one bucket. It is safe for concurrent use.
type Driver struct {
	bucket *storage.BucketHandle
	name   string
	once   bool
}

// Open connects to a bucket with the credentials of the environment. Whether
// the bucket exists shows at the first use.
func Open(ctx context.Context, bucket string, opts ...option.ClientOption) (*Driver, error) {
	opts = append([]option.ClientOption{storage.WithJSONReads()}, opts...)
	client, err := storage.NewClient(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to Google Cloud Storage: %w; set GOOGLE_APPLICATION_CREDENTIALS, "+
			"or run: gcloud auth application-default login", objstore.ErrPermission, err)
	}
	client.SetRetry(storage.WithMaxRetryDuration(retryFor))
	return &Driver{bucket: client.Bucket(bucket), name: bucket}, nil
}

// Once gives the same bucket, where no request that makes an object visible is sent
// a second time.
func (d *Driver) Once() objstore.Driver {
	once := *d
	once.once = true
	return &once
}

// List implements objstore.Driver.
func (d *Driver) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	query := &storage.Query{Prefix: prefix, Projection: storage.ProjectionNoACL}
	if err := query.SetAttrSelection([]string{"Name", "Size", "Generation", "CRC32C", "Created"}); err != nil {
		return err
	}
	if !folders {
		return d.each(ctx, query, yield)
	}
	query.Delimiter = "/"
	var found []objstore.Attrs // the store gives objects and folders apart
	err := d.each(ctx, query, func(a objstore.Attrs) error {
		found = append(found, a)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b objstore.Attrs) int { return strings.Compare(a.Key, b.Key) })
	for _, a := range found {
		if err := yield(a); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) each(ctx context.Context, query *storage.Query, yield func(objstore.Attrs) error) error {
	objects := d.bucket.Objects(ctx, query)
	for {
		o, err := objects.Next()
		if errors.Is(err, iterator.Done) {
			return nil
		}
		if err != nil {
			return d.kind(ctx, err)
		}
		if err := yield(attrsOf(o)); err != nil {
			return err
		}
	}
}

// Open implements objstore.Driver. An object that the store would unpack on
// the way, because it is marked as gzip, is refused: it has neither the size
// nor the checksum that its attributes say.
func (d *Driver) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	object := d.bucket.Object(key)
	if generation != "" {
		pinned, err := parse(generation)
		if err != nil {
			return nil, err
		}
		object = object.Generation(pinned)
	}
	r, err := object.NewRangeReader(ctx, offset, length)
	if err != nil {
		return nil, d.notOpened(ctx, generation, err)
	}
	if r.Attrs.Decompressed {
		err := errors.New("the object has Content-Encoding: gzip; store it without")
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (d *Driver) notOpened(ctx context.Context, generation string, err error) error {
	err = d.kind(ctx, err)
	if errors.Is(err, objstore.ErrNotExist) && generation != "" {
		return fmt.Errorf("%w: there is no generation %s", objstore.ErrChanged, generation)
	}
	return err
}

// Delete implements objstore.Driver.
func (d *Driver) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	object, err := d.under(key, cond)
	if err != nil {
		return err
	}
	return d.kind(ctx, object.Delete(ctx))
}

// under is the object as a write with cond sees it.
func (d *Driver) under(key string, cond objstore.Condition) (*storage.ObjectHandle, error) {
	object := d.bucket.Object(key)
	switch cond {
	case objstore.Any:
		return object, nil
	case objstore.Absent:
		return object.If(storage.Conditions{DoesNotExist: true}), nil
	}
	generation, err := parse(cond.Generation())
	return object.If(storage.Conditions{GenerationMatch: generation}), err
}

func parse(generation string) (int64, error) {
	n, err := strconv.ParseInt(generation, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("generation %q: Google Cloud Storage has numbers", generation)
	}
	return n, nil
}

func attrsOf(o *storage.ObjectAttrs) objstore.Attrs {
	if o.Prefix != "" {
		return objstore.Attrs{Key: o.Prefix}
	}
	return objstore.Attrs{
		Key:        o.Name,
		Size:       o.Size,
		Generation: strconv.FormatInt(o.Generation, 10),
		CRC32C:     o.CRC32C,
		HasCRC32C:  true,
		Modified:   o.Created,
	}
}

// Package blob keeps objects in a bucket of S3, or of a store that speaks its
// protocol, and in a container of Azure Blob Storage.
//
// gocloud.dev/blob opens both, with the credentials and the endpoint that the
// environment names. Objects then go through the clients of the clouds that it
// holds: gocloud writes some keys in a spelling of its own (on Azure those with
// " # % ? \, on S3 those with "../"), so that a file of others would not be
// found nor one of ours by them, and it does not tell the generation of what it
// has written.
//
// # S3
//
// What the SDK of AWS reads is read: AWS_REGION, AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY, AWS_PROFILE, the role of the machine; for a store of
// another maker AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, which is then asked by
// path and not by host name.
//
// Needed rights: to read, s3:GetObject and s3:ListBucket (without the latter
// what is missing looks forbidden); to write and to replace, s3:PutObject and
// s3:AbortMultipartUpload; to delete, s3:DeleteObject. What a killed process
// leaves of a large object is never seen, but paid for: a lifecycle rule should
// abort incomplete multipart uploads. The generation is the ETag, which equal
// contents may share: there, a replaced object with the same bytes counts as
// not replaced.
//
// # Azure
//
// AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or
// AZURE_STORAGE_CONNECTION_STRING, or else the identity of the machine or the
// user; AZURE_STORAGE_DOMAIN, AZURE_STORAGE_PROTOCOL and
// AZURE_STORAGE_IS_LOCAL_EMULATOR lead to an emulator.
//
// Needed rights: to read, the role Storage Blob Data Reader; to write, replace
// and delete, the actions blobs/read, blobs/write and blobs/delete of Storage
// Blob Data Contributor, of which a runner can do without the last. The
// generation is the ETag, which every write changes.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Driver is one bucket or container. It is safe for concurrent use.
//
// A listing has no checksums.
type Driver struct {
	objects reader
	uploads writer
}

// Once gives the same bucket, where no request that makes an object visible is sent
// a second time.
func (d *Driver) Once() objstore.Driver { return &Driver{d.objects, d.uploads.once()} }

// reader is how one cloud finds, reads and removes objects. Errors are of the
// kinds of objstore where one fits; generations are ETags.
type reader interface {
	// page gives some of the objects that begin with prefix, and what to ask
	// the next page with, "" after the last.
	page(ctx context.Context, prefix string, folders bool, token string) (found []objstore.Attrs, next string, err error)
	// head looks one object up; a generation other than "" is demanded.
	head(ctx context.Context, key, generation string) (objstore.Attrs, error)
	// get reads a range that is not empty, unless it is the rest of the object.
	get(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error)
	// remove deletes what is there, or only the generation.
	remove(ctx context.Context, key, generation string) error
}

// List implements objstore.Driver.
func (d *Driver) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	last, token := "", ""
	for {
		found, next, err := d.objects.page(ctx, prefix, folders, token)
		if err != nil {
			return err
		}
		// Within a page, objects and folders come apart.
		slices.SortFunc(found, func(a, b objstore.Attrs) int { return strings.Compare(a.Key, b.Key) })
		for _, a := range found {
			if a.Key <= last {
				return fmt.Errorf("the store lists %q after %q, which is not the byte order of keys; "+
					"directory buckets of S3 and such cannot be used", a.Key, last)
			}
			last = a.Key
			if err := yield(a); err != nil {
				return err
			}
		}
		if token = next; token == "" {
			return nil
		}
	}
}

// Open implements objstore.Driver.
func (d *Driver) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	var body io.ReadCloser = http.NoBody
	var err error
	if length == 0 { // a range of a request is never empty
		_, err = d.objects.head(ctx, key, generation)
	} else {
		body, err = d.objects.get(ctx, key, generation, offset, length)
	}
	switch {
	case err == nil:
		return body, nil
	case generation != "" && (errors.Is(err, objstore.ErrNotExist) || errors.Is(err, objstore.ErrPrecondition)):
		return nil, fmt.Errorf("%w: generation %s is gone", objstore.ErrChanged, generation)
	}
	return nil, err
}

// Delete implements objstore.Driver. The look before is for the stores that
// answer alike whether or not there was an object, and for those that delete
// whatever the condition.
func (d *Driver) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	there, err := d.objects.head(ctx, key, "")
	if err != nil {
		return err
	}
	if !cond.Holds(there.Generation) {
		return objstore.ErrPrecondition
	}
	return d.objects.remove(ctx, key, cond.Generation())
}

// optional is a string as the SDKs take it: nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// value gives what an SDK may have left out.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

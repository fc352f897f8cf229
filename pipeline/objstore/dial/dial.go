// Package dial opens the bucket that a URL of the configuration names.
package dial

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/gcs"
)

// Options says what a bucket is opened for. The zero value is for reading what
// is there.
type Options struct {
	// Output: the bucket will be written, so a local folder that does not
	// exist yet reads as empty; else it is ErrNoBucket.
	Output bool
	// Wrap, if set, puts another driver around that of the store, such as a
	// dry run.
	Wrap func(objstore.Driver) objstore.Driver
}

// Open gives the bucket of a location: gs://bucket/prefix, file:///folder, or
// the path of a local folder, as the operating system takes it. Anything else
// is ErrScheme. Whether the place exists shows when it is first used.
func Open(ctx context.Context, location string, opts Options) (*objstore.Bucket, error) {
	scheme, rest, found := strings.Cut(location, "://")
	if !found {
		return openFolder(location, location, opts)
	}
	switch scheme {
	case "file":
		return openFileURL(location, opts)
	case "gs":
		return openGCS(ctx, rest, opts)
	case "s3", "azblob":
		return nil, fmt.Errorf("open %s: %w: %s:// is not supported yet; use gs:// or a local folder",
			location, objstore.ErrScheme, scheme)
	}
	return nil, fmt.Errorf("open %s: %w: scheme %q is not known; use gs://bucket/prefix, file:///folder or a path",
		location, objstore.ErrScheme, scheme)
}

func openGCS(ctx context.Context, location string, opts Options) (*objstore.Bucket, error) {
	name, prefix, _ := strings.Cut(location, "/")
	prefix = strings.TrimRight(prefix, "/")
	if name == "" {
		return nil, fmt.Errorf("open gs://%s: %w: the bucket is missing, as in gs://bucket/prefix",
			location, objstore.ErrScheme)
	}
	if prefix != "" {
		if err := objstore.CheckKey(prefix); err != nil {
			return nil, fmt.Errorf("open gs://%s: %w", location, err)
		}
	}
	d, err := gcs.Open(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open gs://%s: %w", location, err)
	}
	return opts.bucket(d, "gs://"+name).Sub(prefix), nil
}

func openFileURL(location string, opts Options) (*objstore.Bucket, error) {
	u, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", location, objstore.ErrScheme, err)
	}
	if u.Host != "" && u.Host != "localhost" || u.Path == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("open %s: %w: a file URL has an absolute path and nothing else, as in file:///folder",
			location, objstore.ErrScheme)
	}
	return openFolder(u.Path, location, opts)
}

func openFolder(folder, location string, opts Options) (*objstore.Bucket, error) {
	if folder == "" {
		return nil, fmt.Errorf("open: %w: the URL is empty", objstore.ErrScheme)
	}
	open := file.New
	if opts.Output {
		open = file.NewOutput
	}
	return opts.bucket(open(filepath.Clean(folder)), location), nil
}

func (o Options) bucket(d objstore.Driver, location string) *objstore.Bucket {
	if o.Wrap != nil {
		d = o.Wrap(d)
	}
	return objstore.New(d, location)
}

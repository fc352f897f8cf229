// Package dial opens the bucket that a URL of the configuration names.
package dial

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/blob"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/gcs"
	"github.com/churntier/churntier/pipeline/objstore/retry"
)

// Options says what a bucket is opened for. The zero value is for reading what
// is there.
type Options struct {
	// Output: the bucket will be written, so a local folder that does not
	// exist yet reads as empty; else it is ErrNoBucket.
	Output bool
	// Once: others take away what is written, so no request that makes an object
	// visible is sent a second time, also after an answer that says nothing.
	Once bool
	// Wrap, if set, puts another driver around that of the store, such as a
	// dry run.
	Wrap func(objstore.Driver) objstore.Driver
}

// Open gives the bucket of a location: gs://bucket/prefix, s3://bucket/prefix,
// azblob://container/prefix, file:///folder, or the path of a local folder, as
// the operating system takes it. Anything else is ErrScheme. Whether the place
// exists shows when it is first used. For tests there is mem://name, a store that
// ends with the process; no config may name one.
func Open(ctx context.Context, location string, opts Options) (*objstore.Bucket, error) {
	scheme, rest, found := strings.Cut(location, "://")
	if !found {
		return openFolder(location, location, opts)
	}
	switch scheme {
	case "file":
		return openFileURL(location, opts)
	case "mem":
		return opts.bucket(memory(rest), location), nil
	}
	if connect, known := clouds[scheme]; known {
		return openCloud(ctx, scheme, rest, connect, opts)
	}
	return nil, fmt.Errorf("open %s: %w: scheme %q is not known; use gs://bucket/prefix, s3://bucket/prefix, "+
		"azblob://container/prefix, file:///folder or a path", location, objstore.ErrScheme, scheme)
}

type connect func(ctx context.Context, bucket string) (cloud, error)

// cloud is a driver whose client repeats requests.
type cloud interface {
	objstore.Driver
	Once() objstore.Driver
}

var clouds = map[string]connect{
	"gs":     func(ctx context.Context, bucket string) (cloud, error) { return gcs.Open(ctx, bucket) },
	"s3":     func(ctx context.Context, bucket string) (cloud, error) { return blob.OpenS3(ctx, bucket) },
	"azblob": func(ctx context.Context, name string) (cloud, error) { return blob.OpenAzure(ctx, name) },
}

func openCloud(ctx context.Context, scheme, rest string, connect connect, opts Options) (*objstore.Bucket, error) {
	name, prefix, _ := strings.Cut(rest, "/")
	prefix = strings.TrimRight(prefix, "/")
	if name == "" {
		return nil, fmt.Errorf("open %s://%s: %w: the bucket is missing, as in %s://bucket/prefix",
			scheme, rest, objstore.ErrScheme, scheme)
	}
	if strings.ContainsAny(name, "?#@:%") {
		return nil, fmt.Errorf("open %s://%s: %w: %q is not the name of a bucket; "+
			"endpoints and credentials come from the environment", scheme, rest, objstore.ErrScheme, name)
	}
	if prefix != "" {
		if err := objstore.CheckKey(prefix); err != nil {
			return nil, fmt.Errorf("open %s://%s: %w", scheme, rest, err)
		}
	}
	connected, err := once(ctx, scheme+"://"+name, func(ctx context.Context) (cloud, error) { return connect(ctx, name) })
	if err != nil {
		return nil, fmt.Errorf("open %s://%s: %w", scheme, rest, err)
	}
	var d objstore.Driver = connected
	if opts.Once {
		d = connected.Once()
	}
	return opts.bucket(retry.New(d), scheme+"://"+name).Sub(prefix), nil
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

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"cloud.google.com/go/storage"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/iterator"
)

// transferCommand moves objects of the cloud and does nothing else with them, in a
// process of its own:
//
//	bench transfer N down PREFIX         reads all objects, four at once
//	bench transfer N up FOLDER PREFIX    writes all files of a folder, N at once
//	bench transfer N clear PREFIX        deletes all objects
const transferCommand = "transfer"

const (
	downAtOnce = 4       // as snapshot.Open
	upChunk    = 8 << 20 // as objstore/gcs
)

// transfer does the commands in args, one after the other.
func transfer(ctx context.Context, args []string) error {
	atOnce, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	client, err := storage.NewClient(ctx, storage.WithJSONReads())
	if err != nil {
		return err
	}
	bucket := client.Bucket(cloudBucket)
	for args = args[1:]; len(args) > 0; {
		switch args[0] {
		case "down":
			err, args = eachObject(ctx, bucket, args[1], downAtOnce, down), args[2:]
		case "clear":
			err, args = eachObject(ctx, bucket, args[1], atOnce, remove), args[2:]
		case "up":
			err, args = up(ctx, bucket, args[1], args[2], atOnce), args[3:]
		default:
			return fmt.Errorf("%q is not known", args[0])
		}
		if err != nil {
			return err
		}
	}
	return client.Close()
}

func eachObject(ctx context.Context, bucket *storage.BucketHandle, prefix string, atOnce int, do func(context.Context, *storage.ObjectHandle) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	objects := bucket.Objects(ctx, &storage.Query{Prefix: prefix})
	for {
		o, err := objects.Next()
		if errors.Is(err, iterator.Done) {
			return g.Wait()
		}
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		g.Go(func() error { return do(ctx, bucket.Object(o.Name)) })
	}
}

func down(ctx context.Context, o *storage.ObjectHandle) error {
	r, err := o.NewReader(ctx)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

func remove(ctx context.Context, o *storage.ObjectHandle) error { return o.Delete(ctx) }

func up(ctx context.Context, bucket *storage.BucketHandle, folder, prefix string, atOnce int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err == nil {
			g.Go(func() error { return upFile(ctx, path, bucket.Object(prefix+"/"+filepath.ToSlash(name))) })
		}
		return err
	})
	return errors.Join(err, g.Wait())
}

func upFile(ctx context.Context, path string, to *storage.ObjectHandle) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	w := to.NewWriter(ctx)
	w.ChunkSize = upChunk
	if _, err := io.Copy(w, f); err != nil {
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

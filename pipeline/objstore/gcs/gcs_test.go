package gcs_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"
	"google.golang.org/api/option"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/gcs"
	"github.com/churntier/churntier/pipeline/objstore/objstoretest"
)

// startServer runs an emulator with the bucket "nightly" and points clients to it.
func startServer(t *testing.T) *fakestorage.Server {
	t.Helper()
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "nightly"})
	t.Setenv("STORAGE_EMULATOR_HOST", server.URL())
	return server
}

func open(t *testing.T, bucket string, opts ...option.ClientOption) *gcs.Driver {
	t.Helper()
	d, err := gcs.Open(t.Context(), bucket, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bucketOf(d *gcs.Driver) *objstore.Bucket { return objstore.New(d, "gs://test") }

func wantKind(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, expected %v", what, got, want)
	}
}

func TestConformance(t *testing.T) {
	fresh := func(t *testing.T) objstore.Driver {
		startServer(t)
		return open(t, "nightly")
	}
	objstoretest.Run(t, fresh, objstoretest.Options{IgnoresDeleteConditions: true})
}

// failures tries every operation and gives how each fails.
func failures(ctx context.Context, b *objstore.Bucket, streamed int) map[string]error {
	_, list := b.List(ctx, "")
	_, folders := b.Folders(ctx, "")
	_, stat := b.Stat(ctx, "a")
	_, read := b.Open(ctx, objstore.Attrs{Key: "a", Generation: "1"})
	_, create := b.CreateBytes(ctx, "a", []byte("data"))
	_, replace := b.Replace(ctx, "a", []byte("data"), "1")
	return map[string]error{
		"list": list, "folders": folders, "stat": stat, "open": read, "create": create, "replace": replace,
		"delete": b.Delete(ctx, "a", objstore.Any),
		"stream": stream(ctx, b, streamed),
	}
}

func stream(ctx context.Context, b *objstore.Bucket, size int) error {
	w, err := b.Create(ctx, "a")
	if err != nil {
		return err
	}
	defer w.Abort()
	for range size / 1024 {
		if _, err := w.Write(make([]byte, 1024)); err != nil {
			return err
		}
	}
	_, err = w.Commit()
	return err
}

func TestMissingBucket(t *testing.T) {
	startServer(t)
	for what, err := range failures(t.Context(), bucketOf(open(t, "nowhere")), 9<<20) {
		wantKind(t, what, err, objstore.ErrNoBucket)
	}
}

func TestNoPermission(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusUnauthorized} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			http.Error(w, "no access to the bucket", status)
		}))
		t.Setenv("STORAGE_EMULATOR_HOST", server.URL)
		for what, err := range failures(t.Context(), bucketOf(open(t, "nightly")), 9<<20) {
			wantKind(t, what, err, objstore.ErrPermission)
		}
		server.Close()
	}
}

func TestNoCredentials(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/does/not/exist.json")
	_, err := gcs.Open(t.Context(), "nightly")
	wantKind(t, "open", err, objstore.ErrPermission)
}

func TestForeignGeneration(t *testing.T) {
	startServer(t)
	d := open(t, "nightly")
	if _, err := d.Open(t.Context(), "a", "1-2-3", 0, -1); err == nil {
		t.Error("a generation of local files can be opened")
	}
	if _, err := d.Put(t.Context(), "a", objstore.IfGeneration("1-2-3")); err == nil {
		t.Error("a generation of local files can be replaced")
	}
	if err := d.Delete(t.Context(), "a", objstore.IfGeneration("1-2-3")); err == nil {
		t.Error("a generation of local files can be deleted")
	}
}

// The store unpacks what is marked as gzip on the way; its size and checksum
// are those of the packed bytes.
func TestPackedObject(t *testing.T) {
	server := startServer(t)
	packed := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x04\x00\x43\xbe\xb7\xe8\x01\x00\x00\x00" // gzip of "a"
	server.CreateObject(fakestorage.Object{
		ObjectAttrs: fakestorage.ObjectAttrs{BucketName: "nightly", Name: "packed", ContentEncoding: "gzip"},
		Content:     []byte(packed),
	})
	d := open(t, "nightly")
	a, err := bucketOf(d).Stat(t.Context(), "packed")
	if err != nil || a.Size != int64(len(packed)) {
		t.Fatalf("%+v, %v", a, err)
	}
	for _, length := range []int64{-1, 10} {
		if _, err := d.Open(t.Context(), "packed", "", 0, length); err == nil {
			t.Errorf("%d bytes of a packed object can be read", length)
		}
	}
}

// A folder that a console made is an object whose key ends in a slash.
func TestConsoleFolder(t *testing.T) {
	server := startServer(t)
	for _, name := range []string{"dt=1/", "dt=1/part"} {
		server.CreateObject(fakestorage.Object{
			ObjectAttrs: fakestorage.ObjectAttrs{BucketName: "nightly", Name: name}, Content: []byte{},
		})
	}
	b := bucketOf(open(t, "nightly"))
	listed, err := b.List(t.Context(), "dt=1/")
	if err != nil || len(listed) != 1 || listed[0].Key != "dt=1/part" {
		t.Errorf("listed %+v, %v", listed, err)
	}
}

// What an aborted or cancelled upload has sent never becomes an object, also
// when the store has all of it but the end.
func TestAbortedStream(t *testing.T) {
	server := startServer(t)
	d := open(t, "nightly")
	u, err := d.Put(t.Context(), "part", objstore.Absent)
	if err != nil {
		t.Fatal(err)
	}
	for range 9 {
		if _, err := u.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	u.Abort()
	if _, err := server.GetObject("nightly", "part"); err == nil {
		t.Error("an aborted upload became an object")
	}
}

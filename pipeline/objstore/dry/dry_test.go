package dry_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/dry"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

func wantKind(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, expected %v", what, got, want)
	}
}

// prepared gives a dry run over a store that holds the object latest.
func prepared(t *testing.T) (*dry.Driver, *objstore.Bucket, objstore.Written) {
	t.Helper()
	there := mem.New()
	latest, err := objstore.New(there, "test").CreateBytes(t.Context(), "latest", []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	d := dry.New(there)
	return d, objstore.New(d, "test"), latest
}

func TestWritesAreCountedAndDropped(t *testing.T) {
	d, b, latest := prepared(t)
	ctx := t.Context()
	w, err := b.Create(ctx, "runs/part")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "0123456789"); err != nil {
		t.Fatal(err)
	}
	written, err := w.Commit()
	if err != nil || written.Size != 10 {
		t.Errorf("got %+v, %v", written, err)
	}
	if _, err := b.Replace(ctx, "latest", []byte("new"), latest.Generation); err != nil {
		t.Error(err)
	}
	if err := b.Delete(ctx, "latest", objstore.IfGeneration(latest.Generation)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(dry.Dropped{Objects: 2, Bytes: 13, Deletes: 1}, d.Dropped()); diff != "" {
		t.Error(diff)
	}
	data, _, err := b.Read(ctx, "latest", 10)
	if err != nil || string(data) != "data" {
		t.Errorf("latest holds %q, %v", data, err)
	}
	if listed, err := b.List(ctx, ""); err != nil || len(listed) != 1 {
		t.Errorf("listed %+v, %v, expected only latest", listed, err)
	}
}

// What a real write would refuse is refused, and not counted.
func TestRefusals(t *testing.T) {
	d, b, latest := prepared(t)
	ctx := t.Context()
	_, err := b.CreateBytes(ctx, "latest", nil)
	wantKind(t, "create what is there", err, objstore.ErrPrecondition)
	_, err = b.Replace(ctx, "latest", nil, latest.Generation+"0")
	wantKind(t, "replace another generation", err, objstore.ErrPrecondition)
	_, err = b.Replace(ctx, "none", nil, "1")
	wantKind(t, "replace nothing", err, objstore.ErrPrecondition)
	wantKind(t, "delete nothing", b.Delete(ctx, "none", objstore.Any), objstore.ErrNotExist)
	err = b.Delete(ctx, "latest", objstore.IfGeneration(latest.Generation+"0"))
	wantKind(t, "delete another generation", err, objstore.ErrPrecondition)

	u, err := d.Put(ctx, "new", objstore.Absent)
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Commit(objstore.Checksum{Size: 1})
	wantKind(t, "commit with another size", err, objstore.ErrChecksum)
	if _, err := u.Write([]byte("more")); err == nil {
		t.Error("a write after commit succeeds")
	}
	if _, err := u.Commit(objstore.Checksum{}); err == nil {
		t.Error("a second commit succeeds")
	}
	if diff := cmp.Diff(dry.Dropped{}, d.Dropped()); diff != "" {
		t.Error(diff)
	}
}

func TestCancelled(t *testing.T) {
	_, b, _ := prepared(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Create(ctx, "new")
	wantKind(t, "create", err, context.Canceled)
}

// A place that cannot be read cannot be written either.
func TestMissingPlace(t *testing.T) {
	missing := t.TempDir() + "/missing"
	b := objstore.New(dry.New(file.New(missing)), missing)
	_, err := b.CreateBytes(t.Context(), "a", nil)
	wantKind(t, "create", err, objstore.ErrNoBucket)
	wantKind(t, "delete", b.Delete(t.Context(), "a", objstore.Any), objstore.ErrNoBucket)

	b = objstore.New(dry.New(file.NewOutput(missing)), missing)
	if _, err := b.CreateBytes(t.Context(), "a", nil); err != nil {
		t.Error(err)
	}
}

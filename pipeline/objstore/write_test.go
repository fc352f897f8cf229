package objstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

var errReset = errors.New("connection reset by peer")

func begin(t *testing.T, b *objstore.Bucket, key, data string) *objstore.Writer {
	t.Helper()
	w, err := b.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWritten(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 5000)
	sha := sha256.Sum256(data)
	b := bucket(t).Sub("runs")
	w := begin(t, b, "part", "")
	for piece := range bytes.SplitAfterSeq(data, []byte("7")) {
		if n, err := w.Write(piece); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	got, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	want := objstore.Written{
		Key: "part", Size: 50_000, SHA256: hex.EncodeToString(sha[:]),
		CRC32C:     crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)),
		Generation: stat(t, b, "part").Generation,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := b.CreateBytes(t.Context(), "copy", data)
	want.Key, want.Generation = "copy", again.Generation
	if diff := cmp.Diff(want, again); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestCreateBytesAndReplace(t *testing.T) {
	b := bucket(t)
	ctx := t.Context()
	first := create(t, b, "latest", "first")
	if _, err := b.CreateBytes(ctx, "latest", []byte("first")); !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("create again: got %v, expected %v", err, objstore.ErrPrecondition)
	}
	second, err := b.Replace(ctx, "latest", []byte("second"), first.Generation)
	if err != nil {
		t.Fatal(err)
	}
	for _, generation := range []string{first.Generation, ""} {
		_, err := b.Replace(ctx, "latest", []byte("third"), generation)
		if !errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("replace %q: got %v, expected %v", generation, err, objstore.ErrPrecondition)
		}
	}
	data, a, err := b.Read(ctx, "latest", 10)
	if err != nil || string(data) != "second" || a.Generation != second.Generation {
		t.Errorf("got %q of %s, %v", data, a.Generation, err)
	}
	if _, err := b.Replace(ctx, "new", nil, ""); err != nil {
		t.Error(err)
	}
}

// The store applies a commit, but its answer is lost, or a retry below us
// turned it into a refusal.
func TestCommitSurvivesALostReply(t *testing.T) {
	for _, reply := range []error{errReset, objstore.ErrPrecondition} {
		d := &tampered{Driver: mem.New(), replied: func(error) error { return reply }}
		b := objstore.New(d, "test")
		written, err := begin(t, b, "part", "data").Commit()
		if err != nil {
			t.Errorf("%v: %v", reply, err)
		}
		a := stat(t, b, "part")
		if written.Generation != a.Generation || written.Size != 4 || written.SHA256 == "" {
			t.Errorf("%v: got %+v, there is %+v", reply, written, a)
		}
		if _, err := b.CreateBytes(t.Context(), "entry", []byte("x")); !errors.Is(err, reply) {
			t.Errorf("CreateBytes: got %v, expected %v: it is the caller who reads back", err, reply)
		}
	}
}

func TestCommitFailsWhereAnotherObjectIs(t *testing.T) {
	for _, there := range []string{"DATA", "other size"} {
		b := bucket(t)
		create(t, b, "part", there)
		if _, err := begin(t, b, "part", "data").Commit(); !errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("%q is there: got %v, expected %v", there, err, objstore.ErrPrecondition)
		}
		if data, _, err := b.Read(t.Context(), "part", 100); err != nil || string(data) != there {
			t.Errorf("got %q, %v, expected %q", data, err, there)
		}
	}
}

// Failures that say clearly that nothing happened are not looked into, and
// those of the way back do not hide the first.
func TestCommitFails(t *testing.T) {
	for _, reply := range []error{
		objstore.ErrPermission, objstore.ErrNoBucket, objstore.ErrNoSpace, objstore.ErrChecksum,
		context.Canceled, context.DeadlineExceeded,
	} {
		d := &tampered{Driver: mem.New(), replied: func(error) error { return reply }}
		if _, err := begin(t, objstore.New(d, "test"), "part", "data").Commit(); !errors.Is(err, reply) {
			t.Errorf("got %v, expected %v", err, reply)
		}
	}
	d := &tampered{Driver: mem.New()}
	b := objstore.New(d, "test")
	d.replied = func(error) error {
		if err := b.Delete(t.Context(), "part", objstore.Any); err != nil {
			t.Error(err)
		}
		return errReset
	}
	if _, err := begin(t, b, "part", "data").Commit(); !errors.Is(err, errReset) {
		t.Errorf("got %v, expected %v", err, errReset)
	}
	d.replied = func(error) error { return errReset }
	unreadable := objstore.New(withoutChecksum{d}, "test")
	d.opening = func() { d.opened = func(io.ReadCloser) io.ReadCloser { return body{bytes.NewReader(nil)} } }
	if _, err := begin(t, unreadable, "part2", "data").Commit(); !errors.Is(err, errReset) {
		t.Errorf("got %v, expected %v", err, errReset)
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	d := &tampered{Driver: mem.New()}
	b := objstore.New(d, "test")
	w := begin(t, b, "part", "data")
	d.writing = func([]byte) error { return objstore.ErrNoSpace }
	if _, err := w.Write([]byte("more")); !errors.Is(err, objstore.ErrNoSpace) {
		t.Errorf("got %v, expected %v", err, objstore.ErrNoSpace)
	}
	d.writing = nil
	if _, err := w.Write([]byte("more")); !errors.Is(err, objstore.ErrNoSpace) {
		t.Errorf("write after a failure: got %v, expected %v", err, objstore.ErrNoSpace)
	}
	if _, err := w.Commit(); !errors.Is(err, objstore.ErrNoSpace) {
		t.Errorf("commit after a failure: got %v, expected %v", err, objstore.ErrNoSpace)
	}
	d.writing = func([]byte) error { return errReset }
	if _, err := b.CreateBytes(t.Context(), "entry", []byte("x")); !errors.Is(err, errReset) {
		t.Errorf("got %v, expected %v", err, errReset)
	}
	wantEmpty(t, b)
}

func TestCancelledWriteLeavesNothing(t *testing.T) {
	b := bucket(t)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := b.Create(ctx, "part")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Commit(); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: got %v, expected %v", err, context.Canceled)
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("a write after a failed commit succeeds")
	}
	if _, err := b.Create(ctx, "part"); !errors.Is(err, context.Canceled) {
		t.Errorf("create: got %v, expected %v", err, context.Canceled)
	}
	if _, err := b.CreateBytes(ctx, "part", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("create: got %v, expected %v", err, context.Canceled)
	}
	wantEmpty(t, b)
}

func TestAbort(t *testing.T) {
	b := bucket(t)
	w := begin(t, b, "part", "data")
	w.Abort()
	if _, err := w.Commit(); err == nil {
		t.Error("a commit after abort succeeds")
	}
	wantEmpty(t, b)

	w = begin(t, b, "part", "data")
	if _, err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if _, err := w.Commit(); err == nil {
		t.Error("a second commit succeeds")
	}
	if data, _, err := b.Read(t.Context(), "part", 10); err != nil || string(data) != "data" {
		t.Errorf("after commit and abort: got %q, %v", data, err)
	}
}

func wantEmpty(t *testing.T, b *objstore.Bucket) {
	t.Helper()
	if listed, err := b.List(t.Context(), ""); err != nil || len(listed) != 0 {
		t.Errorf("listed %+v, %v, expected nothing", listed, err)
	}
}

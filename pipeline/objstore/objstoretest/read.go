package objstoretest

import (
	"context"
	"errors"
	"io"

	"github.com/churntier/churntier/pipeline/objstore"
)

func ranges(s store) {
	const data = "0123456789"
	a := s.create("digits", data)
	for _, generation := range []string{"", a.Generation} {
		for _, r := range []struct {
			offset, length int64
			want           string
		}{
			{0, -1, data}, {3, -1, "3456789"}, {9, -1, "9"},
			{0, 10, data}, {0, 1, "0"}, {4, 3, "456"}, {9, 1, "9"}, {5, 0, ""},
		} {
			got, err := s.read("digits", generation, r.offset, r.length)
			if err != nil || got != r.want {
				s.Errorf("%d bytes at %d: got %q, %v, expected %q", r.length, r.offset, got, err, r.want)
			}
		}
	}
}

// pinnedGeneration: a store may keep replaced generations, or say that they
// are gone; it never gives the bytes of another.
func pinnedGeneration(s store) {
	first := s.create("latest", "first")
	if _, err := s.try("latest", "other", objstore.Any); err != nil {
		s.Fatal(err)
	}
	s.wantGoneOrKept(first, "first")
	if err := s.driver.Delete(s.ctx(), "latest", objstore.Any); err != nil {
		s.Fatal(err)
	}
	s.wantGoneOrKept(first, "first")
}

func (s store) wantGoneOrKept(a objstore.Attrs, data string) {
	s.Helper()
	got, err := s.read(a.Key, a.Generation, 0, -1)
	if errors.Is(err, objstore.ErrChanged) {
		return
	}
	if err != nil || got != data {
		s.Errorf("read a replaced generation: got %q, %v, expected %q or %v", got, err, data, objstore.ErrChanged)
	}
}

func notFound(s store) {
	s.create("folder/key", "data")
	for _, key := range []string{"key", "folder", "folder/key2", "other/key"} {
		_, err := s.read(key, "", 0, -1)
		s.wantKind("read "+key, err, objstore.ErrNotExist)
		s.wantKind("delete "+key, s.driver.Delete(s.ctx(), key, objstore.Any), objstore.ErrNotExist)
	}
	s.wantData("folder/key", "data")
	ctx, stop := context.WithCancel(s.ctx())
	stop()
	_, err := s.driver.Open(ctx, "folder/key", "", 0, -1)
	s.wantKind("open after cancel", err, context.Canceled)
}

// randomAccess holds for every driver behind a bucket, whether it has a way of
// its own or not.
func randomAccess(s store) {
	bucket := objstore.New(s.driver, "test")
	a := s.create("digits", "0123456789")
	r, err := bucket.OpenAt(s.ctx(), a)
	if err != nil {
		s.Fatal(err)
	}
	buffer := make([]byte, 4)
	if n, err := r.ReadAt(buffer, 3); n != 4 || err != nil || string(buffer) != "3456" {
		s.Errorf("4 bytes at 3: got %q, %v", buffer[:n], err)
	}
	if n, err := r.ReadAt(buffer, 8); n != 2 || !errors.Is(err, io.EOF) || string(buffer[:2]) != "89" {
		s.Errorf("4 bytes at 8: got %q, %v, expected the last two and %v", buffer[:n], err, io.EOF)
	}
	if n, err := r.ReadAt(buffer, 10); n != 0 || !errors.Is(err, io.EOF) {
		s.Errorf("4 bytes at the end: got %q, %v, expected %v", buffer[:n], err, io.EOF)
	}
	if err := r.Close(); err != nil {
		s.Error(err)
	}
}

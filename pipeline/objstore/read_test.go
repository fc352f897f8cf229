package objstore_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

func TestReadHasALimit(t *testing.T) {
	b := bucket(t)
	create(t, b, "a", "12345")
	if data, _, err := b.Read(t.Context(), "a", 5); err != nil || string(data) != "12345" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, _, err := b.Read(t.Context(), "a", 4); !errors.Is(err, objstore.ErrTooLarge) {
		t.Errorf("got %v, expected %v", err, objstore.ErrTooLarge)
	}
	if _, _, err := b.Read(t.Context(), "b", 4); !errors.Is(err, objstore.ErrNotExist) {
		t.Errorf("got %v, expected %v", err, objstore.ErrNotExist)
	}
}

// replacing replaces an object each time before it is opened, up to n times.
func replacing(t *testing.T, n int) *objstore.Bucket {
	d := &tampered{Driver: mem.New()}
	b := objstore.New(d, "test")
	create(t, b, "latest", "version 0")
	version := 0
	d.opening = func() {
		if version == n {
			return
		}
		version++
		data := []byte("version " + strconv.Itoa(version))
		if _, err := b.Replace(t.Context(), "latest", data, stat(t, b, "latest").Generation); err != nil {
			t.Error(err)
		}
	}
	return b
}

func TestReadFollowsReplacements(t *testing.T) {
	b := replacing(t, 3)
	data, a, err := b.Read(t.Context(), "latest", 100)
	if err != nil || string(data) != "version 3" {
		t.Errorf("got %q, %v, expected the newest version", data, err)
	}
	if now := stat(t, b, "latest"); a != now {
		t.Errorf("read %+v, there is %+v", a, now)
	}
}

func TestReadGivesUpOnEndlessReplacement(t *testing.T) {
	_, _, err := replacing(t, -1).Read(t.Context(), "latest", 100)
	if !errors.Is(err, objstore.ErrChanged) {
		t.Errorf("got %v, expected %v", err, objstore.ErrChanged)
	}
}

type body struct{ io.Reader }

func (body) Close() error { return nil }

func TestOpenVerifies(t *testing.T) {
	const data = "all these bytes matter"
	flipped := []byte(data)
	flipped[3] ^= 1
	for name, c := range map[string]struct {
		served io.Reader
		want   error
	}{
		"whole":        {strings.NewReader(data), nil},
		"byte by byte": {iotest.OneByteReader(strings.NewReader(data)), nil},
		"data and end": {iotest.DataErrReader(strings.NewReader(data)), nil},
		"short":        {strings.NewReader(data[1:]), objstore.ErrChecksum},
		"empty":        {strings.NewReader(""), objstore.ErrChecksum},
		"long":         {strings.NewReader(data + "!"), objstore.ErrChecksum},
		"flipped bit":  {bytes.NewReader(flipped), objstore.ErrChecksum},
		"time-out":     {iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(data))), iotest.ErrTimeout},
	} {
		d := &tampered{Driver: mem.New(), opened: func(io.ReadCloser) io.ReadCloser { return body{c.served} }}
		b := objstore.New(d, "test")
		create(t, b, "a", data)
		r, err := b.Open(t.Context(), stat(t, b, "a"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if !errors.Is(err, c.want) || err == nil && string(got) != data {
			t.Errorf("%s: got %q, %v, expected %v", name, got, err, c.want)
		}
	}
}

// withoutChecksum is a store that has none, as local files.
type withoutChecksum struct{ *tampered }

func (d withoutChecksum) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	return d.tampered.List(ctx, prefix, folders, func(a objstore.Attrs) error {
		a.CRC32C, a.HasCRC32C = 0, false
		return yield(a)
	})
}

func TestChecksum(t *testing.T) {
	const data = "some bytes"
	want := crc32.Checksum([]byte(data), crc32.MakeTable(crc32.Castagnoli))
	d := &tampered{Driver: mem.New()}
	for name, driver := range map[string]objstore.Driver{"stored": d, "computed": withoutChecksum{d}} {
		b := objstore.New(driver, "test")
		key := name + "/a"
		create(t, b, key, data)
		got, err := b.Checksum(t.Context(), stat(t, b, key))
		if err != nil || got != want {
			t.Errorf("%s: got %08x, %v, expected %08x", name, got, err, want)
		}
	}
	d.opened = func(io.ReadCloser) io.ReadCloser { return body{strings.NewReader(data[1:])} }
	b := objstore.New(withoutChecksum{d}, "test")
	if _, err := b.Checksum(t.Context(), stat(t, b, "stored/a")); !errors.Is(err, objstore.ErrChecksum) {
		t.Errorf("short object: got %v, expected %v", err, objstore.ErrChecksum)
	}
	gone := objstore.Attrs{Key: "stored/a", Generation: "none"}
	if _, err := b.Checksum(t.Context(), gone); !errors.Is(err, objstore.ErrChanged) {
		t.Errorf("replaced object: got %v, expected %v", err, objstore.ErrChanged)
	}
}

// An offset that is wrong, a store that serves less than asked for, and an
// object that is replaced between two reads.
func TestOpenAtFails(t *testing.T) {
	d := &tampered{Driver: mem.New()}
	b := objstore.New(d, "test")
	create(t, b, "a", "0123456789")
	a := stat(t, b, "a")
	r, err := b.OpenAt(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 4)
	if _, err := r.ReadAt(p, -1); err == nil {
		t.Error("a negative offset can be read")
	}
	d.opened = func(io.ReadCloser) io.ReadCloser { return body{strings.NewReader("01")} }
	if n, err := r.ReadAt(p, 0); n != 2 || !errors.Is(err, objstore.ErrChecksum) {
		t.Errorf("short range: got %d bytes, %v, expected %v", n, err, objstore.ErrChecksum)
	}
	if _, err := b.Replace(t.Context(), "a", []byte("9876543210"), a.Generation); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(p, 0); !errors.Is(err, objstore.ErrChanged) {
		t.Errorf("replaced: got %v, expected %v", err, objstore.ErrChanged)
	}
}

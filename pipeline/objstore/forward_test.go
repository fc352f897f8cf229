package objstore_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// someBytes gives n bytes by chance.
func someBytes(n int) []byte {
	data, r := make([]byte, n), rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// forward stores data and opens it with so many last bytes.
func forward(t *testing.T, d *tampered, data []byte, last int64) (*objstore.Forward, error) {
	t.Helper()
	b := objstore.New(d, "test")
	create(t, b, "a", string(data))
	f, err := b.OpenForward(t.Context(), stat(t, b, "a"), last)
	if err == nil {
		t.Cleanup(func() { _ = f.Close() })
	}
	return f, err
}

func TestForwardGivesTheObject(t *testing.T) {
	data := someBytes(10_000)
	for _, last := range []int64{0, 1, 100, 9_999, 10_000, 20_000} {
		requests := 0
		f, err := forward(t, &tampered{Driver: mem.New(), opening: func() { requests++ }}, data, last)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, uint64(last)))
		for at := 0; at < len(data); at += r.IntN(500) {
			got := make([]byte, r.IntN(700))
			n, err := f.ReadAt(got, int64(at))
			want := data[at:min(at+len(got), len(data))]
			if !bytes.Equal(got[:n], want) || err != nil && (!errors.Is(err, io.EOF) || n == len(got)) {
				t.Fatalf("%d last bytes: read %d of %d bytes at %d: %v", last, n, len(got), at, err)
			}
			at += n
		}
		if err := f.Verify(); err != nil || requests > 3 {
			t.Errorf("%d last bytes: %v after %d requests, expected at most 3", last, err, requests)
		}
	}
}

func TestForwardGoesForwardOnly(t *testing.T) {
	data := someBytes(1000)
	f, err := forward(t, &tampered{Driver: mem.New()}, data, 100)
	if err != nil {
		t.Fatal(err)
	}
	read := func(at, n int) error {
		got := make([]byte, n)
		_, err := f.ReadAt(got, int64(at))
		if err == nil && !bytes.Equal(got, data[at:at+n]) {
			t.Errorf("other bytes at %d", at)
		}
		return err
	}
	for _, place := range [][2]int{{950, 50}, {880, 20}, {890, 110}, {4, 10}, {500, 10}, {880, 120}} {
		if err := read(place[0], place[1]); err != nil {
			t.Errorf("%d bytes at %d: %v", place[1], place[0], err)
		}
	}
	if err := read(100, 10); err == nil {
		t.Error("what was passed can be read again")
	}
	if err := read(-1, 0); err == nil {
		t.Error("there are bytes before the first")
	}
}

// TestForwardNoticesOtherBytes holds that every bit counts, in the end by either request.
func TestForwardNoticesOtherBytes(t *testing.T) {
	data := someBytes(300)
	for request := range 2 {
		for at := range data {
			opened := 0
			d := &tampered{Driver: mem.New(), opened: func(r io.ReadCloser) io.ReadCloser {
				if opened++; opened != request+1 {
					return r
				}
				bytes, _ := io.ReadAll(r)
				if i := at - len(data) + len(bytes); i >= 0 {
					bytes[i] ^= 4
				}
				return io.NopCloser(strings.NewReader(string(bytes)))
			}}
			f, err := forward(t, d, data, 40)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = f.ReadAt(make([]byte, 10), 4)
			err = f.Verify()
			if changed := request == 1 || at >= 260; errors.Is(err, objstore.ErrChecksum) != changed {
				t.Errorf("request %d, byte %d: got %v, changed is %v", request+1, at, err, changed)
			}
		}
	}
}

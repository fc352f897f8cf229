package mem_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/objstore/objstoretest"
)

func TestConformance(t *testing.T) {
	objstoretest.Run(t, func(*testing.T) objstore.Driver { return mem.New() }, objstoretest.Options{})
}

func TestCancelledRead(t *testing.T) {
	d := mem.New()
	if _, err := objstore.New(d, "test").CreateBytes(t.Context(), "a", []byte("data")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := d.Open(ctx, "a", "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected %v", err, context.Canceled)
	}
}

package objstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// careless is a store that ignores some conditions.
type careless struct {
	*mem.Driver
	ignores  func(objstore.Condition) bool
	noDelete bool // and no replace, as on Google Cloud Storage
}

func (c careless) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	if c.noDelete && cond.Generation() != "" {
		return nil, objstore.ErrPermission
	}
	if c.ignores(cond) {
		cond = objstore.Any
	}
	return c.Driver.Put(ctx, key, cond)
}

func (c careless) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	if c.noDelete {
		return objstore.ErrPermission
	}
	return c.Driver.Delete(ctx, key, cond)
}

// count gives how many objects there are, hidden ones too.
func count(t *testing.T, d objstore.Driver) (n int) {
	t.Helper()
	err := d.List(t.Context(), "", false, func(objstore.Attrs) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestProbe(t *testing.T) {
	nothing := func(objstore.Condition) bool { return false }
	creates := func(c objstore.Condition) bool { return c == objstore.Absent }
	replaces := func(c objstore.Condition) bool { return c.Generation() != "" }
	for name, c := range map[string]struct {
		store careless
		want  error
		says  string
		left  int
	}{
		"a safe store":              {careless{mem.New(), nothing, false}, nil, "", 0},
		"without the right":         {careless{mem.New(), nothing, true}, nil, "", 1},
		"If-None-Match is ignored":  {careless{mem.New(), creates, false}, objstore.ErrUnsafe, "created an object", 0},
		"If-Match is ignored":       {careless{mem.New(), replaces, false}, objstore.ErrUnsafe, "replaced a generation", 0},
		"every condition, no right": {careless{mem.New(), func(objstore.Condition) bool { return true }, true}, objstore.ErrUnsafe, "probe gs://nightly/latest", 1},
	} {
		b := objstore.New(c.store, "gs://nightly")
		replaced, err := objstore.Probe(t.Context(), b.Sub("latest"))
		if !errors.Is(err, c.want) || (err != nil && !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v, expected %v", name, err, c.want)
		}
		if err == nil && replaced == c.store.noDelete {
			t.Errorf("%s: replaced %v", name, replaced)
		}
		if listed, err := b.List(t.Context(), ""); err != nil || len(listed) != 0 {
			t.Errorf("%s: the probe is listed as data: %v, %v", name, listed, err)
		}
		if n := count(t, c.store); n != c.left {
			t.Errorf("%s: %d objects are left, expected %d", name, n, c.left)
		}
	}
}

func TestProbeOfLocalFiles(t *testing.T) {
	if _, err := objstore.Probe(t.Context(), objstore.New(file.NewOutput(t.TempDir()), "test").Sub("latest")); err != nil {
		t.Error(err)
	}
}

// A lost answer is no proof: the probe begins anew. What the store says clearly
// ends it, and so does a store that never answers.
func TestProbeWithoutAnswers(t *testing.T) {
	for _, reply := range []error{errReset, objstore.ErrPrecondition} {
		d := &tampered{Driver: mem.New()}
		lost := 0
		d.replied = func(err error) error {
			if lost++; lost == 1 {
				return reply
			}
			return err
		}
		if _, err := objstore.Probe(t.Context(), objstore.New(d, "test")); err != nil {
			t.Errorf("%v once: %v", reply, err)
		}
	}
	for _, reply := range []error{errReset, objstore.ErrPermission} {
		d := &tampered{Driver: mem.New(), replied: func(error) error { return reply }}
		if _, err := objstore.Probe(t.Context(), objstore.New(d, "test")); !errors.Is(err, reply) || errors.Is(err, objstore.ErrUnsafe) {
			t.Errorf("%v always: got %v", reply, err)
		}
	}
}

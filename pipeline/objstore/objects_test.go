package objstore_test

import (
	"slices"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

func TestObjectsAreOneLevelBelow(t *testing.T) {
	b := objstore.New(mem.New(), "mem://b").Sub("root")
	for _, key := range []string{"dt=1/b", "dt=1/a", "dt=1/deeper/c", "dt=1/.tmpfile", "dt=10/d", "e"} {
		if _, err := b.CreateBytes(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string][]string{
		"dt=1/": {"dt=1/.tmpfile", "dt=1/a", "dt=1/b"},
		"dt=1":  {"dt=1/.tmpfile", "dt=1/a", "dt=1/b"},
		"":      {"e"},
		"no/":   nil,
	} {
		found, err := b.Objects(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, a := range found {
			keys = append(keys, a.Key)
		}
		if !slices.Equal(keys, want) {
			t.Errorf("below %q are %q, want %q", prefix, keys, want)
		}
	}
}

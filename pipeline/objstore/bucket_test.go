package objstore_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

func bucket(t *testing.T) *objstore.Bucket {
	t.Helper()
	return objstore.New(mem.New(), "gs://nightly/")
}

func TestURL(t *testing.T) {
	b := bucket(t)
	for _, c := range []struct{ got, want string }{
		{b.URL(""), "gs://nightly"},
		{b.URL("a/b"), "gs://nightly/a/b"},
		{b.Sub("churn").URL(""), "gs://nightly/churn"},
		{b.Sub("churn").Sub("runs/").URL("x"), "gs://nightly/churn/runs/x"},
		{b.Sub("").URL("x"), "gs://nightly/x"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, expected %s", c.got, c.want)
		}
	}
}

func TestKeysAreRelativeToTheBucket(t *testing.T) {
	whole := bucket(t)
	for _, key := range []string{"runs/1/b", "runs/1/a", "runs/2/a", "runs/x", "other"} {
		create(t, whole, key, key)
	}
	runs := whole.Sub("runs")
	listed, err := runs.List(t.Context(), "1/")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, a := range listed {
		keys = append(keys, a.Key)
	}
	if diff := cmp.Diff([]string{"1/a", "1/b"}, keys); diff != "" {
		t.Error(diff)
	}
	data, a, err := runs.Read(t.Context(), "2/a", 100)
	if err != nil || string(data) != "runs/2/a" || a.Key != "2/a" {
		t.Errorf("got %q, %+v, %v", data, a, err)
	}
}

func TestFolders(t *testing.T) {
	b := bucket(t)
	for _, key := range []string{"runs/2026-11-22/b/x", "runs/2026-11-21/a", "runs/file", "top"} {
		create(t, b, key, "")
	}
	for prefix, want := range map[string][]string{
		"":                 {"runs"},
		"runs":             {"2026-11-21", "2026-11-22"},
		"runs/":            {"2026-11-21", "2026-11-22"},
		"runs/2026-11-22/": {"b"},
		"none":             nil,
	} {
		got, err := b.Folders(t.Context(), prefix)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("folders of %q: %s", prefix, diff)
		}
	}
}

// What other tools leave behind: an empty object in place of a folder, and a
// temporary file.
func TestListLeavesOutWhatIsNoObject(t *testing.T) {
	d := mem.New()
	for _, key := range []string{"dt=1/", "dt=1/part", "dt=1/.tmp-abc", ".tmp-x/y"} {
		u, err := d.Put(t.Context(), key, objstore.Absent)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(objstore.Checksum{}); err != nil {
			t.Fatal(err)
		}
	}
	b := objstore.New(d, "test")
	listed, err := b.List(t.Context(), "")
	if err != nil || len(listed) != 1 || listed[0].Key != "dt=1/part" {
		t.Errorf("listed %+v, %v, expected only dt=1/part", listed, err)
	}
	folders, err := b.Folders(t.Context(), "")
	if diff := cmp.Diff([]string{"dt=1"}, folders); diff != "" || err != nil {
		t.Error(diff, err)
	}
	inside, err := b.Folders(t.Context(), "dt=1")
	if len(inside) != 0 || err != nil {
		t.Errorf("folders in dt=1: %q, %v", inside, err)
	}
}

func TestStat(t *testing.T) {
	b := bucket(t)
	create(t, b, "a-b", "x")
	create(t, b, "a/b", "x")
	written := create(t, b, "ab", "abc")
	a := stat(t, b, "ab")
	if a.Key != "ab" || a.Size != 3 || a.Generation != written.Generation {
		t.Errorf("got %+v, expected what was written: %+v", a, written)
	}
	for _, key := range []string{"a", "b"} {
		if _, err := b.Stat(t.Context(), key); !errors.Is(err, objstore.ErrNotExist) {
			t.Errorf("stat %s: got %v, expected %v", key, err, objstore.ErrNotExist)
		}
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	b := bucket(t).Sub("churn")
	_, err := b.Stat(t.Context(), "latest")
	if err == nil || err.Error() != "look up gs://nightly/churn/latest: object does not exist" {
		t.Errorf("got %q", err)
	}
}

func TestDelete(t *testing.T) {
	b := bucket(t)
	written := create(t, b, "a", "x")
	err := b.Delete(t.Context(), "a", objstore.IfGeneration(written.Generation+"0"))
	if !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("got %v, expected %v", err, objstore.ErrPrecondition)
	}
	if err := b.Delete(t.Context(), "a", objstore.IfGeneration(written.Generation)); err != nil {
		t.Error(err)
	}
	if err := b.Delete(t.Context(), "a", objstore.Any); !errors.Is(err, objstore.ErrNotExist) {
		t.Errorf("got %v, expected %v", err, objstore.ErrNotExist)
	}
}

func TestCondition(t *testing.T) {
	for _, c := range []struct {
		cond objstore.Condition
		now  string
		want bool
	}{
		{objstore.Any, "", true}, {objstore.Any, "7", true},
		{objstore.Absent, "", true}, {objstore.Absent, "7", false},
		{objstore.IfGeneration("7"), "", false}, {objstore.IfGeneration("7"), "7", true},
		{objstore.IfGeneration("7"), "8", false},
		{objstore.IfGeneration(""), "", true}, {objstore.IfGeneration(""), "7", false},
	} {
		if got := c.cond.Holds(c.now); got != c.want {
			t.Errorf("%+v with %q there: got %v", c.cond, c.now, got)
		}
	}
}

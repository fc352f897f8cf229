// Package objstoretest is the acceptance suite of object stores: a driver that
// passes it may carry publications.
package objstoretest

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Options names what the store under test cannot show, because it is an
// emulator that does less than the store it stands for. What is left out is
// printed.
type Options struct {
	// IgnoresDeleteConditions: an object is deleted whatever the condition.
	IgnoresDeleteConditions bool
	// RenamesLargeGenerations: an object that was sent in pieces has another
	// generation than its commit said.
	RenamesLargeGenerations bool
}

// Run puts a driver to every test, each with a fresh and empty store from open.
func Run(t *testing.T, open func(t *testing.T) objstore.Driver, opts Options) {
	for _, c := range checks {
		if c.leftOut != nil && c.leftOut(opts) {
			t.Logf("left out, the store under test cannot show it: %s", c.name)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			c.run(store{T: t, driver: open(t)})
		})
	}
}

type check struct {
	name    string
	run     func(store)
	leftOut func(Options) bool
}

var checks = []check{
	{name: "RoundTrip", run: roundTrip},
	{name: "LargeObject", run: largeObject,
		leftOut: func(o Options) bool { return o.RenamesLargeGenerations }},
	{name: "CreateOnce", run: createOnce},
	{name: "OneOfManyCreatesWins", run: oneOfManyCreatesWins},
	{name: "Replace", run: replace},
	{name: "ReplaceMissing", run: replaceMissing},
	{name: "OneOfManyReplacesWins", run: oneOfManyReplacesWins},
	{name: "NothingBeforeCommit", run: nothingBeforeCommit},
	{name: "Abort", run: abort},
	{name: "Cancel", run: cancel},
	{name: "CancelledPut", run: cancelledPut},
	{name: "EndedUpload", run: endedUpload},
	{name: "WrongChecksum", run: wrongChecksum},
	{name: "LostReply", run: lostReply},
	{name: "Ranges", run: ranges},
	{name: "PinnedGeneration", run: pinnedGeneration},
	{name: "NotFound", run: notFound},
	{name: "RandomAccess", run: randomAccess},
	{name: "ListOrder", run: listOrder},
	{name: "ListPrefix", run: listPrefix},
	{name: "ListFolders", run: listFolders},
	{name: "ListOddKeys", run: listOddKeys},
	{name: "ListManyKeys", run: listManyKeys},
	{name: "ListAttributes", run: listAttributes},
	{name: "ListEnds", run: listEnds},
	{name: "Delete", run: deletes},
	{name: "DeleteIfGeneration", run: deleteIfGeneration,
		leftOut: func(o Options) bool { return o.IgnoresDeleteConditions }},
}

// store is the driver under test with the steps that tests are made of.
type store struct {
	*testing.T
	driver objstore.Driver
}

func (s store) ctx() context.Context { return s.Context() }

// try writes an object in pieces.
func (s store) try(key, data string, cond objstore.Condition) (objstore.Attrs, error) {
	u, err := s.driver.Put(s.ctx(), key, cond)
	if err != nil {
		return objstore.Attrs{}, err
	}
	defer u.Abort()
	half := len(data) / 2
	for _, piece := range []string{data[:half], data[half:]} {
		if _, err := io.WriteString(u, piece); err != nil {
			return objstore.Attrs{}, err
		}
	}
	return u.Commit(objstore.ChecksumOf([]byte(data)))
}

func (s store) create(key, data string) objstore.Attrs {
	s.Helper()
	a, err := s.try(key, data, objstore.Absent)
	if err != nil {
		s.Fatalf("create %q: %v", key, err)
	}
	return a
}

// begin starts an upload and writes data to it.
func (s store) begin(ctx context.Context, key, data string) objstore.Upload {
	s.Helper()
	u, err := s.driver.Put(ctx, key, objstore.Absent)
	if err != nil {
		s.Fatalf("put %q: %v", key, err)
	}
	if _, err := io.WriteString(u, data); err != nil {
		s.Fatalf("write %q: %v", key, err)
	}
	return u
}

func (s store) read(key, generation string, offset, length int64) (string, error) {
	r, err := s.driver.Open(s.ctx(), key, generation, offset, length)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	return string(data), errors.Join(err, r.Close())
}

func (s store) list(prefix string, folders bool) []objstore.Attrs {
	s.Helper()
	var found []objstore.Attrs
	err := s.driver.List(s.ctx(), prefix, folders, func(a objstore.Attrs) error {
		found = append(found, a)
		return nil
	})
	if err != nil {
		s.Fatalf("list %q: %v", prefix, err)
	}
	return found
}

func (s store) keys(prefix string, folders bool) []string {
	s.Helper()
	var keys []string
	for _, a := range s.list(prefix, folders) {
		keys = append(keys, a.Key)
	}
	return keys
}

func (s store) wantData(key, want string) {
	s.Helper()
	got, err := s.read(key, "", 0, -1)
	if err != nil {
		s.Fatalf("read %q: %v", key, err)
	}
	if got != want {
		s.Errorf("%q holds %s, expected %s", key, brief(got), brief(want))
	}
}

func (s store) wantNothing() {
	s.Helper()
	if keys := s.keys("", false); len(keys) > 0 {
		s.Errorf("the store lists %q, expected nothing", keys)
	}
	if folders := s.keys("", true); len(folders) > 0 {
		s.Errorf("the store lists the folders %q, expected nothing", folders)
	}
}

func (s store) wantKind(what string, got, want error) {
	s.Helper()
	if !errors.Is(got, want) {
		s.Errorf("%s: got error %v, expected %v", what, got, want)
	}
}

package objstoretest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline/objstore"
)

// inOrder has keys in the order of their bytes, which is neither that of a
// walk through folders (a-b, a.b come before a/b) nor that of a language.
var inOrder = []string{
	"A", "Z/z", "a b", "a-b", "a.b", "a/b", "a/b-", "a/c/d", "a/c/e f", "a/c0", "a0",
	"aa", "b=1/x", "b=1/é", "bé/x", "bü", "日本/語",
}

func (s store) fill() {
	s.Helper()
	shuffled := slices.Clone(inOrder)
	slices.Reverse(shuffled)
	for _, key := range shuffled {
		s.create(key, key)
	}
}

func (s store) wantKeys(what string, got, want []string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("%s: got %q, expected %q", what, got, want)
	}
}

func listOrder(s store) {
	s.wantNothing()
	s.fill()
	s.wantKeys("list everything", s.keys("", false), inOrder)
}

func listPrefix(s store) {
	s.fill()
	for prefix, want := range map[string][]string{
		"a/":      {"a/b", "a/b-", "a/c/d", "a/c/e f", "a/c0"},
		"a/c":     {"a/c/d", "a/c/e f", "a/c0"},
		"a/c/":    {"a/c/d", "a/c/e f"},
		"b":       {"b=1/x", "b=1/é", "bé/x", "bü"},
		"b=1/é":   {"b=1/é"},
		"a/b/":    nil,
		"nothing": nil,
		"no/such": nil,
	} {
		s.wantKeys("list "+prefix, s.keys(prefix, false), want)
	}
}

func listFolders(s store) {
	s.fill()
	for prefix, want := range map[string][]string{
		"":      {"A", "Z/", "a b", "a-b", "a.b", "a/", "a0", "aa", "b=1/", "bé/", "bü", "日本/"},
		"a":     {"a b", "a-b", "a.b", "a/", "a0", "aa"},
		"a/":    {"a/b", "a/b-", "a/c/", "a/c0"},
		"a/c":   {"a/c/", "a/c0"},
		"a/c/d": {"a/c/d"},
		"x/":    nil,
	} {
		s.wantKeys("list folders of "+prefix, s.keys(prefix, true), want)
	}
	if err := s.driver.Delete(s.ctx(), "Z/z", objstore.Any); err != nil {
		s.Fatal(err)
	}
	s.wantKeys("list a folder without objects", s.keys("Z", true), nil)
}

// oddInOrder has what stores, URLs and XML have a meaning for, and keys that
// are beginnings of each other.
var oddInOrder = []string{
	" a", "!", "%", "%20", "%2F", "&amp;", "'", "(a)", "+", "..a", ".a", "=", "__0x25__", "a", "a b", "a!/b",
	"a\"b", "a#b", "a$b", "a%", "a%20b", "a%2Fb", "a&b", "a'b", "a+b", "a,b", "a..b", "a../b", "a.b/c",
	"a0", "a:b", "a;b", "a<b>", "a=b/c=d", "a?b", "a@b", "a[0-9]*", "a~b", "é", "e\u0301/x", "日本",
}

func listOddKeys(s store) {
	keys := slices.Sorted(slices.Values(oddInOrder))
	for _, key := range keys {
		s.create(key, key)
	}
	s.wantKeys("list odd keys", s.keys("", false), keys)
	for _, key := range keys {
		s.wantData(key, key)
		if found := s.keys(key, true); len(found) == 0 || found[0] != key {
			s.Errorf("list of %q begins with %q", key, found)
		}
	}
	s.wantKeys("list the folders of odd keys", s.keys("a.", true), []string{"a../", "a..b", "a.b/"})
	for _, key := range keys {
		if err := s.driver.Delete(s.ctx(), key, objstore.Any); err != nil {
			s.Errorf("delete %q: %v", key, err)
		}
	}
	s.wantNothing()
}

// many is more than any store lists at once.
const many = 1005

func listManyKeys(s store) {
	var keys, folders []string
	for i := range many {
		folders = append(folders, fmt.Sprintf("dt=%04d/", i))
		keys = append(keys, folders[i]+"x")
	}
	var written errgroup.Group
	written.SetLimit(racers)
	for _, key := range keys {
		written.Go(func() error {
			_, err := s.try(key, "x", objstore.Absent)
			return err
		})
	}
	if err := written.Wait(); err != nil {
		s.Fatal(err)
	}
	s.wantKeys("list many keys", s.keys("", false), keys)
	s.wantKeys("list many folders", s.keys("", true), folders)
	s.wantKeys("list the end of many", s.keys("dt=1004", false), keys[many-1:])
}

// listAttributes: what is listed is what the commit said, and what can be read.
func listAttributes(s store) {
	committed := s.create("some/key", "data")
	listed := s.list("some/", false)[0]
	if listed.Key != committed.Key || listed.Size != 4 || listed.Generation != committed.Generation {
		s.Errorf("listed %+v, committed %+v", listed, committed)
	}
	if want := objstore.ChecksumOf([]byte("data")).CRC32C; listed.HasCRC32C && listed.CRC32C != want {
		s.Errorf("listed crc32c %08x, expected %08x", listed.CRC32C, want)
	}
	if listed.Modified.IsZero() {
		s.Error("listed without a time")
	}
	if got, err := s.read(listed.Key, listed.Generation, 0, -1); got != "data" || err != nil {
		s.Errorf("the listed generation reads as %q, %v", got, err)
	}
}

func listEnds(s store) {
	s.fill()
	enough := errors.New("enough")
	for _, folders := range []bool{false, true} {
		seen := 0
		err := s.driver.List(s.ctx(), "", folders, func(objstore.Attrs) error {
			seen++
			return enough
		})
		s.wantKind("end a listing", err, enough)
		if seen != 1 {
			s.Errorf("a listing went on to %d objects after an error", seen)
		}
		ctx, stop := context.WithCancel(s.ctx())
		stop()
		err = s.driver.List(ctx, "", folders, func(objstore.Attrs) error { return nil })
		s.wantKind("list after cancel", err, context.Canceled)
	}
}

func deletes(s store) {
	s.fill()
	for i, key := range inOrder {
		if err := s.driver.Delete(s.ctx(), key, objstore.Any); err != nil {
			s.Errorf("delete %q: %v", key, err)
		}
		s.wantKeys("after deleting "+key, s.keys("", false), inOrder[i+1:])
	}
	s.wantKind("delete again", s.driver.Delete(s.ctx(), inOrder[0], objstore.Any), objstore.ErrNotExist)
	s.create(inOrder[0], "again")
	s.wantData(inOrder[0], "again")
}

func deleteIfGeneration(s store) {
	first := s.create("key", "first")
	second, err := s.try("key", "second", objstore.IfGeneration(first.Generation))
	if err != nil {
		s.Fatal(err)
	}
	err = s.driver.Delete(s.ctx(), "key", objstore.IfGeneration(first.Generation))
	s.wantKind("delete a generation that is gone", err, objstore.ErrPrecondition)
	s.wantData("key", "second")
	if err := s.driver.Delete(s.ctx(), "key", objstore.IfGeneration(second.Generation)); err != nil {
		s.Errorf("delete the generation that is there: %v", err)
	}
	s.wantNothing()
}

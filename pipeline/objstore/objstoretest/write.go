package objstoretest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/churntier/churntier/pipeline/objstore"
)

const (
	racers = 24
	large  = 9<<20 + 12345 // bytes; more than any driver sends or holds at once
)

func roundTrip(s store) {
	for _, object := range [][2]string{
		{"empty", ""},
		{"one/two/three", "some bytes"},
		{"dt=2026-11-22/x ", "\x00\xff\r\n"},
	} {
		key, data := object[0], object[1]
		a := s.create(key, data)
		if a.Key != key || a.Size != int64(len(data)) || a.Generation == "" {
			s.Errorf("commit of %q says %+v", key, a)
		}
		s.wantData(key, data)
	}
}

func largeObject(s store) {
	data := random()
	a := s.create("large", data)
	got, err := s.read("large", a.Generation, 0, -1)
	if err != nil || got != data {
		s.Errorf("got %s, %v, expected %s", brief(got), err, brief(data))
	}
}

func createOnce(s store) {
	s.create("a/key", "first")
	_, err := s.try("a/key", "second", objstore.Absent)
	s.wantKind("create again", err, objstore.ErrPrecondition)
	s.wantData("a/key", "first")
}

func oneOfManyCreatesWins(s store) {
	winner := s.race("commits/00000000.json", 0, objstore.Absent)
	s.wantData("commits/00000000.json", winner.data)
	if keys := s.keys("", false); len(keys) != 1 {
		s.Errorf("the store lists %q, expected the one that was created", keys)
	}
}

func replace(s store) {
	first := s.create("latest", "first")
	second, err := s.try("latest", "second", objstore.IfGeneration(first.Generation))
	if err != nil {
		s.Fatalf("replace the generation that is there: %v", err)
	}
	if second.Generation == first.Generation {
		s.Errorf("both contents have generation %s", first.Generation)
	}
	_, err = s.try("latest", "third", objstore.IfGeneration(first.Generation))
	s.wantKind("replace a generation that is gone", err, objstore.ErrPrecondition)
	s.wantData("latest", "second")
	if _, err = s.try("latest", "fourth", objstore.Any); err != nil {
		s.Errorf("replace without a condition: %v", err)
	}
	s.wantData("latest", "fourth")
}

func replaceMissing(s store) {
	a := s.create("gone", "data")
	if err := s.driver.Delete(s.ctx(), "gone", objstore.Any); err != nil {
		s.Fatal(err)
	}
	_, err := s.try("gone", "again", objstore.IfGeneration(a.Generation))
	s.wantKind("replace what was deleted", err, objstore.ErrPrecondition)
	s.wantNothing()
	if _, err = s.try("new", "data", objstore.Any); err != nil {
		s.Errorf("write without a condition where nothing is: %v", err)
	}
	s.wantData("new", "data")
}

// oneOfManyReplacesWins races in rounds, so that versions follow each other
// faster than a coarse clock ticks. No content comes back: a store may give
// equal contents the same generation.
func oneOfManyReplacesWins(s store) {
	now := s.create("latest", "before all racers").Generation
	seen := map[string]bool{now: true}
	for round := range 10 {
		winner := s.race("latest", round, objstore.IfGeneration(now))
		s.wantData("latest", winner.data)
		now = winner.attrs.Generation
		if seen[now] {
			s.Errorf("generation %s came back with another content", now)
		}
		seen[now] = true
	}
}

func nothingBeforeCommit(s store) {
	u := s.begin(s.ctx(), "runs/1/part", "data")
	defer u.Abort()
	s.wantNothing()
	_, err := s.read("runs/1/part", "", 0, -1)
	s.wantKind("read before commit", err, objstore.ErrNotExist)
	if _, err := u.Commit(objstore.ChecksumOf([]byte("data"))); err != nil {
		s.Fatal(err)
	}
	u.Abort()
	s.wantData("runs/1/part", "data")
}

func abort(s store) {
	for name, data := range map[string]string{"small": "data", "large": random()} {
		u := s.begin(s.ctx(), "runs/1/"+name, data)
		u.Abort()
		u.Abort()
	}
	s.wantNothing()
}

func cancel(s store) {
	for name, data := range map[string]string{"small": "data", "large": random()} {
		ctx, stop := context.WithCancel(s.ctx())
		u := s.begin(ctx, "runs/1/"+name, data)
		stop()
		_, err := u.Commit(objstore.ChecksumOf([]byte(data)))
		s.wantKind("commit after cancel", err, context.Canceled)
		u.Abort()
	}
	s.wantNothing()
}

// cancelledPut may fail at once or at any later step.
func cancelledPut(s store) {
	ctx, stop := context.WithCancel(s.ctx())
	stop()
	u, err := s.driver.Put(ctx, "key", objstore.Absent)
	if err == nil {
		_, err = u.Write([]byte("data"))
	}
	s.wantKind("write after cancel", err, context.Canceled)
	s.wantNothing()
	s.wantKind("delete after cancel", s.driver.Delete(ctx, "key", objstore.Any), context.Canceled)
}

func endedUpload(s store) {
	sum := objstore.ChecksumOf([]byte("data"))
	u := s.begin(s.ctx(), "key", "data")
	if _, err := u.Commit(sum); err != nil {
		s.Fatal(err)
	}
	if _, err := u.Write([]byte("more")); err == nil {
		s.Error("a write after commit succeeds")
	}
	if _, err := u.Commit(sum); err == nil {
		s.Error("a second commit succeeds")
	}
	s.wantData("key", "data")
}

func wrongChecksum(s store) {
	right := objstore.ChecksumOf([]byte("data"))
	for name, wrong := range map[string]objstore.Checksum{
		"size":   {Size: right.Size + 1, CRC32C: right.CRC32C},
		"crc32c": {Size: right.Size, CRC32C: right.CRC32C ^ 1},
	} {
		_, err := s.begin(s.ctx(), "key", "data").Commit(wrong)
		s.wantKind("commit with another "+name, err, objstore.ErrChecksum)
	}
	_, err := s.begin(s.ctx(), "key", random()).Commit(right)
	s.wantKind("commit of a large object", err, objstore.ErrChecksum)
	s.wantNothing()
}

type attempt struct {
	data  string
	attrs objstore.Attrs
	err   error
}

// race writes the same key with equal sizes, commits at the same time, and
// gives the only winner.
func (s store) race(key string, round int, cond objstore.Condition) attempt {
	s.Helper()
	attempts := make([]attempt, racers)
	var written, done sync.WaitGroup
	written.Add(racers)
	for i := range attempts {
		done.Go(func() { attempts[i] = s.compete(key, fmt.Sprintf("round %d racer %04d", round, i), cond, &written) })
	}
	done.Wait()
	return s.onlyWinner(attempts)
}

// compete writes everything, waits until all have, and commits.
func (s store) compete(key, data string, cond objstore.Condition, written *sync.WaitGroup) attempt {
	u, err := s.driver.Put(s.ctx(), key, cond)
	if err == nil {
		defer u.Abort()
		_, err = io.WriteString(u, data)
	}
	written.Done()
	written.Wait()
	if err != nil {
		return attempt{data: data, err: err}
	}
	attrs, err := u.Commit(objstore.ChecksumOf([]byte(data)))
	return attempt{data, attrs, err}
}

func (s store) onlyWinner(attempts []attempt) attempt {
	s.Helper()
	var winners []attempt
	for _, a := range attempts {
		if a.err == nil {
			winners = append(winners, a)
			continue
		}
		s.wantKind(a.data+" loses", a.err, objstore.ErrPrecondition)
	}
	if len(winners) != 1 {
		s.Fatalf("%d of %d racers won, expected exactly one", len(winners), racers)
	}
	return winners[0]
}

func random() string {
	data := make([]byte, large)
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(data)
	return string(data)
}

func brief(data string) string {
	if len(data) <= 80 {
		return fmt.Sprintf("%q", data)
	}
	return fmt.Sprintf("%d bytes from %q", len(data), data[:16])
}

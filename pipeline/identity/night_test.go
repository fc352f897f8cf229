package identity

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"
)

// user is a row of a test night; an empty id is a bad one.
type user struct {
	id      string
	order   byte // 0 is null
	content byte
}

// night is a snapshot, its lists and how to work on it.
type night struct {
	users  []user
	listed []string
	o      Options
}

// bruteForce gives the fates by the words of the contract, with maps.
func (n night) bruteForce() []Fate {
	listed, rows := map[string]bool{}, map[string][]int{}
	for _, id := range n.listed {
		listed[id] = true
	}
	for i, u := range n.users {
		rows[u.id] = append(rows[u.id], i)
	}
	out := make([]Fate, len(n.users))
	for id, same := range rows {
		switch {
		case id == "":
		case listed[id]:
			n.set(out, same, Listed)
		case len(same) == 1:
		case n.o.Policy == Reject:
			n.set(out, same, DuplicateID)
		case n.o.Policy == KeepIdentical:
			n.keepOne(out, same, same)
		case n.o.Policy == Crowd && len(same) <= 20:
		case n.o.Policy == Crowd:
			n.set(out, same, Crowded)
		default:
			n.keepOne(out, same, n.latest(same))
		}
	}
	return out
}

// suspects says of each row and listed id whether it is a suspect when no two
// ids share a hash.
func (n night) suspects() []bool {
	inSnapshot, inLists := map[string]int{}, map[string]int{}
	for _, u := range n.users {
		inSnapshot[u.id]++
	}
	for _, id := range n.listed {
		inLists[id]++
	}
	var out []bool
	most := 1
	if n.o.Policy == Crowd {
		most = 20
	}
	for _, u := range n.users {
		out = append(out, u.id != "" && (inSnapshot[u.id] > most || inLists[u.id] > 0))
	}
	for _, id := range n.listed {
		out = append(out, id != "" && inSnapshot[id] > 0)
	}
	return out
}

func (n night) latest(rows []int) []int {
	var most byte
	for _, i := range rows {
		most = max(most, n.users[i].order)
	}
	var out []int
	for _, i := range rows {
		if n.users[i].order == most {
			out = append(out, i)
		}
	}
	return out
}

// keepOne keeps the first of the equals, which must be identical; the other rows
// are older.
func (n night) keepOne(out []Fate, rows, equals []int) {
	n.set(out, rows, DuplicateOlder)
	n.set(out, equals, DuplicateCopy)
	out[equals[0]] = Kept
	for _, i := range equals {
		if n.users[i].content != n.users[equals[0]].content {
			n.set(out, rows, DuplicateConflict)
			return
		}
	}
}

func (night) set(out []Fate, rows []int, f Fate) {
	for _, i := range rows {
		out[i] = f
	}
}

func (n night) ids() []string {
	ids := make([]string, 0, len(n.users)+len(n.listed))
	for _, u := range n.users {
		ids = append(ids, u.id)
	}
	return append(ids, n.listed...)
}

// inShares runs work over rows in batches that the workers take in turn.
func (n night) inShares(total int64, work func(worker int, first, end int64) error) error {
	const batch = 1000
	errs := make(chan error, n.o.Workers)
	var wg sync.WaitGroup
	for w := range n.o.Workers {
		wg.Go(func() {
			for first := int64(w) * batch; first < total; first += int64(n.o.Workers) * batch {
				if err := work(w, first, min(first+batch, total)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func (n night) sieve() (*Suspects, error) {
	s, err := NewSieve(n.o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	ids := n.ids()
	collectors := make([]*SieveCollector, n.o.Workers)
	for w := range collectors {
		collectors[w] = s.Collector()
	}
	err = n.inShares(int64(len(ids)), func(w int, first, end int64) error {
		builder := array.NewStringBuilder(memory.DefaultAllocator)
		builder.AppendValues(ids[first:end], nil)
		var view IDs
		if err := view.Load(builder.NewStringArray()); err != nil {
			return err
		}
		return collectors[w].Add(&view, first)
	})
	for _, c := range collectors {
		if closed := c.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return nil, err
	}
	return s.Suspects(context.Background())
}

func (n night) judge(s *Suspects) (*Fates, error) {
	j, err := NewJudge(n.o, s)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	collectors := make([]*JudgeCollector, n.o.Workers)
	for w := range collectors {
		collectors[w] = j.Collector()
	}
	err = n.inShares(n.o.total(), func(w int, first, end int64) error {
		for row := s.Next(first); row >= 0 && row < end; row = s.Next(row + 1) {
			if err := n.accuse(collectors[w], row); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range collectors {
		if closed := c.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return nil, err
	}
	return j.Fates(context.Background())
}

func (n night) accuse(c *JudgeCollector, row int64) error {
	if row >= n.o.Rows {
		return c.AddListed(row, []byte(n.listed[row-n.o.Rows]))
	}
	u := n.users[row]
	var order []byte
	if u.order > 0 {
		order = bytes.Repeat([]byte{1}, int(u.order)) // longer is greater
	}
	return c.AddRow(row, []byte(u.id), order, [16]byte{u.content})
}

// fates runs the night through sieve and judge.
func (n night) fates() ([]Fate, *Suspects, error) {
	s, err := n.sieve()
	if err != nil {
		return nil, nil, err
	}
	f, err := n.judge(s)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Fate, n.o.Rows)
	var counts [fates]int64
	for first := int64(0); first < n.o.Rows; first += 777 {
		part := out[first:min(first+777, n.o.Rows)]
		found, err := f.Fill(first, part)
		if err != nil {
			return nil, nil, err
		}
		removed := false
		for i, fate := range part {
			removed = removed || fate != Kept
			if fate != Kept || s.Has(first+int64(i)) {
				counts[fate]++
			}
		}
		if removed != found {
			return nil, nil, fmt.Errorf("rows %d..: Fill says %v", first, found)
		}
	}
	for fate, count := range counts {
		if f.Count(Fate(fate)) != count {
			return nil, nil, fmt.Errorf("Count(%q) is %d, want %d", Fate(fate), f.Count(Fate(fate)), count)
		}
	}
	return out, s, f.Close()
}

// hashes are weak on purpose, so that different ids share partitions, table
// slots and whole hashes.
var hashes = map[string]func([]byte) uint64{
	"xxh3":     nil,
	"constant": func([]byte) uint64 { return 0 },
	"high":     func(b []byte) uint64 { return xxh3.Hash(b) >> 62 << 62 },
	"low":      func(b []byte) uint64 { return xxh3.Hash(b) & 7 },
	"few":      func(b []byte) uint64 { return xxh3.Hash(b) % 50 * 0x0507_1234_5678_9abd },
}

func drawNight(t *rapid.T) night {
	id := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"", "x", "user-", "a longer name of a user "}).Draw(t, "prefix") + fmt.Sprint(rapid.IntRange(0, 99).Draw(t, "n"))
	})
	ids := rapid.OneOf(id, id, rapid.SampledFrom([]string{"", "hot", "warm", "mild"}))
	row := rapid.Custom(func(t *rapid.T) user {
		return user{ids.Draw(t, "id"), rapid.ByteRange(0, 3).Draw(t, "order"), rapid.ByteRange(0, 1).Draw(t, "content")}
	})
	n := night{users: rapid.SliceOfN(row, 0, 300).Draw(t, "users"), listed: rapid.SliceOfN(ids, 0, 10).Draw(t, "listed")}
	n.o = Options{
		Rows: int64(len(n.users)), Listed: int64(len(n.listed)),
		Policy:  rapid.SampledFrom([]Policy{Reject, KeepIdentical, KeepLatest, Crowd}).Draw(t, "policy"),
		Workers: rapid.SampledFrom([]int{1, 2, 7}).Draw(t, "workers"),
		Memory:  rapid.SampledFrom([]int64{1, 5000, 1 << 20}).Draw(t, "memory"),
		hash:    hashes[rapid.SampledFrom([]string{"xxh3", "constant", "high", "low", "few"}).Draw(t, "hash")],
	}
	return n
}

func TestFatesAgreeWithBruteForce(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		n := drawNight(t)
		n.o.Temp = dir
		got, s, err := n.fates()
		if err != nil {
			t.Fatal(err)
		}
		want := n.bruteForce()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		for row, want := range n.suspects() {
			if got := s.Has(int64(row)); got != want && (want || n.o.hash == nil) {
				t.Fatalf("row %d: suspect %v, want %v", row, got, want)
			}
		}
	})
	assertEmpty(t, dir)
}

// TestLargeNight has enough rows for several partitions and for files.
func TestLargeNight(t *testing.T) {
	const rows = 140_000
	n := night{users: make([]user, rows)}
	for i := range n.users {
		n.users[i] = user{id: fmt.Sprint("u", i*7919%rows), order: byte(i % 3), content: byte(i / 30_000)}
		if i%5 == 0 {
			n.users[i].id = fmt.Sprint("u", i%1000)
		}
	}
	for i := range 1000 {
		n.listed = append(n.listed, fmt.Sprint("u", i*100))
	}
	dir := t.TempDir()
	for _, o := range []Options{
		{Policy: Reject, Workers: 1, Memory: 0},
		{Policy: KeepIdentical, Workers: 2, Memory: 256 << 10},
		{Policy: KeepLatest, Workers: 7, Memory: 1 << 20},
		{Policy: KeepLatest, Workers: 2, Memory: 1 << 30},
		{Policy: Crowd, Workers: 2, Memory: 256 << 10},
		{Policy: Crowd, Workers: 7, Memory: 0},
	} {
		o.Rows, o.Listed, o.Temp = rows, int64(len(n.listed)), dir
		n.o = o
		got, _, err := n.fates()
		if err != nil {
			t.Fatal(err)
		}
		for row, want := range n.bruteForce() {
			if got[row] != want {
				t.Fatalf("%s: row %d, id %s: got %q, want %q", o.Policy, row, n.users[row].id, got[row], want)
			}
		}
	}
	assertEmpty(t, dir)
}

package identity

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"
)

// prove gives the ids, of which "" is a null, to collectors in turn and says whether the
// proof holds.
func prove(t interface{ Fatal(...any) }, o Options, ids []string, batch int) bool {
	o.Rows = int64(len(ids))
	p, err := NewProof(o)
	if err != nil {
		t.Fatal(err)
	}
	collectors := make([]*ProofCollector, max(1, o.Workers))
	for i := range collectors {
		collectors[i] = p.Collector()
	}
	for i := 0; len(ids) > 0; i++ {
		n := min(batch, len(ids))
		var v IDs
		if err := v.Load(columnOf(ids[:n])); err != nil {
			t.Fatal(err)
		}
		if err := collectors[i%len(collectors)].Add(&v); err != nil {
			t.Fatal(err)
		}
		ids = ids[n:]
	}
	for _, c := range collectors {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	holds, err := p.Holds(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return holds
}

func columnOf(ids []string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, id := range ids {
		if id == "" {
			b.AppendNull()
		} else {
			b.Append(id)
		}
	}
	return b.NewArray()
}

func distinct(ids []string) bool {
	seen := map[string]bool{}
	for _, id := range ids {
		if id != "" && seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}

func TestAProofHoldsWhereNoIDIsOnTwoRows(t *testing.T) {
	temp := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.IntRange(0, rapid.SampledFrom([]int{30, 3000}).Draw(t, "most"))
		var ids []string
		for _, n := range rapid.SliceOfN(number, 0, 60).Draw(t, "ids") {
			ids = append(ids, map[bool]string{true: "", false: fmt.Sprint("u", n)}[n%10 == 0])
		}
		hash := rapid.SampledFrom([]string{"xxh3", "constant", "high", "low", "few"}).Draw(t, "hash")
		o := Options{Workers: rapid.IntRange(1, 3).Draw(t, "workers"), Temp: temp, hash: hashes[hash]}
		got := prove(t, o, ids, rapid.IntRange(1, 9).Draw(t, "batch"))
		if want := distinct(ids); got && !want || got != want && hash == "xxh3" {
			t.Fatalf("holds %v, that ids are on one row each is %v", got, want)
		}
	})
	assertEmpty(t, temp)
}

// The ids here take many times the memory, so all of them are spilled, and the table of a
// partition does not hold it whole.
func TestAProofWithinLittleMemory(t *testing.T) {
	all := make([]string, 400_000)
	for i := range all {
		all[i] = fmt.Sprint("user-", i)
	}
	for memory, ids := range map[int64][]string{1: all[:3000], 1 << 20: all, 64 << 20: all} {
		o := Options{Workers: 2, Memory: memory, Temp: t.TempDir()}
		if !prove(t, o, ids, 10_000) {
			t.Errorf("%d bytes: does not hold for ids that differ", memory)
		}
		twice := append([]string{}, ids...)
		twice[len(twice)-9] = twice[17]
		if prove(t, o, twice, 10_000) {
			t.Errorf("%d bytes: holds for an id on two rows", memory)
		}
		assertEmpty(t, o.Temp)
	}
}

package selection

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/churntier/churntier/pipeline/filter"
)

const benchRows = 16_384

// BenchmarkSelect takes a batch through three audiences by category, one rule that
// suppresses, and in turn a holdout and a limit. A byte stands for a row.
func BenchmarkSelect(b *testing.B) {
	byCategory := make([]Audience, 3)
	for i := range byCategory {
		byCategory[i] = Audience{ByCategory: true, Category: uint8(i)}
	}
	limited := []Audience{{Range: [2]uint16{0, 10_000}, Limit: benchRows / 8}}
	suppress := []*filter.Program{program(b, "opt_out")}
	for name, rules := range map[string]*Rules{
		"categories": {Audiences: byCategory, Suppress: suppress},
		"holdout":    {Audiences: byCategory, Suppress: suppress, Holdout: &Holdout{Share: 0.05, Salt: "bench"}},
		"limit":      {Audiences: limited, Suppress: suppress},
	} {
		b.Run(name, func(b *testing.B) { benchmarkSelect(b, rules) })
	}
}

func benchmarkSelect(b *testing.B, rules *Rules) {
	users := randomUsers(rand.New(rand.NewPCG(1, 2)), benchRows)
	for i := range users {
		users[i].isListed = false
	}
	rows, ids := rowsOf(users), make([][]byte, benchRows)
	for i := range ids {
		ids[i] = []byte("user-" + strconv.Itoa(1e8+i))
	}
	rows.ID = func(i int) []byte { return ids[i] }
	rows.Key = rows.ID
	selector, cuts := rules.NewSelector(), make([]Cut, len(rules.Audiences))
	b.SetBytes(benchRows)
	b.ReportAllocs()
	for b.Loop() {
		if rules.Limited() {
			top := NewTop(rules.Audiences[0].Limit)
			if _, err := selector.Measure(rows, []*Top{top}); err != nil {
				b.Fatal(err)
			}
			cuts[0] = top.Cut()
		}
		if _, _, err := selector.Select(rows, cuts); err != nil {
			b.Fatal(err)
		}
	}
}

package selection

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/filter"
)

// user is one row, as the brute force sees it.
type user struct {
	id, key    string
	score      uint16
	category   uint8
	isScored   bool
	isListed   bool
	optOut     *bool
	country    *string
	suppressed bool
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "opt_out", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "country", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func randomUsers(r *rand.Rand, n int) []user {
	users := make([]user, n)
	for i := range users {
		u := &users[i]
		u.id = fmt.Sprintf("u%d", r.IntN(1e9))
		u.key = fmt.Sprintf("k%d", r.IntN(n))
		u.score = uint16(r.IntN(40) * 250) // many ties
		u.category = uint8(2 - min(2, u.score/4000))
		u.isScored = r.IntN(10) > 0
		u.isListed = r.IntN(8) == 0
		if r.IntN(4) > 0 {
			b := r.IntN(3) == 0
			u.optOut = &b
		}
		if r.IntN(5) > 0 {
			c := []string{"FR", "DE", "US"}[r.IntN(3)]
			u.country = &c
		}
		u.suppressed = u.isListed || u.optOut == nil || *u.optOut
	}
	return users
}

// batch gives users as a sliced batch.
func batch(users []user, from int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, u := range users {
		if u.optOut == nil {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.BooleanBuilder).Append(*u.optOut)
		}
		if u.country == nil {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(*u.country)
		}
	}
	whole := b.NewRecordBatch()
	return whole.NewSlice(int64(from), whole.NumRows())
}

func rowsOf(users []user) *Rows {
	padded := append(slices.Repeat([]user{{}}, 3), users...)
	rows := &Rows{
		Rows:       filter.Rows{Record: batch(padded, 3)},
		Suppressed: func(i int) bool { return users[i].isListed },
		ID:         func(i int) []byte { return []byte(users[i].id) },
		Key:        func(i int) []byte { return []byte(users[i].key) },
	}
	for i, u := range users {
		rows.Hundredths = append(rows.Hundredths, u.score)
		rows.Category = append(rows.Category, u.category)
		if u.isScored {
			rows.Scored = append(rows.Scored, int32(i))
		}
	}
	return rows
}

func program(t testing.TB, text string) *filter.Program {
	t.Helper()
	x, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := x.Bind(schema, filter.Options{Want: filter.WantBool, BuiltIns: true, Categories: []string{"high", "medium", "low"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run selects from all batches as an engine does: measure, cut, select.
func run(t *testing.T, rules *Rules, batches [][]user) (members, control []map[string]bool, suppressed int) {
	t.Helper()
	tops := make([]*Top, len(rules.Audiences))
	cuts := make([]Cut, len(rules.Audiences))
	for a, rule := range rules.Audiences {
		if rule.Limit > 0 {
			tops[a] = NewTop(rule.Limit)
		}
		members, control = append(members, map[string]bool{}), append(control, map[string]bool{})
	}
	for _, users := range batches { // one Top a batch, merged, as of pieces of a snapshot
		pieces := make([]*Top, len(tops))
		for a := range tops {
			if tops[a] != nil {
				pieces[a] = NewTop(rules.Audiences[a].Limit)
			}
		}
		if _, err := rules.NewSelector().Measure(rowsOf(users), pieces); err != nil {
			t.Fatal(err)
		}
		for a := range tops {
			if tops[a] != nil {
				tops[a].Merge(pieces[a])
			}
		}
	}
	for a := range tops {
		if tops[a] != nil {
			cuts[a] = tops[a].Cut()
		}
	}
	selector := rules.NewSelector()
	for _, users := range batches {
		arms, n, err := selector.Select(rowsOf(users), cuts)
		if err != nil {
			t.Fatal(err)
		}
		suppressed += n
		for a := range arms {
			for _, i := range arms[a].Members {
				members[a][users[i].id] = true
			}
			for _, i := range arms[a].Control {
				control[a][users[i].id] = true
			}
		}
	}
	return members, control, suppressed
}

// expected selects by the definition, one user at a time.
func expected(rules *Rules, where []func(user) bool, users []user) (members, control []map[string]bool) {
	taken := map[string]bool{}
	order := append(slices.Clone(rules.Exclusive), others(len(rules.Audiences), rules.Exclusive)...)
	members, control = make([]map[string]bool, len(rules.Audiences)), make([]map[string]bool, len(rules.Audiences))
	for _, a := range order {
		rule := rules.Audiences[a]
		var candidates []user
		for _, u := range users {
			isIn := u.isScored && !u.suppressed && where[a](u) && (!slices.Contains(rules.Exclusive, a) || !taken[u.id])
			if isIn && (rule.ByCategory && u.category == rule.Category || !rule.ByCategory && u.score >= rule.Range[0] && u.score <= rule.Range[1]) {
				candidates = append(candidates, u)
			}
		}
		if slices.Contains(rules.Exclusive, a) {
			for _, u := range candidates {
				taken[u.id] = true
			}
		}
		sort.Slice(candidates, func(i, j int) bool {
			x, y := candidates[i], candidates[j]
			if x.score != y.score {
				return x.score > y.score
			}
			return xxh3.HashString(rules.Prediction+"\x00"+x.id) < xxh3.HashString(rules.Prediction+"\x00"+y.id)
		})
		if rule.Limit > 0 && int64(len(candidates)) > rule.Limit {
			candidates = candidates[:rule.Limit]
		}
		members[a], control[a] = map[string]bool{}, map[string]bool{}
		for _, u := range candidates {
			isHeld := rules.Holdout != nil && float64(xxh3.HashString(rules.Holdout.Salt+"\x00"+u.key)%10000) < rules.Holdout.Share*10000
			if isHeld {
				control[a][u.id] = true
			} else {
				members[a][u.id] = true
			}
		}
	}
	return members, control
}

func others(n int, but []int) (rest []int) {
	for i := range n {
		if !slices.Contains(but, i) {
			rest = append(rest, i)
		}
	}
	return rest
}

// TestSelectionIsItsDefinition compares random nights with brute force, and holds
// that no suppressed user, null in the rule's column included, is in any arm.
func TestSelectionIsItsDefinition(t *testing.T) {
	cases := 0
	optOut, fr := program(t, "opt_out"), program(t, `country in ["FR", "DE"] && score >= 20.0`)
	notUS := program(t, `country != "US"`)
	all := func(user) bool { return true }
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		rules := &Rules{
			Prediction: "churn-14d", Suppress: []*filter.Program{optOut},
			Audiences: []Audience{
				{Range: [2]uint16{0, 10000}, Where: fr, Limit: int64(r.IntN(3)) * int64(1+r.IntN(40))},
				{Range: [2]uint16{2000, 7500}, Limit: int64(1 + r.IntN(60))},
				{ByCategory: true, Category: 0},
				{Range: [2]uint16{0, 10000}, Where: notUS},
			},
			Holdout: []*Holdout{nil, {0.05, "a"}, {0.4, "b"}, {0.5, "a"}}[r.IntN(4)],
		}
		if r.IntN(2) == 0 {
			rules.Exclusive = [][]int{{1, 0}, {3, 2, 1}, {0, 3}}[r.IntN(3)]
		}
		where := []func(user) bool{
			func(u user) bool { return u.country != nil && *u.country != "US" && u.score >= 2000 }, all, all,
			func(u user) bool { return u.country != nil && *u.country != "US" },
		}
		users := randomUsers(r, 20+r.IntN(180))
		at := r.IntN(len(users))
		members, control, suppressed := run(t, rules, [][]user{users[:at], users[at:]})
		wantMembers, wantControl := expected(rules, where, users)
		want := 0
		for _, u := range users {
			if u.isScored && u.suppressed {
				want++
			}
			for a := range members {
				cases++
				if u.suppressed && (members[a][u.id] || control[a][u.id]) {
					t.Fatalf("seed %d: the suppressed user %s is in audience %d", seed, u.id, a)
				}
				if members[a][u.id] != wantMembers[a][u.id] || control[a][u.id] != wantControl[a][u.id] {
					t.Fatalf("seed %d: audience %d: user %+v: member %v, control %v; want %v, %v", seed, a, u,
						members[a][u.id], control[a][u.id], wantMembers[a][u.id], wantControl[a][u.id])
				}
			}
		}
		if suppressed != want {
			t.Fatalf("seed %d: %d suppressed, want %d", seed, suppressed, want)
		}
	}
	t.Logf("%d users and audiences compared", cases)
}

// TestHoldoutMovesOnlyTheMargin grows and shrinks the share: a key leaves the
// control arm only when the share gets smaller, and the arms have their shares.
func TestHoldoutMovesOnlyTheMargin(t *testing.T) {
	shares := []float64{0.0001, 0.01, 0.05, 0.0501, 0.2, 0.5, 0.9999}
	const keys = 20_000
	held := make([]int, len(shares))
	for k := range keys {
		key := fmt.Appendf(nil, "user%d@example.com", k)
		was := false
		for i, share := range shares {
			h := &Holdout{Share: share, Salt: "winter-2026"}
			is := h.Holds(key)
			if was && !is {
				t.Fatalf("%s is held at a share below %v and not there", key, share)
			}
			if is != h.Holds(bytes.Clone(key)) {
				t.Fatalf("%s is in two arms", key)
			}
			if is {
				held[i]++
			}
			was = is
		}
	}
	for i, share := range shares {
		// Five standard deviations of a binomial count.
		if d := float64(held[i]) - share*keys; d*d > 25*share*(1-share)*keys+1 {
			t.Errorf("%d of %d are held, want a share of %v", held[i], keys, share)
		}
	}
	t.Logf("%d keys at %d shares", keys, len(shares))
}

// Another salt draws another sample.
func TestSaltsAreIndependent(t *testing.T) {
	a, b := &Holdout{0.5, "a"}, &Holdout{0.5, "b"}
	same := 0
	for k := range 10_000 {
		key := fmt.Appendf(nil, "%d", k)
		if a.Holds(key) == b.Holds(key) {
			same++
		}
	}
	if same < 4700 || same > 5300 {
		t.Errorf("%d of 10000 keys are in the same arm for two salts, want about half", same)
	}
}

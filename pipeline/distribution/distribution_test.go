package distribution

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// someScores draws scores with many ties, and the odd row without one.
func someScores(t *rapid.T) []uint16 {
	limits := []uint16{0, 1, 499, 500, 4999, 5000, 7499, 7500, 9499, 9500, 9999, 10000, 10001, 0xFFFF}
	score := rapid.OneOf(rapid.SampledFrom(limits), rapid.Uint16Range(0, 10000), rapid.Uint16Range(7490, 7510))
	return rapid.SliceOfN(score, 0, 60).Draw(t, "scores")
}

func countsOf(scores ...uint16) *Counts {
	counts := new(Counts)
	counts.Add(scores)
	return counts
}

// having keeps the scores that are scores.
func having(scores []uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(scores), func(h uint16) bool { return h > 10000 })
}

func countIf(scores []uint16, is func(uint16) bool) (n int64) {
	for _, h := range scores {
		if is(h) {
			n++
		}
	}
	return n
}

func TestCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := someScores(t)
		at := rapid.IntRange(0, len(scores)).Draw(t, "split")
		counts := countsOf(scores[:at]...)
		counts.Merge(countsOf(scores[at:]...))

		kept := having(scores)
		if counts.Total() != int64(len(kept)) {
			t.Fatalf("total %d, want %d", counts.Total(), len(kept))
		}
		for i, got := range counts.Buckets() {
			low, high := float64(5*i), float64(5*i+5)
			want := countIf(kept, func(h uint16) bool {
				points := float64(h) / 100
				return points >= low && (points < high || i == 19 && points == 100)
			})
			if got != want {
				t.Fatalf("bucket %d counts %d, want %d", i+1, got, want)
			}
		}
	})
}

var defaultRules = []Rule{{Name: "high", From: 75}, {Name: "medium", From: 50}, {Name: "low"}}

func TestDefaultCategories(t *testing.T) {
	counts := countsOf(0, 499, 500, 4999, 5000, 7499, 7500, 10000, 10000, 0xFFFF)
	got, err := Cut(defaultRules, counts)
	if err != nil {
		t.Fatal(err)
	}
	want := Categories{{"high", 7500, 10000, 3}, {"medium", 5000, 7500, 2}, {"low", 0, 5000, 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
	if err := Check(counts, got); err != nil {
		t.Error(err)
	}
	uncounted, err := Cut(defaultRules, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"high", "medium", "low"}, uncounted.Empty()); diff != "" {
		t.Errorf("empty categories (-want +got):\n%s", diff)
	}
	if NeedsCounts(defaultRules) {
		t.Error("cuts by score need counts, want that they do not")
	}
}

func TestCategoriesAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, 10000), 0, 5, rapid.ID[int]).Draw(t, "cuts")
		slices.SortFunc(cuts, func(a, b int) int { return b - a })
		var rules []Rule
		for i, cut := range cuts {
			rules = append(rules, Rule{Name: "c" + strconv.Itoa(i), From: float64(cut) / 100})
		}
		rules = append(rules, Rule{Name: "last"})
		kept := having(someScores(t))
		counts := countsOf(kept...)
		categories, err := Cut(rules, counts)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]int64, len(rules))
		for _, h := range kept {
			place := slices.IndexFunc(rules, func(r Rule) bool { return float64(h)/100 >= r.From })
			want[place]++
			if got := categories.Of(h); int(got) != place {
				t.Fatalf("score %d is in category %d, want %d", h, got, place)
			}
		}
		for i, c := range categories {
			if c.Count != want[i] {
				t.Fatalf("category %d counts %d, want %d", i, c.Count, want[i])
			}
		}
		if err := Check(counts, categories); err != nil {
			t.Fatal(err)
		}
	})
}

// cutByShare tries every score, with exact shares.
func cutByShare(kept []uint16, share string) uint16 {
	limit, _ := new(big.Rat).SetString(share)
	for h := 0; h <= 10000; h++ {
		above := countIf(kept, func(x uint16) bool { return int(x) >= h })
		if big.NewRat(above, int64(len(kept))).Cmp(limit) <= 0 {
			return uint16(h)
		}
	}
	return 10001
}

func TestTopShareAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := having(someScores(t))
		if len(kept) == 0 {
			return
		}
		percents := rapid.SliceOfNDistinct(rapid.IntRange(1, 99), 1, 3, rapid.ID[int]).Draw(t, "percents")
		slices.Sort(percents)
		var rules []Rule
		for i, percent := range percents {
			rules = append(rules, Rule{Name: "c" + strconv.Itoa(i), TopShare: float64(percent) / 100})
		}
		rules = append(rules, Rule{Name: "last"})
		counts := countsOf(kept...)
		categories, err := Cut(rules, counts)
		if err != nil {
			t.Fatal(err)
		}
		for i, percent := range percents {
			if want := cutByShare(kept, strconv.Itoa(percent)+"/100"); categories[i].From != want {
				t.Fatalf("the top %d%% begin at %d, want %d", percent, categories[i].From, want)
			}
		}
		if err := Check(counts, categories); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTopShareKeepsTiesTogether(t *testing.T) {
	rules := []Rule{{Name: "high", TopShare: 0.3}, {Name: "medium", TopShare: 0.5}, {Name: "low"}}
	for _, test := range []struct {
		name   string
		scores []uint16
		want   Categories
		empty  []string
	}{
		{"exactly three of ten", []uint16{9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
			Categories{{"high", 7, 10000, 3}, {"medium", 5, 7, 2}, {"low", 0, 5, 5}}, nil},
		{"ties over the first cut", []uint16{9, 8, 8, 8, 5, 4, 3, 2, 1, 0},
			Categories{{"high", 9, 10000, 1}, {"medium", 5, 9, 4}, {"low", 0, 5, 5}}, nil},
		{"ties over both cuts", []uint16{9, 8, 8, 8, 8, 8, 3, 2, 1, 0},
			Categories{{"high", 9, 10000, 1}, {"medium", 9, 9, 0}, {"low", 0, 9, 9}}, []string{"medium"}},
		{"all at the top", []uint16{10000, 10000},
			Categories{{"high", 10001, 10000, 0}, {"medium", 10001, 10000, 0}, {"low", 0, 10000, 2}}, []string{"high", "medium"}},
		{"nobody", nil,
			Categories{{"high", 10001, 10000, 0}, {"medium", 10001, 10000, 0}, {"low", 0, 10000, 0}}, []string{"high", "medium", "low"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			counts := countsOf(test.scores...)
			got, err := Cut(rules, counts)
			if err != nil {
				t.Fatal(err)
			}
			// A cut may lie below the lowest member, in scores that nobody has.
			for i := range got {
				if got[i].Count != test.want[i].Count {
					t.Errorf("%s counts %d, want %d", got[i].Name, got[i].Count, test.want[i].Count)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("categories (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.empty, got.Empty()); diff != "" {
				t.Errorf("empty (-want +got):\n%s", diff)
			}
			if err := Check(counts, got); err != nil {
				t.Error(err)
			}
		})
	}
	if !NeedsCounts(rules) {
		t.Error("shares need no counts, want that they do")
	}
	if _, err := Cut(rules, nil); err == nil {
		t.Error("shares are cut without counts, want an error")
	}
}

func TestCountInAnotherDistribution(t *testing.T) {
	today, err := Cut([]Rule{{Name: "a", TopShare: 0.5}, {Name: "b"}}, countsOf(1, 2, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	yesterday := today.CountIn(countsOf(3, 3, 10000, 0))
	if got := []int64{yesterday[0].Count, yesterday[1].Count}; got[0] != 3 || got[1] != 1 {
		t.Errorf("yesterday counts %v, want [3 1]", got)
	}
	if today[0].Count != 2 {
		t.Errorf("today counts %d afterwards, want 2", today[0].Count)
	}
	if diff := cmp.Diff([]uint16{3, 0}, today.Cuts()); diff != "" {
		t.Errorf("cuts (-want +got):\n%s", diff)
	}
}

func TestCheckRules(t *testing.T) {
	last := Rule{Name: "low"}
	for _, test := range []struct {
		name  string
		rules []Rule
		want  []string // one a fault; none: the rules are good
	}{
		{"one", []Rule{last}, nil},
		{"top is 100", []Rule{{Name: "a", From: 100}, {Name: "b", From: 0.01}, last}, nil},
		{"odd hundredths", []Rule{{Name: "a", From: 74.99}, {Name: "b", From: 0.07}, last}, nil},
		{"shares", []Rule{{Name: "a", TopShare: 0.1}, {Name: "b", TopShare: 0.11}, last}, nil},

		{"none", nil, []string{"0 of them, want 1 to 255"}},
		{"many", make([]Rule, 256), []string{"256 of them, want 1 to 255"}},
		{"names", []Rule{{Name: "High", From: 75}, {Name: "", From: 50}, {Name: "-x", From: 40}, {Name: strings.Repeat("x", 65), From: 30}, last},
			[]string{`category 1 ("High"): want a name`, `category 2 (""): want a name`, `category 3 ("-x"): want a name`, "category 4"}},
		{"name twice", []Rule{{Name: "low", From: 75}, last}, []string{`category 2 ("low"): the name comes twice`}},
		{"last from", []Rule{{Name: "a", From: 75}, {Name: "b", From: 50}}, []string{"it is the last one, want from: 0"}},
		{"last share", []Rule{{Name: "a", TopShare: 0.5}}, []string{"it is the last one, want from: 0"}},
		{"zero too early", []Rule{{Name: "a", From: 75}, {Name: "b"}, last}, []string{"category 2 (\"b\"): from: found 0"}},
		{"equal", []Rule{{Name: "a", From: 75}, {Name: "b", From: 75}, last}, []string{"from: found 75, want less than the 75"}},
		{"ascending", []Rule{{Name: "a", From: 50}, {Name: "b", From: 75}, last}, []string{"from: found 75, want less than the 50"}},
		{"range", []Rule{{Name: "a", From: 101}, {Name: "b", From: -1}, {Name: "c", From: math.NaN()}, {Name: "d", From: math.Inf(1)}, last},
			[]string{"from: found 101", "from: found -1", "from: found NaN", "from: found +Inf"}},
		{"steps", []Rule{{Name: "a", From: 75.001}, {Name: "b", From: math.Nextafter(75, 0)}, last},
			[]string{"from: found 75.001, want 0.01 to 100 in steps of 0.01", "from: found 74.99999999999999"}},
		{"both", []Rule{{Name: "a", From: 75, TopShare: 0.1}, last}, []string{"it has both from and top_share"}},
		{"share first", []Rule{{Name: "a", TopShare: 0.1}, {Name: "b", From: 50}, last}, []string{"it has from and the one above it has top_share"}},
		{"from first", []Rule{{Name: "a", From: 50}, {Name: "b", TopShare: 0.1}, last}, []string{"it has top_share and the one above it has from"}},
		{"share range", []Rule{{Name: "a", TopShare: -0.1}, {Name: "b", TopShare: math.NaN()}, {Name: "c", TopShare: 1}, last},
			[]string{"top_share: found -0.1", "top_share: found NaN", "top_share: found 1, want a share above 0 and below 1"}},
		{"share order", []Rule{{Name: "a", TopShare: 0.1}, {Name: "b", TopShare: 0.1}, last}, []string{"top_share: found 0.1, want more than the 0.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := CheckRules(test.rules)
			if len(test.want) == 0 {
				if err != nil {
					t.Errorf("error %v, want none", err)
				}
				return
			}
			if !errors.Is(err, ErrRules) {
				t.Fatalf("error %v, want ErrRules", err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("error\n%v, want %d faults", err, len(test.want))
			}
			for i, want := range test.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("fault %q, want %q", lines[i], want)
				}
			}
			if _, err := Cut(test.rules, nil); !errors.Is(err, ErrRules) {
				t.Errorf("Cut: error %v, want ErrRules", err)
			}
		})
	}
}

// A cut at 100 is not the limit of a bucket: the last bucket holds 100 and less.
func TestCheckKnowsTheLastBucket(t *testing.T) {
	counts := countsOf(10000, 10000, 9999, 9500, 100)
	categories, err := Cut([]Rule{{Name: "a", From: 100}, {Name: "b", From: 95}, {Name: "c"}}, counts)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(counts, categories); err != nil {
		t.Error(err)
	}
}

func TestCheckFindsDisagreement(t *testing.T) {
	counts := countsOf(1, 2, 5000, 7500, 8000)
	for name, test := range map[string]struct {
		categories Categories
		want       string
	}{
		"a category off":  {Categories{{"high", 7500, 10000, 1}, {"medium", 5000, 7500, 2}, {"low", 0, 5000, 2}}, "category high: it counts 1 users, buckets 16 to 20 count 2"},
		"the sum is off":  {Categories{{"high", 7501, 10000, 2}, {"low", 0, 7501, 2}}, "the scores count 5 users, the buckets 5 and the categories 4"},
		"no categories":   {nil, "the categories 0"},
		"the wrong order": {Categories{{"low", 0, 5000, 2}, {"high", 5000, 10000, 3}}, "category low: it counts 2 users"},
		"rising":          {Categories{{"a", 4999, 5000, 3}, {"b", 5001, 10000, 2}}, "category b: it begins above the one before it"},
	} {
		if err := Check(counts, test.categories); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %s", name, err, test.want)
		}
	}
}

func TestCategoryJSON(t *testing.T) {
	for _, test := range []struct {
		category Category
		text     string
	}{
		{Category{"high", 7500, 10000, 3}, `{"name":"high","from":75,"to":100,"count":3}`},
		{Category{"odd", 7499, 8001, 0}, `{"name":"odd","from":74.99,"to":80.01,"count":0}`},
		{Category{"none", 10001, 10000, 0}, `{"name":"none","from":100.01,"to":100,"count":0}`},
	} {
		text, err := json.Marshal(test.category)
		if err != nil || string(text) != test.text {
			t.Errorf("JSON %s (error %v), want %s", text, err, test.text)
		}
		var back Category
		if err := json.Unmarshal([]byte(test.text), &back); err != nil || back != test.category {
			t.Errorf("%s is read as %+v (error %v), want %+v", test.text, back, err, test.category)
		}
	}
	for _, text := range []string{
		`{"name":"a","from":75.001,"to":100}`, `{"name":"a","from":0,"to":101}`, `{"name":"a","from":-1,"to":1}`,
		`{"name":"a","from":0,"to":1,"count":-1}`, `{"name":"a","from":"x"}`,
	} {
		if err := json.Unmarshal([]byte(text), new(Category)); err == nil {
			t.Errorf("%s is taken, want an error", text)
		}
	}
}

func TestEveryPointInHundredthsIsACut(t *testing.T) {
	for h := range Scores {
		if got, ok := hundredths(float64(h) / 100); !ok || int(got) != h {
			t.Fatalf("%v points are %d (%v), want %d", float64(h)/100, got, ok, h)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	scores := make([]uint16, 16_384)
	for i := range scores {
		scores[i] = uint16(random.IntN(Scores))
	}
	counts := new(Counts)
	b.SetBytes(int64(2 * len(scores)))
	for b.Loop() {
		counts.Add(scores)
	}
	b.ReportMetric(float64(b.N)*float64(len(scores))/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

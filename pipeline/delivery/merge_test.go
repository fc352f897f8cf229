package delivery_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/delivery"
)

// selection is who is in which audience, with what value; those who are held out too.
type selection struct{ members, control map[string]map[string]string }

var propertyAudiences = []string{"a", "b", "c"}

func drawSelection(t *rapid.T) selection {
	s := selection{map[string]map[string]string{}, map[string]map[string]string{}}
	for _, name := range propertyAudiences {
		s.members[name], s.control[name] = map[string]string{}, map[string]string{}
		for u := range 12 {
			value := rapid.SampledFrom([]string{"x", "x", "y"}).Draw(t, "value")
			switch rapid.IntRange(0, 5).Draw(t, "arm") {
			case 0, 1, 2:
				s.members[name][fmt.Sprintf("u%02d", u)] = value
			case 3:
				s.control[name][fmt.Sprintf("u%02d", u)] = value
			}
		}
	}
	return s
}

// words gives an audience as publish takes it, in an order of the test's choice.
func (s selection) words(t *rapid.T, name string) string {
	list := func(arm map[string]string) string {
		var all []string
		for _, u := range rapid.Permutation(slices.Sorted(maps.Keys(arm))).Draw(t, "order") {
			all = append(all, u+"="+arm[u])
		}
		return strings.Join(all, " ")
	}
	return list(s.members[name]) + " | " + list(s.control[name])
}

func (s selection) anywhere(u string) bool {
	for _, members := range s.members {
		if _, in := members[u]; in {
			return true
		}
	}
	return false
}

// bruteChanges says with maps what turns one selection into the next, and how many
// users that are.
func bruteChanges(before, now selection) (rows []string, c delivery.Counts) {
	turned := map[string]bool{}
	for _, name := range propertyAudiences {
		was, is := before.members[name], now.members[name]
		for u, value := range is {
			old, stayed := was[u]
			switch {
			case stayed && old == value:
				continue
			case stayed:
				rows = append(rows, fmt.Sprintf("%s %s updated %s", name, u, value))
				continue
			case before.anywhere(u):
				rows = append(rows, fmt.Sprintf("%s %s moved %s", name, u, value))
			default:
				rows = append(rows, fmt.Sprintf("%s %s entered %s", name, u, value))
			}
			turned[u] = true
		}
		for u := range was {
			if _, stays := is[u]; !stays {
				rows = append(rows, fmt.Sprintf("%s %s left", name, u))
				turned[u] = true
			}
		}
	}
	slices.Sort(rows)
	for n := range 12 {
		u := fmt.Sprintf("u%02d", n)
		was, is := before.anywhere(u), now.anywhere(u)
		for count, holds := range map[*int64]bool{
			&c.Previous: was, &c.Now: is, &c.Left: was && !is, &c.Entered: is && !was,
			&c.Moved: was && is && turned[u], &c.Stayed: was && is && !turned[u],
		} {
			if holds {
				*count++
			}
		}
	}
	return rows, c
}

// Whatever the members were and are, the files hold exactly what changed, users are
// counted exactly, and the places of the files follow one another.
func TestChangesAgainstBruteForce(t *testing.T) {
	temp := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		p := newPlace(t, temp, propertyAudiences...)
		p.config.Destination.MaxRows = rapid.Int64Range(0, 3).Draw(t, "rows of a file")
		before := selection{}
		for n := range 2 {
			now := drawSelection(t)
			all := members{}
			for _, name := range propertyAudiences {
				all[name] = now.words(t, name)
			}
			p.publish(day(n), all)
			i := p.deliver().Intent
			want, counts := bruteChanges(before, now)
			if got := p.rows(i); !slices.Equal(got, want) {
				t.Fatalf("night %d: sent\n%q, expected\n%q", n, got, want)
			}
			if i.Counts != counts || counts.Previous+counts.Entered-counts.Left != counts.Now || counts.Entered+counts.Stayed+counts.Moved != counts.Now {
				t.Fatalf("night %d: counts %+v, expected %+v", n, i.Counts, counts)
			}
			if i.Reasons[delivery.Filter] != counts.Left {
				t.Fatalf("night %d: reasons %v of %d who left", n, i.Reasons, counts.Left)
			}
			checkAudiences(t, before, now, want)
			checkPlaces(t, i)
			before = now
		}
	})
}

// checkAudiences holds the accounting of each audience: what was there, and the rows.
func checkAudiences(t *rapid.T, before, now selection, rows []string) {
	for _, name := range propertyAudiences {
		n := len(before.members[name])
		for _, row := range rows {
			words := strings.Fields(row)
			if words[0] != name {
				continue
			}
			n += map[string]int{"entered": 1, "moved": 1, "left": -1}[words[2]]
		}
		if n != len(now.members[name]) {
			t.Fatalf("%s: %d by the rows, %d are members", name, n, len(now.members[name]))
		}
	}
}

// checkPlaces says that the files of an audience follow one another, and each speaks
// of somebody.
func checkPlaces(t *rapid.T, i *delivery.Intent) {
	to := map[string]int64{}
	for k, f := range i.Files {
		if f.K != k || f.From != to[f.Audience] || f.To <= f.From || f.Rows < 1 {
			t.Fatalf("file %d of %+v does not follow the one before", k, i.Files)
		}
		to[f.Audience] = f.To
	}
}

// The order of users and the memory that sorting may take change nothing.
func TestMemoryChangesNothing(t *testing.T) {
	var all []string
	for n := range 3000 {
		all = append(all, fmt.Sprintf("u%05d=%d", n*7919%100_000, n))
	}
	var want []string
	for _, memory := range []int64{1 << 12, 1 << 28} {
		p := newPlace(t, t.TempDir(), "a")
		j, err := p.job(unchanged)
		if err != nil {
			t.Fatal(err)
		}
		for n, part := range [][]string{all[:2000], all[500:]} {
			slices.Reverse(part)
			p.publish(day(n), members{"a": strings.Join(part, " ")})
			j.Now, j.By, j.Memory = p.now, p.run(), memory
			if _, err := j.Deliver(ctx); err != nil {
				t.Fatal(err)
			}
			slices.Reverse(part)
		}
		got := p.rows(p.log()[0].Intent)
		if c := p.log()[0].Counts; c.Entered != 1000 || c.Left != 500 || c.Stayed != 1500 {
			t.Errorf("counts %+v", c)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("with %d bytes other rows are sent", memory)
		}
		if left, err := os.ReadDir(p.temp); err != nil || len(left) > 0 {
			t.Errorf("left in the temporary folder are %v, %v", left, err)
		}
	}
}

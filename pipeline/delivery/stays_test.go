package delivery

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// crowd is people in two audiences, each in one arm of either or in none.
type crowd map[string]map[int]*standIn

type standIn struct{ arm, note string }

// turn gives one in this many another place.
func (c crowd) turn(t *rapid.T, oneIn int) {
	for _, name := range []string{"a", "b"} {
		if c[name] == nil {
			c[name] = map[int]*standIn{}
		}
		for u := range 8 {
			if c[name][u] != nil && rapid.IntRange(1, oneIn).Draw(t, "another") > 1 {
				continue
			}
			c[name][u] = &standIn{
				rapid.SampledFrom([]string{"part", "part", "part", "control", "none"}).Draw(t, "arm"),
				rapid.SampledFrom([]string{"x", "x", "y"}).Draw(t, "note"),
			}
		}
	}
}

// publish publishes the members and the control arms.
func (c crowd) publish(k *tool, n int) *publish.Published {
	p := k.publish(nil)
	for _, name := range []string{"a", "b"} {
		arms := map[string][]person{}
		for u := range 8 {
			who := c[name][u]
			file := fmt.Sprintf("%s-0000%d", who.arm, u/3)
			arms[file] = append(arms[file], person{"id": fmt.Sprint("u", u), "email": fmt.Sprint(u/2, "@x"), "note": who.note})
		}
		a := publish.Audience{Name: name}
		for _, arm := range []string{"part", "control"} {
			for number := range 3 {
				file := fmt.Sprintf("%s-0000%d", arm, number)
				a.Files = append(a.Files, k.write(fmt.Sprintf("runs/%s/%d/%s/%s.parquet", k.day, n, name, file), arms[file]))
			}
		}
		p.Manifest.Audiences = append(p.Manifest.Audiences, a)
	}
	return p
}

// attempt builds the delivery of a night after last. In what it gives as text nothing
// tells one attempt from another.
func (k *tool) attempt(t *rapid.T, p *publish.Published, last *Intent, lost func(standing) bool) (*Intent, string) {
	k.job.By += "+"
	kind := Changes
	if last == nil || !k.job.Changes {
		kind = Full
	}
	i, err := k.job.build(k.Context(), kind, Target{Date: p.Date, Run: p.Run}, p, last, lost)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(i, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return i, strings.ReplaceAll(string(text), k.job.By, "attempt")
}

// drawTool gives one with two audiences.
func drawTool(t *testing.T, rt *rapid.T) *tool {
	name := rapid.SampledFrom([]string{"jsonl", "csv", "braze-csv", "braze-cdi"}).Draw(rt, "destination")
	return newTool(t, name, []string{"a", "b"}, "email: email", "note: note")
}

// Who stays is taken without a standing made of the state's row, unless files of the
// delivery before were given up. It makes no difference to any byte.
func TestWhoStaysIsTakenAsInGeneral(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := drawTool(t, rt)
		k.job.layers = 1 // of what was given up the state is written whole
		var last *Intent
		people := crowd{}
		for n := range 2 {
			k.job.Changes, k.job.Workers = rapid.Bool().Draw(rt, "changes"), 1+n
			people.turn(rt, 2)
			p := people.publish(k, n)
			if rapid.Bool().Draw(rt, "the same date") {
				p.Date = k.day.AddDays(-1)
			}
			_, want := k.attempt(rt, p, last, func(standing) bool { return false })
			i, got := k.attempt(rt, p, last, nil)
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatal(diff)
			}
			last = i
		}
	})
}

// The buckets into which a state is cut, one night otherwise than the other, its layers,
// the workers and how much is rendered ahead change nothing of what is sent and known.
func TestBucketsAndLayersChangeNothing(t *testing.T) {
	deepest := 0
	rapid.Check(t, func(rt *rapid.T) {
		k := drawTool(t, rt)
		var one, many *Intent
		people := crowd{}
		for n := range 5 {
			people.turn(rt, 8)
			p := people.publish(k, n)
			lostOf := func(*Intent) func(standing) bool { return nil }
			switch rapid.IntRange(0, 9).Draw(rt, "night") {
			case 0:
				k.job.Cadence = &Cadence{Days: 2, Cooldown: 1, OnExit: Pause}
			case 1:
				k.job.Cadence = nil
			case 4:
				k.job.Changes = !k.job.Changes
			case 2: // a correction, as the first file was given up
				if n > 0 {
					p.Date = one.Date
					lostOf = func(i *Intent) func(standing) bool { return func(s standing) bool { return i.speaks(s) == 0 } }
				}
			case 3:
				if n > 0 {
					p.Date = one.Date
				}
			}
			k.job.bucketRows, k.job.layers, k.job.Workers, k.job.ahead = tableFileRows, 1, 1, 0
			whole, _ := k.attempt(rt, p, one, lostOf(one))
			k.job.bucketRows, k.job.layers, k.job.Workers = rapid.SampledFrom([]int64{3, 6, 1000}).Draw(rt, "rows of a bucket"), 0, 3
			k.job.ahead = rapid.SampledFrom([]int{0, 1, 40}).Draw(rt, "rendered ahead")
			many, _ = k.attempt(rt, p, many, lostOf(many))
			one, deepest = whole, max(deepest, many.layers())
			if len(one.State) != 1 || len(many.State) != many.Buckets*many.layers() {
				rt.Fatalf("%d and %d files of %d buckets", len(one.State), len(many.State), many.Buckets)
			}
			if diff := cmp.Diff(k.outcome(one), k.outcome(many)); diff != "" {
				rt.Fatal(diff)
			}
		}
	})
	if deepest < 3 {
		t.Fatalf("no state had more than %d layers", deepest)
	}
}

// outcome is all that comes of a delivery: what is sent, and who is known afterwards.
func (k *tool) outcome(i *Intent) map[string]string {
	k.Helper()
	all := map[string]string{"counts": fmt.Sprint(i.Counts, i.Reasons, i.Unsendable)}
	for _, f := range i.Files {
		all[f.Name] = string(k.read(f.File))
	}
	for _, lost := range []func(standing) bool{nil, func(standing) bool { return true }} {
		known, err := readState(k.T, k.bucket(), i, lost)
		if err != nil {
			k.Fatal(err)
		}
		for _, s := range known {
			if s.Now.Day == 0 {
				s.Now.Last = date.Date{} // it keeps a list from having anyone twice on one date: that is in the files
			}
			if s.Now.In || s.Now.Day > 0 {
				all[fmt.Sprint(lost == nil, s.key)] = fmt.Sprint(s.Now)
			}
		}
	}
	return all
}

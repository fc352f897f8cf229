package delivery

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/publish"
)

// drawNight publishes members and control arms of two audiences.
func drawNight(t *rapid.T, k *tool, n int) *publish.Published {
	p := k.publish(nil)
	for _, name := range []string{"a", "b"} {
		arms := map[string][]person{}
		for u := range 8 {
			arm := rapid.SampledFrom([]string{"part", "part", "part", "control", "none"}).Draw(t, "arm")
			arms[arm] = append(arms[arm], person{"id": fmt.Sprint("u", u), "email": fmt.Sprint(u/2, "@x"), "note": rapid.SampledFrom([]string{"x", "x", "y"}).Draw(t, "note")})
		}
		a := publish.Audience{Name: name}
		for _, arm := range []string{"part", "control"} {
			a.Files = append(a.Files, k.write(fmt.Sprintf("runs/%s/%d/%s/%s-00000.parquet", k.day, n, name, arm), arms[arm]))
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
		var last *Intent
		for n := range 2 {
			k.job.Changes, k.job.Workers = rapid.Bool().Draw(rt, "changes"), 1+n
			p := drawNight(rt, k, n)
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

// The buckets into which a state is cut, one night otherwise than the other, and the
// workers change nothing of what is sent and known.
func TestBucketsChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := drawTool(t, rt)
		if rapid.Bool().Draw(rt, "cadence") {
			k.job.Cadence = &Cadence{Days: 2, Cooldown: 1, OnExit: Pause}
		}
		var one, many *Intent
		for n := range 2 {
			p := drawNight(rt, k, n)
			k.job.bucketRows, k.job.Workers = tableFileRows, 1
			one, _ = k.attempt(rt, p, one, nil)
			k.job.bucketRows, k.job.Workers = rapid.SampledFrom([]int64{3, 6}).Draw(rt, "rows of a bucket"), 3
			many, _ = k.attempt(rt, p, many, nil)
			if len(one.State) != 1 || len(many.State) != many.Buckets {
				rt.Fatalf("%d and %d files of %d buckets", len(one.State), len(many.State), many.Buckets)
			}
			if diff := cmp.Diff(k.outcome(one), k.outcome(many)); diff != "" {
				rt.Fatal(diff)
			}
		}
	})
}

// outcome is all that comes of a delivery: what is sent, and who is known afterwards.
func (k *tool) outcome(i *Intent) map[string]string {
	k.Helper()
	all := map[string]string{"counts": fmt.Sprint(i.Counts, i.Reasons, i.Unsendable)}
	for _, f := range i.Files {
		all[f.Name] = fmt.Sprint(f.From, f.To, "\n", string(k.read(f.File)))
	}
	for _, lost := range []func(standing) bool{nil, func(standing) bool { return true }} {
		known, err := readState(k.T, k.bucket(), i, lost)
		if err != nil {
			k.Fatal(err)
		}
		for _, s := range known {
			all[fmt.Sprint(lost == nil, s.key)] = fmt.Sprint(s.Now)
		}
	}
	return all
}

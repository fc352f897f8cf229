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
		for u := range 10 {
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

// Who stays is taken without a standing made of the state's row, unless files of the
// delivery before were given up. It makes no difference to any byte.
func TestWhoStaysIsTakenAsInGeneral(t *testing.T) {
	never := func(standing) bool { return false }
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom([]string{"jsonl", "csv", "braze-csv", "braze-cdi"}).Draw(rt, "destination")
		columns := []string{"email: email", "note: note"}
		k := newTool(t, name, []string{"a", "b"}, columns...)
		for n := range 2 {
			k.job.Changes = rapid.Bool().Draw(rt, "changes")
			k.job.Workers = 1 + n
			p := drawNight(rt, k, n)
			if rapid.Bool().Draw(rt, "the same date") {
				p.Date = k.day.AddDays(-1)
			}
			kind := Changes
			if k.last == nil || !k.job.Changes {
				kind = Full
			}
			var made []*Intent
			var texts []string
			for _, lost := range []func(standing) bool{never, nil} {
				k.job.By = fmt.Sprint("attempt-", n, lost == nil)
				i, err := k.job.build(t.Context(), kind, Target{Date: p.Date, Run: p.Run}, p, k.last, lost)
				if err != nil {
					rt.Fatal(err)
				}
				text, err := json.MarshalIndent(i, "", " ")
				if err != nil {
					rt.Fatal(err)
				}
				made, texts = append(made, i), append(texts, strings.ReplaceAll(string(text), k.job.By, "attempt"))
			}
			if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
				rt.Fatal(diff)
			}
			k.last = made[1]
		}
	})
}

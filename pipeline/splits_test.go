package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/score"
)

// crowded is a night of twelve splits: users 0 to 599, of whom 0 to 99 are there
// again in a later part and 590 to 609 are excluded.
func crowded(t *testing.T) *town {
	t.Helper()
	w := newTown(t)
	w.night.SplitRows = 60
	w.put("dt=2026-11-22/c.parquet", users(t, 0, 100))
	erased := objstore.New(mem.New(), "mem://erased")
	if _, err := erased.CreateBytes(t.Context(), "e.parquet", users(t, 590, 610)); err != nil {
		t.Fatal(err)
	}
	w.night.Exclude = []pipeline.List{{URL: "mem://erased/e.parquet", Bucket: erased, Files: "*.parquet", ID: "user_id"}}
	w.night.Gates = gate.Limits{Rows: gate.Ratio{Max: 9}, Rejected: 1, Duplicates: 1, Constant: 1, NullShift: 1}
	return w
}

// What a split writes does not depend on who worked on it, or with what memory.
func TestSplitsAreTheSameOnAnyWorkers(t *testing.T) {
	var want map[string]string
	for _, workers := range []int{1, 2, 7} {
		w := crowded(t)
		w.night.Rules.Audiences[0].Files = everyForm
		out, err := pipeline.Run(t.Context(), w.night, localrun.Engine{Workers: workers, Memory: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		r := out.Manifest.Rows
		if r.Read != 700 || r.Duplicates != 200 || r.Excluded != 10 || r.Scored != 490 {
			t.Errorf("%d workers: %+v, want 700 = 200 duplicates + 10 excluded + 490 scored", workers, r)
		}
		got := map[string]string{}
		scores := 0
		for _, f := range out.Manifest.Files() {
			got[f.Key] = f.SHA256
			if strings.Contains(f.Key, "/scores/") {
				if want := fmt.Sprintf("part-%05d.parquet", scores+1); scores < 4 && !strings.HasSuffix(f.Key, want) {
					t.Errorf("shard %d is %s, want %s: the first split holds duplicates only", scores, f.Key, want)
				}
				scores++
			}
		}
		if scores < 4 {
			t.Fatalf("only %d shards of scores", scores)
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
	}
}

// Every user is in the one audience that holds everybody exactly as often as brute
// force says.
func TestSplitsLoseNobody(t *testing.T) {
	w := crowded(t)
	w.night.Rules.Duplicates = identity.KeepIdentical
	w.night.Rules.Audiences = []pipeline.Audience{{Name: "all", Range: [2]uint16{0, 10000}, Files: []pipeline.File{{Format: "parquet"}, {Format: "csv"}}}}
	out, err := w.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, f := range out.Manifest.Audiences[0].Files {
		if f.Format != "csv" {
			continue
		}
		text, _, err := w.night.Output.Read(t.Context(), f.Key, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range bytes.Split(bytes.TrimSpace(text), []byte("\r\n"))[1:] {
			seen[string(bytes.SplitN(line, []byte(","), 2)[0])]++
		}
	}
	for i := range 600 {
		want := 1
		if i >= 590 {
			want = 0
		}
		if n := seen[fmt.Sprintf("u%d", i)]; n != want {
			t.Errorf("user %d is there %d times, want %d", i, n, want)
		}
	}
	if len(seen) != 590 {
		t.Errorf("%d users, want 590", len(seen))
	}
}

// Whatever changes bytes changes the fingerprint, so that a date published by one
// config is never taken for published by another.
func TestEveryRuleIsInTheFingerprint(t *testing.T) {
	fingerprint := func(change func(*pipeline.Night)) string {
		w := crowded(t)
		change(&w.night)
		w.night.DryRun = true
		out, err := w.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return out.Manifest.Fingerprint
	}
	seen := map[string]string{fingerprint(func(*pipeline.Night) {}): "nothing"}
	for name, change := range map[string]func(*pipeline.Night){
		"duplicates": func(n *pipeline.Night) { n.Rules.Duplicates = identity.KeepIdentical },
		"order_by":   func(n *pipeline.Night) { n.Rules.Duplicates, n.Rules.OrderBy = identity.KeepLatest, "churn_score" },
		"range": func(n *pipeline.Night) {
			n.Rules.Column.High = 200
			n.Rules.Scorer, _ = score.FromColumn("churn_score", 0, 200)
		},
		"categories":  func(n *pipeline.Night) { n.Rules.Categories[0].From = 80 },
		"audience":    func(n *pipeline.Night) { n.Rules.Audiences[0].Name = "top" },
		"format":      func(n *pipeline.Night) { n.Rules.Audiences[0].Files = n.Rules.Audiences[0].Files[:1] },
		"gzip":        func(n *pipeline.Night) { n.Rules.Audiences[0].Files[1].Gzip = true },
		"JSON lines":  func(n *pipeline.Night) { n.Rules.Audiences[0].Files[1].Format = "jsonl" },
		"columns":     func(n *pipeline.Night) { n.Rules.Audiences[0].Files[1].Columns = planAs("", "") },
		"hash":        func(n *pipeline.Night) { n.Rules.Audiences[0].Files[1].Columns = planAs("sha256-lower-trim", "") },
		"normalise":   func(n *pipeline.Night) { n.Rules.Audiences[0].Files[1].Columns = planAs("", "e164") },
		"both":        func(n *pipeline.Night) { n.Rules.Audiences[0].Files[1].Columns = planAs("sha256-lower-trim", "e164") },
		"formula":     func(n *pipeline.Night) { n.Rules.Audiences[0].Files[1].Formula = "quote" },
		"scores":      func(n *pipeline.Night) { n.Rules.Scores = false },
		"passthrough": func(n *pipeline.Night) { n.Rules.Passthrough = []string{"plan"} },
		"compression": func(n *pipeline.Night) { n.Rules.Compression = "snappy" },
		"exclude":     func(n *pipeline.Night) { n.Exclude = nil },
		"list id":     func(n *pipeline.Night) { n.Exclude[0].ID = "plan" },
		"as_of":       func(n *pipeline.Night) { n.Rules.AsOf = "day" },
		"mode":        func(n *pipeline.Night) { n.Mode = pipeline.Preview },
	} {
		f := fingerprint(change)
		if other, there := seen[f]; there {
			t.Errorf("a change of %s has the fingerprint of a change of %s", name, other)
		}
		seen[f] = name
	}
}

func planAs(hash, normalise string) []pipeline.Column {
	return []pipeline.Column{{Name: "plan", From: "plan", Hash: hash, Normalise: normalise}}
}

// What a config does not say is not in its canonical form, so that a date that was
// published before a key existed keeps its fingerprint.
func TestKeysThatAreNotUsedAreNotInTheFingerprint(t *testing.T) {
	file := pipeline.File{Format: "csv", Columns: []pipeline.Column{{Name: "plan", From: "plan"}}}
	got, err := json.Marshal(file)
	if want := `{"Format":"csv","Columns":[{"Name":"plan","From":"plan"}]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline/publish"
)

const night22 = "2026-11-22"

func (p *place) runJSON(flags ...string) (runJSON, result) {
	p.t.Helper()
	r := p.night(append(flags, "--json")...)
	var out runJSON
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		p.t.Fatalf("not JSON: %v\n%s%s", err, r.stdout, r.stderr)
	}
	return out, r
}

// shardSums gives the SHA-256 of every file of a run, by its key without the run.
func shardSums(m *publish.Manifest) map[string]string {
	sums := map[string]string{}
	for _, f := range m.Files() {
		sums[strings.Replace(f.Key, m.Run, "RUN", 1)] = f.SHA256
	}
	return sums
}

func TestFirstNight(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 10_000)
	out, r := p.runJSON()
	r.expect(t, exitDone)
	if out.Status != "published" || out.Date != night22 || *out.Seq != 0 || out.Prediction != "churn-test" {
		t.Errorf("%+v", out)
	}
	// The scores are 0.00 to 99.99, each once.
	m := out.Manifest
	if m.Rows.Read != 10_000 || m.Rows.Scored != 10_000 {
		t.Errorf("rows %+v", m.Rows)
	}
	for i, want := range []struct {
		name  string
		count int64
	}{{"high", 2500}, {"medium", 2500}, {"low", 5000}} {
		if c, a := m.Categories[i], m.Audiences[i]; c.Name != want.name || c.Count != want.count || a.Name != want.name || a.Members != want.count {
			t.Errorf("category %+v, audience %s of %d; want %+v", c, a.Name, a.Members, want)
		}
	}
	for i, n := range m.Distribution {
		if n != 500 {
			t.Errorf("bucket %d holds %d, want 500", i, n)
		}
	}
	var latest struct{ Run string }
	text, err := os.ReadFile(p.path("out/latest/_MANIFEST.json"))
	if err != nil || json.Unmarshal(text, &latest) != nil || latest.Run != out.Run {
		t.Errorf("latest shows %q, want %q (%v)", latest.Run, out.Run, err)
	}
}

func TestRerunSaysAlreadyPublished(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 100)
	first, _ := p.runJSON()
	again, r := p.runJSON()
	r.expect(t, exitDone)
	if again.Status != "already-published" || again.Run != first.Run {
		t.Errorf("%+v", again)
	}
	runs, _ := filepath.Glob(p.path("out/runs/*/*"))
	if len(runs) != 1 {
		t.Errorf("runs %v", runs)
	}
}

func TestAnotherConfigTakesEffectFromTheNextDate(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	first, _ := p.runJSON()
	cuts := []string{"--set", "categories=[{name: hot, from: 90}, {name: cold, from: 0}]"}
	other, r := p.runJSON(cuts...)
	r.expect(t, exitDone, "--force")
	if other.Status != "already-published" || other.Run != first.Run {
		t.Errorf("%+v", other)
	}
	forced, r := p.runJSON(append(cuts, "--force")...)
	r.expect(t, exitDone)
	if forced.Status != "published" || *forced.Seq != 1 || forced.Manifest.Audiences[0].Name != "hot" {
		t.Errorf("%+v", forced)
	}
}

// Gates, urls and dates do not change bytes: the same inputs force the same run.
func TestSameBytesOnAnyWorkers(t *testing.T) {
	p := newPlace(t)
	for i := range 3 {
		n := 30_000
		ids, scores, plans := make([]string, n), make([]float64, n), make([]string, n)
		for k := range n {
			ids[k] = fmt.Sprintf("u%d-%d", i, k)
			scores[k] = float64((k*31+i)%10001) / 100
			plans[k] = []string{"free", "basic", "pro"}[(k+i)%3]
		}
		p.part(night22, fmt.Sprintf("part-%d.parquet", i), column{"user_id", ids}, column{"churn_score", scores}, column{"plan", plans})
	}
	csvFile := []string{"--set", "audiences=[{name: top, score: [80, 100], files: [{format: parquet}, {format: csv, columns: {external_id: user_id, risk: score, tier: category}}, {format: csv, gzip: true}, {format: jsonl, gzip: true, columns: {id: {from: user_id, hash: sha256-lower-trim}}}]}]",
		"--set", "publish.passthrough=[plan]", "--force"}
	var want map[string]string
	for _, workers := range []string{"1", "2", "7", "2"} {
		out, r := p.runJSON(append(csvFile, "--workers", workers)...)
		r.expect(t, exitDone)
		got := shardSums(out.Manifest)
		if want == nil {
			want = got
		}
		if len(got) < 5 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s workers gave\n%v, want\n%v", workers, got, want)
		}
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	out, r := p.runJSON("--dry-run")
	r.expect(t, exitDone)
	if out.Status != "dry-run" || out.Manifest.Rows.Scored != 1000 {
		t.Errorf("%+v", out)
	}
	if _, err := os.Stat(p.path("out")); !os.IsNotExist(err) {
		t.Errorf("the output exists: %v", err)
	}
}

func TestPreviewHasNoAudience(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	out, r := p.runJSON("--set", "mode=preview")
	r.expect(t, exitDone)
	if out.Status != "preview" || len(out.Manifest.Audiences) != 0 || len(out.Manifest.Categories) != 3 {
		t.Errorf("%+v", out)
	}
	for _, never := range []string{"out/runs", "out/commits", "out/latest"} {
		if _, err := os.Stat(p.path(never)); !os.IsNotExist(err) {
			t.Errorf("%s exists: %v", never, err)
		}
	}
	if audiences, _ := filepath.Glob(p.path("out/preview/*/*/audiences")); len(audiences) > 0 {
		t.Errorf("a preview wrote %v", audiences)
	}
	if scores, _ := filepath.Glob(p.path("out/preview/*/*/scores/*")); len(scores) != 1 {
		t.Errorf("scores of a preview: %v", scores)
	}
}

func TestArchivedDoesNothing(t *testing.T) {
	p := newPlace(t)
	out, r := p.runJSON("--set", "mode=archived")
	r.expect(t, exitDone)
	if out.Status != "archived" || out.Manifest != nil {
		t.Errorf("%+v", out)
	}
}

// fates is a night in which every fate occurs, in the order in which they are
// decided: a bad id is rejected though its score is bad too, an excluded row is
// not a duplicate.
func fates(p *place) {
	text := func(s string) *string { return &s }
	number := func(f float64) *float64 { return &f }
	nan := func() *float64 { z := 0.0; z /= z; return &z }()
	p.part(night22, "a.parquet",
		column{"user_id", []*string{nil, text(""), text("bad\tid"), text(strings.Repeat("x", 1025)), text("\xff\xfe"), text("erased"), text("erased"), text("twice")}},
		column{"churn_score", []*float64{nil, number(1), number(2), number(3), number(4), number(5), number(6), number(7)}})
	p.part(night22, "b.parquet",
		column{"user_id", []*string{text("twice"), text("null"), text("nan"), text("low"), text("high"), text("zero"), text("hundred")}},
		column{"churn_score", []*float64{number(8), nil, nan, number(-0.01), number(100.01), number(0), number(100)}})
	writeParquet(p.t, p.path("erased/e.parquet"), column{"user_id", []string{"erased", "nobody"}})
}

var forgiving = []string{"--set", "exclude=[{url: erased/*.parquet, id: user_id}]",
	"--set", "gates.rejected.max_share=1", "--set", "gates.duplicates.max_share=1"}

func TestFates(t *testing.T) {
	p := newPlace(t)
	fates(p)
	out, r := p.runJSON(forgiving...)
	r.expect(t, exitDone)
	if got, want := out.Manifest.Rows, (publish.Rows{Read: 15, Rejected: 9, Excluded: 2, Duplicates: 2, Scored: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	want := map[string]int64{
		"id_null": 1, "id_empty": 1, "id_control_char": 1, "id_too_long": 1, "id_not_utf8": 1,
		"duplicate_id": 2, "score_null": 1, "score_nan": 1, "score_out_of_range": 2,
	}
	if fmt.Sprint(out.Manifest.RejectedReasons) != fmt.Sprint(want) {
		t.Errorf("reasons %v, want %v", out.Manifest.RejectedReasons, want)
	}
	if f := out.Manifest.Table("rejected"); len(f) != 1 || f[0].Rows != 11 {
		t.Errorf("rejected table %+v", f)
	}
}

func TestDuplicatesPolicies(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }
	for policy, want := range map[string]struct {
		duplicates int64
		scores     string // of the users that stay
	}{
		"reject":         {6, "single 50.00"},
		"keep_identical": {5, "same 10.00,single 50.00"}, // the copy of same, both of newer, both of tied
		"keep_latest":    {4, "newer 30.00,same 10.00,single 50.00"},
	} {
		t.Run(policy, func(t *testing.T) {
			p := newPlace(t)
			p.part(night22, "a.parquet",
				column{"user_id", []string{"same", "newer", "tied", "single"}},
				column{"churn_score", []float64{10, 20, 40, 50}},
				column{"updated_at", []time.Time{at(1), at(1), at(1), at(1)}})
			p.part(night22, "b.parquet",
				column{"user_id", []string{"same", "newer"}},
				column{"churn_score", []float64{10, 30}},
				column{"updated_at", []time.Time{at(1), at(2)}})
			p.part(night22, "c.parquet",
				column{"user_id", []string{"tied"}},
				column{"churn_score", []float64{45}},
				column{"updated_at", []time.Time{at(1)}})
			flags := []string{"--set", "snapshot.duplicates=" + policy, "--set", "gates.duplicates.max_share=1",
				"--set", "audiences=[{name: all, files: [{format: csv}]}]"}
			if policy == "keep_latest" {
				flags = append(flags, "--set", "snapshot.order_by=updated_at")
			}
			out, r := p.runJSON(flags...)
			r.expect(t, exitDone)
			if out.Manifest.Rows.Duplicates != want.duplicates {
				t.Errorf("%d duplicates, want %d", out.Manifest.Rows.Duplicates, want.duplicates)
			}
			if got := strings.Join(p.csvUsers(out, "all"), ","); got != want.scores {
				t.Errorf("users %s, want %s", got, want.scores)
			}
		})
	}
}

// csvUsers reads an audience's CSV files: "id score", sorted.
func (p *place) csvUsers(out runJSON, audience string) []string {
	p.t.Helper()
	var users []string
	for _, a := range out.Manifest.Audiences {
		for _, f := range a.Files {
			if a.Name != audience || f.Format != "csv" {
				continue
			}
			text, err := os.ReadFile(p.path("out", f.Key))
			if err != nil {
				p.t.Fatal(err)
			}
			rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
			if err != nil {
				p.t.Fatal(err)
			}
			for _, row := range rows[1:] {
				users = append(users, row[0]+" "+row[1])
			}
		}
	}
	slices.Sort(users)
	return users
}

func TestStaleColumn(t *testing.T) {
	p := newPlace(t)
	p.part(night22, "a.parquet", column{"user_id", []string{"a"}}, column{"churn_score", []float64{1}},
		column{"updated_at", []time.Time{time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)}})
	asOf := []string{"--set", "snapshot.as_of=updated_at"}
	p.night(append(asOf, "--dry-run", "--set", "timezone=America/New_York")...).expect(t, exitRefused, "2026-11-21")
	p.night(append(asOf, "--set", "timezone=America/New_York", "--accept", "stale", "--reason", "moved")...).expect(t, exitDone)
	p.night(append(asOf, "--force")...).expect(t, exitDone)
}

func TestTopShare(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	out, r := p.runJSON("--set", "categories=[{name: high, top_share: 0.1}, {name: low, from: 0}]")
	r.expect(t, exitDone)
	if c := out.Manifest.Categories[0]; c.Count > 100 || c.Count < 95 || out.Manifest.Audiences[0].Members != c.Count {
		t.Errorf("the top tenth of 1,000 is %+v", c)
	}
}

func TestRefusedNightKeepsEvidence(t *testing.T) {
	p := newPlace(t)
	fates(p)
	p.night().expect(t, exitRefused, "rejected", "evidence: ", "refusals/2026-11-22/")
	refusals, _ := filepath.Glob(p.path("out/refusals/2026-11-22/*/REFUSAL.json"))
	rows, _ := filepath.Glob(p.path("out/refusals/2026-11-22/*/rejected/part-*.parquet"))
	if len(refusals) != 1 || len(rows) != 1 || len(p.visible()) > 0 {
		t.Errorf("evidence %v %v, visible %v", refusals, rows, p.visible())
	}
	p.night("--accept", "rejected", "--accept", "duplicates", "--reason", " ").expect(t, exitUsage, "--reason")
	out, r := p.runJSON("--accept", "rejected", "--accept", "duplicates", "--accept", "psi", "--reason", "a migration")
	r.expect(t, exitDone)
	want := []publish.Accepted{{Gate: "rejected", Reason: "a migration"}, {Gate: "duplicates", Reason: "a migration"}}
	if !slices.Equal(out.Manifest.Accepted, want) {
		t.Errorf("accepted %v, want only the gates that would have refused: %v", out.Manifest.Accepted, want)
	}
}

// What lies beside the parts is not read, and not silently.
func TestFilesBesideTheParts(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 10)
	p.write("snapshots/dt=2026-11-22/B.PARQUET", "")
	p.write("snapshots/dt=2026-11-22/bucket=1/c.parquet", "")
	p.write("snapshots/dt=2026-11-22/_metadata", "")
	p.night().expect(t, exitDone, "warning: 2 files or folders", "B.PARQUET", "bucket=1/")
}

func TestShowFilesCheckTry(t *testing.T) {
	p := newPlace(t)
	p.ordinary("2026-11-21", 900)
	p.night().expect(t, exitDone)
	p.ordinary(night22, 1000)
	p.night().expect(t, exitDone)
	config := p.path("churntier.yaml")
	p.churntier("show", "-c", config).expect(t, exitDone, night22, "2026-11-21", "high", "95-100")
	p.churntier("show", "-c", config, "--date", "2026-11-20").expect(t, exitUsage, "2026-11-20")
	files := p.churntier("files", "-c", config, "--audience", "high")
	files.expect(t, exitDone)
	name := strings.TrimSpace(files.stdout)
	if _, err := os.Stat(strings.TrimPrefix(name, "file://")); err != nil || strings.Contains(name, "MANIFEST") {
		t.Errorf("files gave %q: %v", name, err)
	}
	p.churntier("files", "-c", config, "--audience", "nobody").expect(t, exitUsage, "nobody")
	p.churntier("check", "-c", config).expect(t, exitDone, "user_id", "churn_score", "1,000 rows")
	p.churntier("check", "-c", config, "--probe").expect(t, exitDone, "refuses to create an object twice, and to replace")
	p.churntier("check", "-c", config, "--probe", "--json").expect(t, exitDone, `"probed":"create and replace"`)
	p.churntier("try", strings.TrimPrefix(name, "file://")).expect(t, exitDone, `column "score" from 0 to 100`, "users 100.0%")
	p.churntier("try", p.path("nowhere.parquet")).expect(t, exitUsage, "nowhere.parquet")
	p.churntier("schema").expect(t, exitDone, "draft-07")
	p.churntier("version").expect(t, exitDone, "churntier")
}

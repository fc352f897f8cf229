package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline/publish"
)

// latest gives what latest/ shows.
func (p *place) latest() publish.Projected {
	p.t.Helper()
	data, err := os.ReadFile(p.path("out/latest/_MANIFEST.json"))
	var shown publish.Projected
	if err == nil {
		err = json.Unmarshal(data, &shown)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return shown
}

// forced gives a date that was published twice, and the names of both runs.
func forced(t *testing.T) (p *place, first, second string) {
	t.Helper()
	p = newPlace(t)
	p.ordinary(night22, 300)
	before, _ := p.runJSON()
	p.ordinary(night22, 310)
	after, _ := p.runJSON("--force")
	if p.latest().Run != after.Run {
		t.Fatalf("latest shows %+v", p.latest())
	}
	return p, before.Run, after.Run
}

func TestRollbackCommand(t *testing.T) {
	p, first, second := forced(t)
	p.operate("rollback", "--date", night22, "--to", "0", "--reason", "wrong export").
		expect(t, exitDone, "rolled back to run "+first+" of entry 0 by entry 2", "latest/ shows "+night22+", entry 2: run "+first)
	if p.latest().Run != first || p.latest().Seq != 2 {
		t.Errorf("latest shows %+v", p.latest())
	}
	p.operate("show").expect(t, exitDone, "run "+first+", entry 2", "to run "+first+" of entry 0: wrong export", "rows  300 read")
	p.operate("files").expect(t, exitDone, "/"+first+"/")
	// The next run leaves the rollback alone.
	p.night().expect(t, exitDone, "already published", "was rolled back to run "+first)
	var out jobs.Operated
	r := p.operate("rollback", "--date", night22, "--to", "1", "--reason", "it was right", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || out.Entry.Rollback != second || out.Entry.Seq != 3 || out.Latest.Run != second {
		t.Errorf("%v: %s", err, r.stdout)
	}
	p.operate("rollback", "--date", night22, "--to", "2", "--reason", "x").expect(t, exitUsage, "entry 2 published no run", "0, 1")
	p.operate("rollback", "--date", "yesterday", "--to", "0", "--reason", "x").expect(t, exitUsage, "--date")
	p.operate("rollback", "--date", night22, "--to", "0").expect(t, exitUsage, "--reason")
	p.verify().expect(t, exitDone, "damages: 0")
}

func TestWithdrawCommand(t *testing.T) {
	p, _, second := forced(t)
	p.ordinary("2026-11-21", 300)
	p.night("--date", "2026-11-21").expect(t, exitDone)
	p.operate("withdraw", "--date", night22, "--reason", "complaint").
		expect(t, exitDone, "withdrawn by entry 2", "latest/ shows "+night22+", entry 2: withdrawn (complaint)")
	if shown := p.latest(); shown.Withdrawn == nil || shown.Withdrawn.Reason != "complaint" || shown.Date.String() != night22 {
		t.Errorf("latest shows %+v", shown)
	}
	p.operate("files").expect(t, exitUsage, night22+" was withdrawn (complaint)")
	p.operate("show", "--json").expect(t, exitDone, `"status":"withdrawn"`, `"run":"","seq":2,`, `"manifest":null`, `"refusals":[]`)
	p.night().expect(t, exitDone, "withdrawn, nothing was published", "--force publishes it again")
	if out, _ := p.runJSON(); out.Status != "withdrawn" || out.Seq == nil || *out.Seq != 2 || out.Run != "" {
		t.Errorf("a run says %+v", out)
	}
	p.night("--force").expect(t, exitDone, "published in")
	if shown := p.latest(); shown.Seq != 3 || shown.Run == second {
		t.Errorf("latest shows %+v", shown)
	}
	p.operate("withdraw", "--date", "2026-11-23", "--reason", "x").expect(t, exitUsage, "nothing is published for it")
	r := p.operate("withdraw", "--date", "2026-11-23", "--reason", "x", "--json")
	r.expect(t, exitUsage, `"status":"failed"`, `"kind":"usage"`)
}

// After an entry is in the log, a latest/ that cannot be written is said to be so,
// and repaired.
func TestRollbackWithoutProjection(t *testing.T) {
	p, first, _ := forced(t)
	aside := p.path("latest")
	if err := os.Rename(p.path("out/latest"), aside); err != nil {
		t.Fatal(err)
	}
	p.write("out/latest", "a file where the folder was")
	p.operate("rollback", "--date", night22, "--to", "0", "--reason", "x").expect(t, exitFailed, "rolled back to run "+first, "repair")
	p.remove("latest")
	if err := os.Rename(aside, p.path("out/latest")); err != nil {
		t.Fatal(err)
	}
	p.operate("repair").expect(t, exitDone, "run "+first)
}

// orphan leaves what a killed run leaves: files under a name that no log knows.
func (p *place) orphan(age time.Duration) string {
	p.t.Helper()
	made := time.Now().Add(-age)
	folder := "out/runs/" + night22 + "/01AAAAAAAAAAAAAAAAAAAAAAAA/scores/"
	for _, name := range []string{folder + "part-00000.parquet", folder + ".tmp-half"} {
		p.write(name, "half")
		if err := os.Chtimes(p.path(name), made, made); err != nil {
			p.t.Fatal(err)
		}
	}
	return p.path(folder) + "/"
}

func TestPruneCommand(t *testing.T) {
	p, _, _ := forced(t)
	before := len(p.files())
	folder := p.orphan(200 * time.Hour)
	p.operate("prune", "--older-than", "300h").expect(t, exitDone, "deleted 0 orphan runs, 0 expired", "0 temporary files")
	p.operate("prune", "--dry-run").expect(t, exitDone, "would delete orphan run 01AAAAAAAAAAAAAAAAAAAAAAAA of "+night22+": 1 objects, 4 bytes")
	if _, err := os.Stat(folder + "part-00000.parquet"); err != nil {
		t.Error(err)
	}
	p.operate("prune").expect(t, exitDone, "deleted orphan run 01AAAAAAAAAAAAAAAAAAAAAAAA of "+night22, "deleted 1 orphan runs, 0 expired, 0 refusals, 0 previews, 1 temporary files")
	if got := p.files(); len(got) != before+1 { // the fence
		t.Errorf("left are %q", got)
	}
	r := p.operate("prune", "--json")
	var out jobs.Pruned
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || len(out.Orphans) != 0 || strings.Contains(r.stdout, "null") {
		t.Errorf("%v: %s", err, r.stdout)
	}
	p.operate("prune", "--older-than=-1h").expect(t, exitUsage, "must not be negative")
	p.verify().expect(t, exitDone, "damages: 0")
}

// Old runs expire: a rollback to them is refused, the effective one stays.
func TestExpiry(t *testing.T) {
	p, first, second := forced(t)
	p.operate("prune", "--set", "publish.keep_days=1").expect(t, exitDone, "deleted expired run "+first, "1 expired")
	p.operate("rollback", "--date", night22, "--to", "0", "--reason", "x").expect(t, exitUsage, "have expired")
	p.operate("files").expect(t, exitDone, second)
	p.operate("show").expect(t, exitDone, "expiry", "shards of "+first)
	p.verify().expect(t, exitDone, "published runs: 2, expired of them: 1", "damages: 0")
	p.night().expect(t, exitDone, "already published")
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// varied writes a night of n users whose scores and rows are those of no other date.
func (p *place) varied(day string, n int) {
	p.t.Helper()
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		p.t.Fatal(err)
	}
	shift := int(d.Unix() / 86400)
	ids, scores := make([]string, n), make([]float64, n)
	for i := range n {
		ids[i] = fmt.Sprintf("u%07d", i+shift%100)
		scores[i] = float64((i*7919+shift*31)%10000) / 100
	}
	p.part(day, "part-00000.parquet", column{"user_id", ids}, column{"churn_score", scores})
}

// from22 are n dates from 2026-11-22 on.
func from22(n int) []string {
	days := make([]string, n)
	for i := range days {
		days[i] = time.Date(2026, 11, 22+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	return days
}

// nights is a place with n varied nights.
func nights(t *testing.T, n int) (*place, []string) {
	t.Helper()
	p, days := newPlace(t), from22(n)
	for _, d := range days {
		p.varied(d, 1000)
	}
	return p, days
}

func (p *place) backfillArgs(days []string, flags ...string) []string {
	return append([]string{"backfill", "-c", p.path("churntier.yaml"), "--from", days[0], "--to", days[len(days)-1]}, flags...)
}

func (p *place) backfill(days []string, flags ...string) (backfillJSON, result) {
	p.t.Helper()
	r := p.churntier(p.backfillArgs(days, append(flags, "--json", "--quiet")...)...)
	var out backfillJSON
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		p.t.Fatalf("not JSON: %v\n%s%s", err, r.stdout, r.stderr)
	}
	return out, r
}

// lines says of each date of a plan and of each receipt what is to be or was done.
func (b backfillJSON) lines() (plan, receipts []string) {
	for _, p := range b.Plan {
		plan = append(plan, fmt.Sprintf("%s %s", p.Date, p.Action))
	}
	for _, r := range b.Receipts {
		receipts = append(receipts, fmt.Sprintf("%s %s", r.Date, r.Status))
	}
	return plan, receipts
}

// expectLines compares lines of an answer with those wanted, by date and word.
func expectLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestBackfillPublishesOldestFirst(t *testing.T) {
	p, days := nights(t, 5)
	if err := os.Remove(p.path("snapshots", "dt="+days[3], "_SUCCESS")); err != nil {
		t.Fatal(err)
	}
	p.night("--date", days[1]).expect(t, exitDone)
	out, r := p.backfill(days, "--exclude", days[2])
	r.expect(t, exitNotReady)
	plan, receipts := out.lines()
	expectLines(t, "plan", plan, []string{days[0] + " publish", days[1] + " skip", days[3] + " not ready", days[4] + " publish"})
	expectLines(t, "receipts", receipts, []string{days[0] + " published", days[1] + " already-published", days[3] + " not-ready", days[4] + " published"})
	if out.Status != "not-ready" || out.Error == nil || len(out.Left) > 0 || out.Receipts[0].Rows.Scored != 1000 || out.Receipts[0].Run == "" {
		t.Errorf("%+v", out)
	}
	if r.stderr != "" {
		t.Errorf("--quiet said %q", r.stderr)
	}
}

func TestBackfillTellsPeople(t *testing.T) {
	p, days := nights(t, 2)
	r := p.churntier(p.backfillArgs(days)...)
	r.expect(t, exitDone, "churn-test: 2 dates, 2 publish\n", days[1]+"     ready       -  publish",
		days[0]+"  published          run ", ", entry 0, 1,000 scored, ", "\n2 dates, 2 published\n", "date="+days[1])
	if strings.Contains(r.stdout, "level=") {
		t.Errorf("progress on standard output: %s", r.stdout)
	}
	r = p.churntier(p.backfillArgs(days, "--json", "--log-format", "json", "--set", "schedule=0 5 * * *", "--set", "deadline=04:00")...)
	r.expect(t, exitDone, "2 dates, 2 skip", "\nwarning: --set \"deadline=04:00\"", `"warnings":["--set`)
	if strings.Contains(r.stdout, "2 dates") {
		t.Errorf("text beside the object: %s", r.stdout)
	}
}

func TestBackfillDryRunIsThePlan(t *testing.T) {
	p, days := nights(t, 2)
	out, r := p.backfill(days, "--dry-run")
	r.expect(t, exitDone)
	if out.Status != "dry-run" || len(out.Plan) != 2 || len(out.Left) != 2 || len(out.Receipts) != 0 {
		t.Errorf("%+v", out)
	}
	if _, err := os.Stat(p.path("out")); !os.IsNotExist(err) {
		t.Errorf("the output exists: %v", err)
	}
}

// One that was interrupted between a commit and latest/ is finished by the next.
func TestBackfillFinishesTheProjection(t *testing.T) {
	p, days := nights(t, 2)
	_, r := p.backfill(days)
	r.expect(t, exitDone)
	latest := p.path("out/latest/_MANIFEST.json")
	want := string(readFile(t, latest))
	if err := os.Remove(latest); err != nil {
		t.Fatal(err)
	}
	_, r = p.backfill(days)
	r.expect(t, exitDone)
	if got := string(readFile(t, latest)); got != want {
		t.Errorf("latest/ shows %s, want %s", got, want)
	}
}

// With a schedule, a backfill has the nights of the schedule.
func TestBackfillFollowsTheSchedule(t *testing.T) {
	p, days := nights(t, 7) // Sunday to Saturday
	out, r := p.backfill(days, "--set", "schedule=0 5 * * mon,thu", "--dry-run")
	r.expect(t, exitDone)
	plan, _ := out.lines()
	expectLines(t, "plan", plan, []string{days[0] + " publish", days[3] + " publish"})
}

func TestBackfillOfAnArchivedPredictionDoesNothing(t *testing.T) {
	p, days := nights(t, 2)
	out, r := p.backfill(days, "--set", "mode=archived")
	r.expect(t, exitDone)
	if len(out.Plan) > 0 || len(p.visible()) > 0 {
		t.Errorf("%+v, visible %v", out, p.visible())
	}
}

func TestBackfillUsage(t *testing.T) {
	p, days := nights(t, 2)
	for name, c := range map[string]struct {
		from, to string
		flags    []string
		says     string
	}{
		"no date":            {"yesterday", days[1], nil, "--from: date"},
		"no date at the end": {days[0], "2026-02-30", nil, "--to: date"},
		"backwards":          {days[1], days[0], nil, "is after"},
		"a mistyped year":    {"0226-11-22", days[0], nil, "at most 3660"},
		"excluded outside":   {days[0], days[1], []string{"--exclude", "2026-12-01"}, "--exclude: 2026-12-01 is not from"},
		"excluded nothing":   {days[0], days[1], []string{"--exclude", "x"}, "--exclude: date"},
		"no nights":          {days[0], days[1], []string{"--parallel", "0"}, "--parallel"},
		"too little memory":  {days[0], days[1], []string{"--parallel", "2", "--memory", "31MiB"}, "too little for 2 nights"},
		"another word":       {days[0], days[1], []string{"--reprocess", "all"}, "none"},
		"no config":          {days[0], days[1], []string{"--set", "mode=dead"}, "mode"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"backfill", "-c", p.path("churntier.yaml"), "--from", c.from, "--to", c.to}
			p.churntier(append(args, c.flags...)...).expect(t, exitUsage, c.says)
		})
	}
	p.churntier("backfill", "-c", p.path("churntier.yaml"), "--from", days[0]).expect(t, exitUsage, "--to")
	if len(p.visible()) > 0 {
		t.Errorf("something became visible: %v", p.visible())
	}
}

// A refused date is refused however often a backfill is resumed, until it is asked
// to run it again.
func TestBackfillReprocessesWhatFailed(t *testing.T) {
	p, days := nights(t, 3)
	p.varied(days[1], 10) // a hundredth of the rows
	want := []string{days[0] + " published", days[1] + " refused", days[2] + " published"}
	out, r := p.backfill(days)
	r.expect(t, exitRefused)
	_, receipts := out.lines()
	expectLines(t, "first", receipts, want)

	p.varied(days[1], 1001)
	out, r = p.backfill(days)
	r.expect(t, exitRefused, "--reprocess failed runs it again")
	_, receipts = out.lines()
	expectLines(t, "resumed", receipts, []string{days[0] + " already-published", days[1] + " refused", days[2] + " already-published"})
	if evidence := globbed(t, p.path("out/refusals/*/*")); len(evidence) != 1 {
		t.Errorf("evidence of %d runs, want that of the first", len(evidence))
	}

	out, r = p.backfill(days, "--reprocess", "failed")
	r.expect(t, exitDone)
	_, receipts = out.lines()
	expectLines(t, "reprocessed", receipts, []string{days[0] + " already-published", days[1] + " published", days[2] + " already-published"})
}

// What is published is published again where its inputs or the config changed, once;
// what an operator decided stays.
func TestBackfillReprocessesWhatIsCompleted(t *testing.T) {
	p, days := nights(t, 4)
	_, r := p.backfill(days)
	r.expect(t, exitDone)
	p.night("--date", days[1], "--force").expect(t, exitDone)
	p.churntier("rollback", "-c", p.path("churntier.yaml"), "--date", days[1], "--to", "0", "--reason", "r").expect(t, exitDone)
	p.churntier("withdraw", "-c", p.path("churntier.yaml"), "--date", days[2], "--reason", "w").expect(t, exitDone)

	again := []string{"--reprocess", "completed", "--set", "categories=[{name: hot, from: 90}, {name: cold, from: 0}]", "--set", "gates.category_shift.refuse=99"}
	for i, want := range []string{"published", "already-published"} {
		out, r := p.backfill(days, again...)
		r.expect(t, exitDone)
		plan, receipts := out.lines()
		expectLines(t, "plan", plan, []string{days[0] + " publish if changed", days[1] + " skip", days[2] + " skip", days[3] + " publish if changed"})
		expectLines(t, "receipts", receipts, []string{days[0] + " " + want, days[1] + " already-published", days[2] + " already-published", days[3] + " " + want})
		if seq := *out.Receipts[0].Seq; seq != 1 {
			t.Errorf("round %d: entry %d of %s, want 1", i, seq, days[0])
		}
		if m := out.Receipts[2].Message; m != "withdrawn by an operator; churntier run --force replaces it" {
			t.Errorf("of the withdrawn date it says %q", m)
		}
	}
}

// oddEvidence leaves evidence of a refused run that no store can read.
func (p *place) oddEvidence(day string) {
	p.t.Helper()
	name := "out/refusals/" + day + "/01J00000000000000000000000/REFUSAL.json"
	p.write(name+".beside", "")
	if err := os.Symlink("REFUSAL.json", p.path(name)); err != nil { // to itself
		p.t.Fatal(err)
	}
}

// What cannot be looked at is found out before anything is published.
func TestBackfillThatCannotBePlanned(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(p *place, day string)
		flags []string
		code  int
		kind  string
	}{
		"a damaged log":      {func(p *place, day string) { p.write("out/commits/"+day+"/00000000.json", "{}") }, nil, exitFailed, "damage"},
		"odd evidence":       {(*place).oddEvidence, nil, exitFailed, "failed"},
		"another's place":    {func(p *place, _ string) { p.write("out/_CHURNTIER.json", `{"format":1,"prediction":"upsell"}`) }, nil, exitUsage, "owner"},
		"no snapshots":       {func(*place, string) {}, []string{"--set", "snapshot.url=nowhere"}, exitFailed, "bucket"},
		"no model":           {func(*place, string) {}, []string{"--set", "score={model: none.json}"}, exitUsage, "usage"},
		"no temporary files": {func(*place, string) {}, []string{"--temp", "nowhere"}, exitUsage, "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			p, days := nights(t, 2)
			c.spoil(p, days[1])
			out, r := p.backfill(days, c.flags...)
			r.expect(t, c.code)
			if out.Status != "failed" || out.Error.Kind != c.kind || len(out.Receipts) > 0 {
				t.Errorf("%+v, %+v", out, out.Error)
			}
		})
	}
}

// A published date whose manifest is damaged is told as such, and stops no other.
func TestBackfillTellsDamage(t *testing.T) {
	p, days := nights(t, 3)
	p.night("--date", days[2]).expect(t, exitDone)
	if err := os.Remove(globbed(t, p.path("out/runs", days[2], "*", "MANIFEST.json"))[0]); err != nil {
		t.Fatal(err)
	}
	out, r := p.backfill(days)
	r.expect(t, exitFailed)
	if last := out.Receipts[2]; last.Status != "failed" || last.Error.Kind != "damage" || len(globbed(t, p.path("out/commits/*"))) != 3 {
		t.Errorf("%+v, %+v", out, out.Error)
	}
}

func TestBackfillAsksAPerson(t *testing.T) {
	for answer, status := range map[string]int{"y\n": 1, "YES\n": 1, "n\n": 0, "\n": 0, "": 0} {
		p, days := nights(t, 1)
		c := backfillCommand{From: days[0], To: days[0], Reprocess: "none", Parallel: 1}
		c.Config, c.Memory, c.Quiet = p.path("churntier.yaml"), "64MiB", true
		var stdout, stderr bytes.Buffer
		term := &terminal{ctx: t.Context(), stdout: &stdout, stderr: &stderr, person: strings.NewReader(answer)}
		if err := c.Run(term); err != nil {
			t.Fatal(err)
		}
		if commits := globbed(t, p.path("out/commits/*/*")); len(commits) != status || !strings.Contains(stderr.String(), "Go on?") {
			t.Errorf("%q: published %v after %q", answer, commits, stderr.String())
		}
		stderr.Reset()
		c.Yes = true
		if err := c.Run(term); err != nil || strings.Contains(stderr.String(), "Go on?") {
			t.Errorf("--yes: %v, %q", err, stderr.String())
		}
	}
}

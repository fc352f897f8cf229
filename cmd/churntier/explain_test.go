package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/churntier/churntier/jobs"
)

// Another model trips the gates of the scores; the refusal says that it is the model.
func TestAnotherModelIsToldAsTheReason(t *testing.T) {
	p := gatesPlace(t, nil, nil)
	usersOf(night22).write(p, night22)
	p.write("m2.json", strings.Replace(gatesModel, `"intercept": 0`, `"intercept": 2`, 1))
	other := []string{"--set", "score.model=m2.json", "--set", "audiences.0.expect={min: 0}"}
	refused := []string{"The model changed since 2026-11-21 (m2.json, sha256 ", "it was m.json, sha256 ",
		"churntier run --dry-run", "let it pass once with --accept category_shift,psi --reason TEXT."}
	dry := p.night(append(other, "--dry-run")...)
	dry.expect(t, exitRefused, append(refused, "nothing was written", "refuse     psi")...)
	p.night(other...).expect(t, exitRefused, refused...)
	shown := p.churntier("show", "-c", p.path("churntier.yaml"))
	shown.expect(t, exitDone, append(refused, "churntier run -c CONFIG --date 2026-11-22 --accept category_shift,psi --reason TEXT")...)
	p.night(append(other, "--accept", "category_shift,psi", "--reason", "new model")...).expect(t, exitDone, "published in")
}

func TestChangedCutsRefuseNothingAndAreTold(t *testing.T) {
	p := gatesPlace(t, nil, nil)
	usersOf(night22).write(p, night22)
	p.night("--set", "categories=[{name: high, from: 85}, {name: low, from: 0}]", "--set", "audiences.0.expect={min: 0}").expect(t, exitDone,
		"The categories changed since 2026-11-21: tonight high 200, low 800; by the cuts of then it would be high 400, low 600.")
	p.night("--force", "--set", "categories=[{name: high, top_share: 0.25}, {name: low, from: 0}]", "--set", "audiences.0.expect={min: 0}").
		expect(t, exitDone, `a change by 0 %, warned`)
}

func TestBaselineThatIsNone(t *testing.T) {
	p := gatesPlace(t, nil, nil)
	usersOf(night22).write(p, night22)
	pinned := func(day string) result { return p.night("--set", "gates.psi.baseline="+day) }
	pinned("2026-11-19").expect(t, exitUsage, "gates.psi.baseline: nothing is published for 2026-11-19, or it was withdrawn", "churntier show")
	p.write("out/commits/2026-11-20/00000001.json", `{"seq":1,"withdraw":true,"reason":"a bad export"}`)
	pinned("2026-11-20").expect(t, exitUsage, "gates.psi.baseline: nothing is published for 2026-11-20, or it was withdrawn")
	if got := globbed(t, p.path("out/refusals/*")); len(got) > 0 {
		t.Errorf("a fault of the config left evidence: %v", got)
	}
	pinned("2026-11-22").expect(t, exitDone, "warning: gates.psi.baseline: 2026-11-22 is no earlier date than 2026-11-22, so nothing is compared with it")
}

func TestBaselineThatCannotBeRead(t *testing.T) {
	p := gatesPlace(t, nil, nil)
	usersOf(night22).write(p, night22)
	for _, name := range globbed(t, p.path("out/runs/2026-11-20/*/distribution.json")) {
		p.write(strings.TrimPrefix(name, p.dir), "{")
	}
	p.night("--set", "gates.psi.baseline=2026-11-20").expect(t, exitFailed, "gates.psi.baseline 2026-11-20", "distribution.json")
}

func TestPreviewIsNotJudged(t *testing.T) {
	p := gatesPlace(t, nil, nil)
	u := usersOf(night22)
	u.cut(10)
	u.write(p, night22)
	out, r := p.runJSON("--set", "mode=preview")
	r.expect(t, exitDone)
	if len(out.Manifest.Gates) != 0 {
		t.Errorf("gates of a preview: %+v", out.Manifest.Gates)
	}
}

func (p *place) showJSON(flags ...string) (s jobs.Shown) {
	p.t.Helper()
	r := p.churntier(append([]string{"show", "-c", p.path("churntier.yaml"), "--json"}, flags...)...)
	r.expect(p.t, exitDone)
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

func TestShowTellsEveryStateOfADate(t *testing.T) {
	p := gatesPlace(t, nil, nil)
	u := usersOf(night22)
	u.cut(100)
	u.write(p, night22)
	for range 2 {
		p.night().expect(t, exitRefused)
	}
	p.write("out/commits/2026-11-20/00000001.json", `{"seq":1,"withdraw":true,"reason":"a bad export"}`)
	p.write("out/refusals/2026-11-23/01ARZ3NDEKTSV4RRFFQ69G5FAV/REFUSAL.json", "\x1b[31m{")
	p.write("out/refusals/2026-11-24/junk", "")
	s := p.showJSON()
	if s.Date.String() != "2026-11-21" || s.Status != "published" || s.Manifest == nil || len(s.Refusals) != 2 {
		t.Fatalf("%+v", s)
	}
	junk, refused := s.Refusals[0], s.Refusals[1]
	if junk.Date.String() != "2026-11-23" || !strings.Contains(junk.Why[0].Message, "cannot be read") {
		t.Errorf("%+v", junk)
	}
	if refused.Attempts != 2 || refused.Why[0].Gate != "rows" || refused.Why[0].Do == "" || !strings.HasSuffix(refused.Next, "--date 2026-11-22 --accept rows,expect --reason TEXT") {
		t.Errorf("%+v", refused)
	}
	asked := p.showJSON("--date", night22)
	var states []string
	for _, n := range asked.History {
		states = append(states, n.Date.String()+" "+n.Status)
	}
	if got, want := strings.Join(states, ", "), "2026-11-22 refused, 2026-11-21 published, 2026-11-20 withdrawn"; got != want {
		t.Errorf("history %s, want %s", got, want)
	}
	if asked.Status != "refused" || asked.Manifest != nil || len(asked.Refusals) != 1 {
		t.Errorf("%+v", asked)
	}
	p.churntier("show", "-c", p.path("churntier.yaml"), "--date", night22).expect(t, exitDone, ", the last of 2 attempts")
	p.churntier("show", "-c", p.path("churntier.yaml"), "--date", "2026-11-20").expect(t, exitDone, "2026-11-20: withdrawn, nothing is published")
	if r := p.churntier("show", "-c", p.path("churntier.yaml")); strings.Contains(r.stdout, "\x1b") {
		t.Errorf("show prints what a terminal acts on: %q", r.stdout)
	}
	p.churntier("files", "-c", p.path("churntier.yaml"), "--date", night22).expect(t, exitUsage, "nothing is published for 2026-11-22 under")
}

// The first night ever may be refused.
func TestShowOfAPredictionThatPublishedNothing(t *testing.T) {
	p := newPlace(t)
	show := func() result { return p.churntier("show", "-c", p.path("churntier.yaml")) }
	show().expect(t, exitUsage, "nothing is published under")
	p.churntier("files", "-c", p.path("churntier.yaml")).expect(t, exitUsage, "nothing is published under")
	fates(p)
	p.night().expect(t, exitRefused)
	show().expect(t, exitDone, "churn-test 2026-11-22: refused, nothing is published", "rejected", "--accept rejected,duplicates --reason TEXT")
}

func TestShowOfARolledBackDate(t *testing.T) {
	p := gatesPlace(t, nil, nil)
	first := p.showJSON().Run
	p.night("--date", "2026-11-21", "--force").expect(t, exitDone)
	p.write("out/commits/2026-11-21/00000002.json", `{"seq":2,"rollback":"`+first+`","to":0,"reason":"wrong"}`)
	if s := p.showJSON(); s.Status != "rolled back" || s.Run != first || s.Seq != 2 {
		t.Errorf("%+v", s)
	}
}

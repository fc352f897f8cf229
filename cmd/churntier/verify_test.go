package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// richConfig publishes every kind of file.
const richConfig = plainConfig + `  keep_days: 1
holdout: {share: 0.2, salt: test, key: id}
audiences:
  - name: high
    score: [75, 100]
    files: [{format: parquet}, {format: csv}, {format: jsonl, gzip: true}]
  - name: low
    score: [0, 49.99]
    files: [{format: parquet}, {format: csv, gzip: true}, {format: jsonl}]
`

// published gives a place with three dates: the middle one forced and rolled back,
// the first one withdrawn.
func published(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.write("churntier.yaml", richConfig)
	for i, day := range []string{"2026-11-20", "2026-11-21", night22} {
		p.ordinary(day, 300+i)
		p.night("--date", day).expect(t, exitDone)
	}
	p.night("--date", "2026-11-21", "--force").expect(t, exitDone)
	p.operate("rollback", "--date", "2026-11-21", "--to", "0", "--reason", "wrong model").expect(t, exitDone)
	p.operate("withdraw", "--date", "2026-11-20", "--reason", "complaint").expect(t, exitDone)
	return p
}

func (p *place) operate(command string, flags ...string) result {
	p.t.Helper()
	return p.churntier(append([]string{command, "-c", p.path("churntier.yaml")}, flags...)...)
}

func (p *place) verify(flags ...string) result {
	p.t.Helper()
	return p.operate("verify", append(flags, "--quiet")...)
}

// files lists what is below the output by its path relative to it.
func (p *place) files() []string {
	p.t.Helper()
	var all []string
	err := filepath.WalkDir(p.path("out"), func(name string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, strings.TrimPrefix(name, p.path("out")+"/"))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

func TestVerifyFindsNothingInWhatIsWhole(t *testing.T) {
	p := published(t)
	p.verify().expect(t, exitDone, "dates: 3; published runs: 4, expired of them: 0", "damages: 0")
	p.verify("--date", "2026-11-21").expect(t, exitDone, "dates: 1; published runs: 2", "damages: 0")
	p.verify("--date", "2026-10-21").expect(t, exitUsage, "nothing is published for 2026-10-21")
	var out verifyJSON
	r := p.verify("--json")
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || out.Status != "verified" || out.Runs != 4 || len(out.Damages) != 0 {
		t.Errorf("%v: %s", err, r.stdout)
	}
	// What was never committed is no damage.
	p.write("out/runs/"+night22+"/01AAAAAAAAAAAAAAAAAAAAAAAA/part-00000.parquet", "half")
	p.verify().expect(t, exitDone, "damages: 0")
}

// A bit of any file, at its start, in its middle and at its end, is found, but in
// what no checksum and no other object speaks of: the reason of a rollback.
func TestVerifyFindsAFlippedBitInEveryFile(t *testing.T) {
	p := published(t)
	kinds := map[string]int{}
	for _, name := range p.files() {
		full := p.path("out", name)
		whole, err := os.ReadFile(full)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, len(whole) / 2, len(whole) - 1} {
			for _, bit := range []int{0, 5} {
				if inReason(whole, at) {
					continue
				}
				kinds[kindOfFile(name)]++
				bent := append([]byte(nil), whole...)
				bent[at] ^= 1 << bit
				p.overwrite(name, bent)
				r := p.verify()
				if r.code != exitFailed && r.code != exitUsage || !strings.Contains(r.stdout+r.stderr, base(name)) {
					t.Errorf("bit %d of byte %d of %s is not found: exit %d\n%s%s", bit, at, name, r.code, r.stdout, r.stderr)
				}
				if listed := strings.HasPrefix(name, "runs/") && base(name) != "MANIFEST.json"; listed && !strings.Contains(r.stdout, "damages: 1\n") {
					t.Errorf("bit %d of byte %d of %s is more than one damage:\n%s", bit, at, name, r.stdout)
				}
			}
		}
		p.overwrite(name, whole)
	}
	p.verify().expect(t, exitDone, "damages: 0")
	t.Logf("flipped bits by kind of file: %v", kinds)
	if len(kinds) < 15 {
		t.Errorf("only these kinds of files were there: %v", kinds)
	}
}

// inReason says whether a byte of a JSON text is within the text of a reason.
func inReason(text []byte, at int) bool {
	start := strings.Index(string(text), `"reason": "`)
	return start >= 0 && at >= start+len(`"reason": "`) && at < start+len(`"reason": "`)+len("wrong model")
}

// base is what a message has to name of a file.
func base(name string) string {
	if strings.HasPrefix(name, "commits/") {
		return filepath.Base(filepath.Dir(name))
	}
	return filepath.Base(name)
}

// kindOfFile is the table or audience and the form of a file.
func kindOfFile(name string) string {
	parts := strings.Split(name, "/")
	switch parts[0] {
	case "runs":
		parts = parts[3:]
	case "commits":
		parts = []string{"commits", parts[2]}
	}
	last := parts[len(parts)-1]
	return strings.Join(append(parts[:len(parts)-1:len(parts)-1], strings.TrimLeft(last, "0123456789")), "/")
}

func (p *place) overwrite(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(p.path("out", name), data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) remove(name string) {
	p.t.Helper()
	if err := os.Remove(p.path("out", name)); err != nil {
		p.t.Fatal(err)
	}
}

// first gives the first published file that the pattern matches.
func (p *place) first(pattern string) string {
	p.t.Helper()
	found := globbed(p.t, p.path("out", pattern))
	if len(found) == 0 {
		p.t.Fatalf("no file is %s", pattern)
	}
	return strings.TrimPrefix(found[0], p.path("out")+"/")
}

func TestVerifyFindsDamage(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(p *place) string // gives the name that has to be said
		said   string
	}{
		"a missing shard": {func(p *place) string {
			name := p.first("runs/" + night22 + "/*/audiences/high/part-00000.csv")
			p.remove(name)
			return name
		}, "the file is missing"},
		"a missing distribution": {func(p *place) string {
			name := p.first("runs/" + night22 + "/*/distribution.json")
			p.remove(name)
			return name
		}, "the file is missing"},
		"a missing manifest": {func(p *place) string {
			name := p.first("runs/2026-11-21/*/MANIFEST.json")
			p.remove(name)
			return name
		}, "object does not exist"},
		"an extra shard": {func(p *place) string {
			name := filepath.Dir(p.first("runs/"+night22+"/*/scores/part-00000.parquet")) + "/part-00001.parquet"
			p.overwrite(name, []byte("more"))
			return name
		}, "nothing may be added to a run"},
		"a truncated manifest": {func(p *place) string {
			return p.truncate(p.first("runs/" + night22 + "/*/MANIFEST.json"))
		}, "damaged manifest"},
		"a truncated shard": {func(p *place) string {
			return p.truncate(p.first("runs/" + night22 + "/*/audiences/low/part-00000.parquet"))
		}, "were written"},
		"a gap in the log": {func(p *place) string {
			p.remove("commits/2026-11-21/00000001.json")
			return "commits/2026-11-21/00000002.json"
		}, "damaged commit log"},
		"a log without its beginning": {func(p *place) string {
			p.remove("commits/2026-11-21/00000000.json")
			return "commits/2026-11-21/00000001.json"
		}, "damaged commit log"},
		"a stale latest": {func(p *place) string {
			return p.showOlder("2026-11-21")
		}, "it shows entry 0 of 2026-11-21, expected is entry 0 of 2026-11-22"},
		"no latest": {func(p *place) string {
			p.remove("latest/_MANIFEST.json")
			return "latest/_MANIFEST.json"
		}, "it is missing"},
		"a latest of the future": {func(p *place) string {
			p.bend("latest/_MANIFEST.json", `"date": "2026-11-22"`, `"date": "2036-11-22"`)
			return "latest/_MANIFEST.json"
		}, "entry 0 of 2036-11-22"},
		"no log at all": {func(p *place) string {
			_ = os.RemoveAll(p.path("out/commits"))
			p.operate("repair").expect(p.t, exitFailed, "there is no log")
			return "latest/_MANIFEST.json"
		}, "entry 0 of 2026-11-22, and there is no log"},
		"another fingerprint in the log": {func(p *place) string {
			p.bend("commits/"+night22+"/00000000.json", `"fingerprint": "`, `"fingerprint": "00`)
			return "commits/" + night22
		}, "damaged commit log"},
	} {
		t.Run(name, func(t *testing.T) {
			p := published(t)
			file := c.damage(p)
			p.verify().expect(t, exitFailed, file, c.said, "damages: ")
			var out verifyJSON
			r := p.verify("--json")
			if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || out.Status != "failed" || out.Error.Kind != "damage" || len(out.Damages) == 0 {
				t.Errorf("%v: %s", err, r.stdout)
			}
		})
	}
}

func (p *place) truncate(name string) string {
	p.t.Helper()
	if err := os.Truncate(p.path("out", name), 100); err != nil {
		p.t.Fatal(err)
	}
	return name
}

func (p *place) bend(name, old, replacement string) {
	p.t.Helper()
	data, err := os.ReadFile(p.path("out", name))
	if err != nil || !strings.Contains(string(data), old) {
		p.t.Fatalf("%s: %v, %q is not there", name, err, old)
	}
	p.overwrite(name, []byte(strings.Replace(string(data), old, replacement, 1)))
}

// showOlder makes latest/ what it was when the date was the newest.
func (p *place) showOlder(day string) string {
	p.t.Helper()
	q := newPlace(p.t)
	q.write("churntier.yaml", richConfig)
	q.ordinary(day, 301)
	q.night().expect(p.t, exitDone)
	data, err := os.ReadFile(q.path("out/latest/_MANIFEST.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.overwrite("latest/_MANIFEST.json", data)
	return "latest/_MANIFEST.json"
}

// Repair puts latest/ right, whatever it was.
func TestRepair(t *testing.T) {
	p := published(t)
	right, err := os.ReadFile(p.path("out/latest/_MANIFEST.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(){
		"stale":         func() { p.showOlder("2026-11-21") },
		"missing":       func() { p.remove("latest/_MANIFEST.json") },
		"no JSON":       func() { p.overwrite("latest/_MANIFEST.json", []byte("{")) },
		"of the future": func() { p.bend("latest/_MANIFEST.json", `"date": "2026-11-22"`, `"date": "2036-11-22"`) },
		"a bit flipped": func() { p.bend("latest/_MANIFEST.json", `"rows": 302`, `"rows": 303`) },
		"nothing":       func() {},
	} {
		damage()
		p.operate("repair").expect(t, exitDone, fmt.Sprintf("latest/ shows %s, entry 0: run ", night22))
		if now, err := os.ReadFile(p.path("out/latest/_MANIFEST.json")); err != nil || string(now) != string(right) {
			t.Errorf("%s: latest/ shows %s, %v", name, now, err)
		}
		p.verify().expect(t, exitDone, "damages: 0")
	}
}

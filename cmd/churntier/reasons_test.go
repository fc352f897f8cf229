package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/delivery"
)

const night23 = "2026-11-23"

const leaversConfig = `prediction: winback
snapshot: {url: snapshots, id: user_id, contact: email}
score:
  column: {name: churn_score, range: [0, 100]}
exclude: [{url: lists/erased.parquet, id: uid}]
eligible: 'idle <= 60'
suppress: [{url: lists/complaints.parquet, id: uid}]
holdout: {share: SHARE, salt: winter-2026, key: id}
exclusive: [big, small]
audiences:
  - {name: big, where: 'idle == 33'}
  - {name: small, score: [50, 100], where: 'country == "FR"', limit: LIMIT}
gates: {duplicates: {max_share: 1}, rejected: {max_share: 1}, psi: {refuse: 1000}, category_shift: {refuse: 1000}, rows: {min_ratio: 0.001}, constant: {max_share: 1}, features: {null_shift: 1}}
publish: {url: out}
deliveries:
  - {name: tool, to: dropbox, destination: csv, audiences: [small], send: changes, max_age: 87600h}
`

// leavers is a place where delivery 0 sent users u0000 to u0199 as small, and the
// snapshot of the day after in which tens of them have each reason to leave.
func leavers(t *testing.T) (p *place, want map[delivery.Reason]int64) {
	t.Helper()
	p = newPlace(t)
	p.config("0.0001", "1000")
	p.lists("x0", "x1")
	all := make([]person, 200)
	for i := range all {
		all[i] = person{id: fmt.Sprintf("u%04d", i), email: "a", hasEmail: true, country: "FR", hasCountry: true, hasOptOut: true, score: 50 + float64(i)/10, idle: 1}
	}
	p.snapshotOf(night22, all)
	p.night().expect(t, exitDone, "small")
	want = map[delivery.Reason]int64{}
	var next []person
	for i, x := range all {
		reason := []delivery.Reason{
			delivery.Absent, delivery.Rejected, delivery.Excluded, delivery.Duplicate, delivery.Ineligible,
			delivery.Suppressed, delivery.Score, delivery.Filter, delivery.Exclusive, "",
		}[i%10]
		switch reason {
		case delivery.Absent:
			want[reason]++
			continue
		case delivery.Rejected:
			x.score = 200
		case delivery.Duplicate:
			next = append(next, x)
		case delivery.Ineligible:
			x.idle = 61
		case delivery.Score:
			x.score = 49.99
		case delivery.Filter:
			x.hasCountry = false
		case delivery.Exclusive:
			x.idle = 33
		case "":
			if i < 100 { // the lower half of those who could stay
				reason = delivery.Limit
			}
		}
		if reason != "" {
			want[reason]++
		}
		next = append(next, x)
	}
	p.config("0.0001", "10")
	p.lists("u0002", "u0005")
	p.snapshotOf(night23, next)
	return p, want
}

func (p *place) config(share, limit string) {
	p.write("churntier.yaml", strings.NewReplacer("SHARE", share, "LIMIT", limit).Replace(leaversConfig))
}

// reconfigure replaces a text of the config.
func (p *place) reconfigure(old, now string) {
	p.t.Helper()
	data, err := os.ReadFile(p.path("churntier.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("churntier.yaml", strings.ReplaceAll(string(data), old, now))
}

// lists writes both lists: every tenth user from the one named.
func (p *place) lists(erased, complaints string) {
	p.t.Helper()
	for name, first := range map[string]string{"erased": erased, "complaints": complaints} {
		ids := []string{first}
		for i := 1; i < 20 && first[0] == 'u'; i++ {
			ids = append(ids, fmt.Sprintf("u%03d%s", i, first[4:]))
		}
		if err := os.RemoveAll(p.path("lists", name+".parquet")); err != nil {
			p.t.Fatal(err)
		}
		writeParquet(p.t, p.path("lists", name+".parquet"), column{"uid", ids})
	}
}

func (p *place) intent(n int) *delivery.Intent {
	p.t.Helper()
	data, err := os.ReadFile(p.path("out", "deliveries", "tool", fmt.Sprintf("%08d.intent.json", n)))
	i := &delivery.Intent{}
	if err == nil {
		err = json.Unmarshal(data, i)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return i
}

// explains wants the reasons in the intent, in sum and in the delivered file.
func (p *place) explains(n int, from delivery.Source, want map[delivery.Reason]int64) {
	p.t.Helper()
	i := p.intent(n)
	sum := int64(0)
	for _, count := range i.Reasons {
		sum += count
	}
	if i.Kind != delivery.Changes || sum != i.Counts.Left || sum == 0 {
		p.t.Errorf("%s: %d left, the reasons sum to %d", i.Kind, i.Counts.Left, sum)
	}
	if i.ReasonsFrom != from || (i.ReasonsNote == "") != (from == delivery.FromSnapshot) {
		p.t.Errorf("reasons from %s, want %s; note %q", i.ReasonsFrom, from, i.ReasonsNote)
	}
	if diff := cmp.Diff(want, i.Reasons); diff != "" {
		p.t.Error(diff)
	}
	if diff := cmp.Diff(want, p.delivered(n)); diff != "" {
		p.t.Errorf("in the file: %s", diff)
	}
}

// delivered counts the reasons in the files of delivery n.
func (p *place) delivered(n int) map[delivery.Reason]int64 {
	p.t.Helper()
	counts := map[delivery.Reason]int64{}
	for _, name := range p.glob(fmt.Sprintf("dropbox/small/small_*_%d_*.csv", n)) {
		f, err := os.Open(name)
		if err != nil {
			p.t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		_ = f.Close()
		if err != nil {
			p.t.Fatal(err)
		}
		for _, row := range rows[1:] {
			if change := row[len(row)-2]; change == "left" {
				counts[delivery.Reason(row[len(row)-1])]++
			}
		}
	}
	return counts
}

// Everyone who left has the reason that the night was made with.
func TestReasonsOfThoseWhoLeft(t *testing.T) {
	for _, workers := range []string{"1", "2", "7"} {
		p, want := leavers(t)
		p.night("--workers", workers).expect(t, exitDone, "left")
		p.explains(1, delivery.FromSnapshot, want)
	}
}

// A snapshot that is gone, or another, explains by what the run left: who is not
// there any more cannot be told from who is not eligible.
func TestReasonsWithoutTheSnapshot(t *testing.T) {
	for name, spoil := range map[string]func(p *place){
		"gone":    func(p *place) { _ = os.RemoveAll(p.path("snapshots", "dt="+night23)) },
		"changed": func(p *place) { p.snapshotOf(night23, people(50)) },
		"no list": func(p *place) { _ = os.RemoveAll(p.path("lists")) },
		"other rules": func(p *place) {
			p.reconfigure("idle <= 60", "no_such_column <= 60")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, want := leavers(t)
			p.t = t
			p.night("--no-deliver").expect(t, exitDone, "small")
			spoil(p)
			p.churntier("deliver", "-c", p.path("churntier.yaml")).expect(t, exitDone, "left")
			want = maps.Clone(want)
			want[delivery.Absent] += want[delivery.Excluded] + want[delivery.Ineligible]
			want[delivery.Filter] += want[delivery.Suppressed] + want[delivery.Limit]
			for _, hidden := range []delivery.Reason{delivery.Excluded, delivery.Ineligible, delivery.Suppressed, delivery.Limit} {
				delete(want, hidden)
			}
			p.explains(1, delivery.FromRun, want)
		})
	}
}

// Users leave because of a new rule or a greater holdout, not because they changed.
func TestReasonsOfANewRule(t *testing.T) {
	p, _ := leavers(t)
	p.config("0.5", "1000")
	p.reconfigure("score: [50, 100]", "score: [60, 100]")
	p.lists("x0", "x1")
	data, err := os.ReadFile(p.path("snapshots", "dt="+night22, "part-00000.parquet"))
	if err == nil {
		err = os.WriteFile(p.path("snapshots", "dt="+night23, "part-00000.parquet"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.night("--accept", "stale", "--reason", "the same users").expect(t, exitDone, "left")
	i := p.intent(1)
	// Of 200 users with scores from 50 to 69.9 the holdout takes about a half, and
	// the rule half of the others.
	held, changed := i.Reasons[delivery.HeldOut], i.Reasons[delivery.RuleChanged]
	if held < 70 || held > 130 || changed < 30 || changed > 70 || held+changed != i.Counts.Left || i.Counts.Now+i.Counts.Left != 200 {
		t.Errorf("%v of %+v", i.Reasons, i.Counts)
	}
}

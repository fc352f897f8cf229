package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline/publish"
)

const gatesConfig = `prediction: churn-test
snapshot: {url: snapshots, id: user_id, as_of: updated}
score: {model: m.json}
categories: [{name: high, from: 60}, {name: low, from: 0}]
suppress:
  - {url: lists/unsubscribed.parquet, id: user_id, max_age: 36h, min_ratio: 0.9}
audiences:
  - {name: winback, where: 'category == "high"', expect: {min: 300, max: 500}}
publish: {url: out}
`

// gatesModel gives scores from 6 to 94 and knows the plans free and pro.
const gatesModel = `{"kind": "logistic_regression_pipeline",
"numeric": [{"name": "visits", "median": 4, "mean": 4.5, "scale": 1, "coef": -0.5}],
"categorical": [{"name": "plan", "missing": "free", "coef": {"free": 0.5, "pro": -0.5}}], "intercept": 0}`

// users is the table of one night: visits 0 to 9 a hundred times each, both plans.
type users struct {
	ids     []string
	visits  []*float64
	plans   []*string
	updated time.Time
}

func usersOf(day string) *users {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	u := &users{updated: t}
	u.add(1000)
	return u
}

// add makes the table n users longer; who visits how often changes every night.
func (u *users) add(n int) {
	for range n {
		i := len(u.ids)
		u.ids = append(u.ids, fmt.Sprintf("u%04d", i))
		visits, plan := float64((i+u.updated.Day())%10), []string{"free", "pro"}[i/10%2]
		u.visits, u.plans = append(u.visits, &visits), append(u.plans, &plan)
	}
}

func (u *users) cut(n int) { u.ids, u.visits, u.plans = u.ids[:n], u.visits[:n], u.plans[:n] }

// visited gives the first n users so many visits.
func (u *users) visited(n int, visits float64) {
	for i := range n {
		u.visits[i] = &visits
	}
}

// lost makes visits null for the first n users.
func (u *users) lost(n int) { clear(u.visits[:n]) }

func (u *users) planned(n int, plan string) {
	for i := range n {
		u.plans[i] = &plan
	}
}

func (u *users) write(p *place, day string) {
	p.part(day, "part-00000.parquet", column{"user_id", u.ids}, column{"visits", u.visits}, column{"plan", u.plans},
		column{"updated", slices.Repeat([]time.Time{u.updated}, len(u.ids))})
}

func listed(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("u%04d", i*7)
	}
	return ids
}

// gatesPlace has two published nights and an unsubscribe list of 20.
func gatesPlace(t *testing.T, flags []string, second func(*users)) *place {
	t.Helper()
	p := newPlace(t)
	p.write("churntier.yaml", gatesConfig)
	p.write("m.json", gatesModel)
	p.unsubscribed(column{"user_id", listed(20)})
	usersOf("2026-11-20").write(p, "2026-11-20")
	u := usersOf("2026-11-21")
	if second != nil {
		second(u)
	}
	u.write(p, "2026-11-21")
	for _, day := range []string{"2026-11-20", "2026-11-21"} {
		p.night(append(slices.Clone(flags), "--date", day)...).expect(t, exitDone)
	}
	return p
}

func (p *place) unsubscribed(c column) { writeParquet(p.t, p.path("lists/unsubscribed.parquet"), c) }

// gateCase is one gate with a night that it lets pass and one that it refuses: what
// they change in the place and in the table, which is then written.
type gateCase struct {
	flags        []string
	refusing     []string     // more flags, that make the night be refused
	second       func(*users) // what the second night had
	pass, refuse func(*place, *users)
	gate         string // "" for suppression, which cannot be accepted
	message      string // of the refusal
	do           string // what show advises
}

func table(change func(*users)) func(*place, *users) { return func(_ *place, u *users) { change(u) } }

var gateCases = map[string]gateCase{
	"rows, too few": {
		pass:   table(func(u *users) { u.cut(500) }),
		refuse: table(func(u *users) { u.cut(499) }),
		flags:  []string{"--set", "audiences.0.expect={min: 0}"},
		gate:   "rows", message: "The snapshot has 499 rows, usually 1,000 (median of earlier publications: 2): 0.499 times as many, allowed are 0.5 to 2 times.",
		do: "Ask who writes the snapshot whether it is whole.",
	},
	"rows, too many": {
		pass:   table(func(u *users) { u.add(1000) }),
		refuse: table(func(u *users) { u.add(1001) }),
		flags:  []string{"--set", "audiences.0.expect={min: 0}"},
		gate:   "rows", message: "The snapshot has 2,001 rows, usually 1,000 (median of earlier publications: 2): 2.001 times as many, allowed are 0.5 to 2 times.",
		do: "Ask who writes the snapshot whether it is whole.",
	},
	"rejected": {
		pass:   table(func(u *users) { u.ids[0], u.ids[1], u.ids[2] = "", "", "" }),
		refuse: table(func(u *users) { clear(u.ids[:10]) }),
		gate:   "rejected", message: "10 of 1,000 rows could not be scored: 1 %, at most 0.1 % is allowed.",
		do: "The rejected rows are kept beside the evidence with their reasons",
	},
	"duplicates": {
		pass:   table(func(u *users) { u.ids[0] = u.ids[500] }),
		refuse: table(func(u *users) { copy(u.ids[:5], u.ids[500:505]) }),
		gate:   "duplicates", message: "10 of 1,000 rows repeated the id of another: 1 %, at most 0.1 % is allowed.",
		do: "Have the ids made unique where they come from",
	},
	"category_shift": {
		flags:  []string{"--set", "categories=[{name: high, from: 90}, {name: low, from: 0}]", "--set", "audiences.0.expect={min: 0}", "--set", "gates.psi.refuse=9"},
		pass:   table(func(u *users) { u.visited(20, 0) }),
		refuse: table(func(u *users) { u.visited(100, 0); u.planned(100, "free") }),
		gate:   "category_shift", message: `Category "high" holds 19 % of the users, 10 % on 2026-11-21: a change by 90 %, warned above 20 % and refused above 50 %.`,
		do: "Find out whether the users changed",
	},
	"psi since the previous night": {
		flags:  []string{"--set", "audiences.0.expect={min: 0}", "--set", "gates.category_shift.refuse=9"},
		pass:   table(func(u *users) { u.visited(100, 9) }),
		refuse: table(func(u *users) { u.visited(500, 9) }),
		gate:   "psi", message: "The distribution of the scores moved by a population stability index of 0.7167 since 2026-11-21, warned above 0.1 and refused above 0.25.",
		do: "Find out whether the users changed",
	},
	"psi since the baseline": {
		flags:  []string{"--set", "audiences.0.expect={min: 0}", "--set", "gates.category_shift.refuse=9", "--set", "gates.psi.baseline=2026-11-20"},
		second: func(u *users) { u.visited(200, 9) },
		pass:   table(func(u *users) { u.visited(200, 9) }),
		refuse: table(func(u *users) { u.visited(350, 9) }),
		gate:   "psi", message: "The distribution of the scores moved by a population stability index of 0.3683 since the baseline 2026-11-20 (0.0606 since 2026-11-21), warned above 0.1 and refused above 0.25.",
		do: "Find out whether the users changed",
	},
	"constant": {
		flags:  []string{"--set", "audiences.0.expect={min: 0}", "--set", "gates.category_shift.refuse=9", "--set", "gates.psi.refuse=99"},
		pass:   table(func(u *users) { u.visited(1000, 5); u.planned(1000, "free"); u.planned(950, "pro") }),
		refuse: table(func(u *users) { u.visited(1000, 5); u.planned(1000, "pro") }),
		gate:   "constant", message: "1,000 of 1,000 users have the score 32.08: 100 %, at most 99 % is allowed.",
		do: "one score for nearly everybody ranks nobody.",
	},
	"features, nulls": {
		pass:   table(func(u *users) { u.lost(100) }),
		refuse: table(func(u *users) { u.lost(150) }),
		gate:   "features", message: `Feature "visits" is null in 15 % of the rows, 0 % on 2026-11-21: a difference of 15 % of the rows, at most 10 % is allowed.`,
		do: "Have the input mended where it comes from",
	},
	"features, unseen categories": {
		pass:   table(func(u *users) { u.planned(10, "team") }),
		refuse: table(func(u *users) { u.planned(40, "team") }),
		gate:   "features", message: `Feature "plan" holds a category that the model does not know in 40 of 1,000 rows: 4 %, at most 1 % is allowed.`,
		do: "train the model with what it holds now.",
	},
	"expect, too few": {
		pass:     table(func(*users) {}),
		refuse:   table(func(*users) {}),
		refusing: []string{"--set", "audiences.0.expect={min: 600, max: 900}"},
		gate:     "expect", message: `Audience "winback" has 392 members, expected are 600 to 900.`,
		do: "Check the condition of the audience",
	},
	"expect, too many": {
		pass:     table(func(*users) {}),
		refuse:   table(func(*users) {}),
		refusing: []string{"--set", "audiences.0.expect={min: 10, max: 20}"},
		gate:     "expect", message: `Audience "winback" has 392 members, expected are 10 to 20.`,
		do: "Check the condition of the audience",
	},
	"empty": {
		flags:    []string{"--set", "audiences.0.expect={min: 0}", "--set", "gates.category_shift.refuse=9", "--set", "gates.psi.refuse=99", "--set", "gates.constant.max_share=1"},
		refusing: []string{"--set", "eligible=visits > 100.0"},
		pass:     table(func(*users) {}),
		refuse:   table(func(*users) {}),
		gate:     "empty", message: "None of the 1,000 rows gave a scored user, at least 1 is expected.",
		do: "eligible and exclude say who can have one.",
	},
	"stale by as_of": {
		pass:   table(func(*users) {}),
		refuse: table(func(u *users) { u.updated = u.updated.AddDate(0, 0, -1) }),
		gate:   "stale", message: `The newest day in the data (column "updated") is 2026-11-21, expected is data of 2026-11-22.`,
		do: "Have tonight's snapshot written again from tonight's data.",
	},
	"stale by the same bytes": {
		flags:  []string{"--set", "snapshot={url: snapshots, id: user_id}"},
		pass:   table(func(*users) {}),
		refuse: table(func(u *users) { *u = *usersOf("2026-11-20") }),
		gate:   "stale", message: "The snapshot is the same, byte for byte, as that of 2026-11-20, expected is data of 2026-11-22.",
		do: "Have tonight's snapshot written again from tonight's data.",
	},
	"suppression missing": {
		pass:    table(func(*users) {}),
		refuse:  func(p *place, _ *users) { _ = os.Remove(p.path("lists/unsubscribed.parquet")) },
		message: "unsubscribed.parquet: no file is there;", do: "no --accept lets it pass.",
	},
	"suppression stale": {
		pass:    func(p *place, _ *users) { p.aged(35 * time.Hour) },
		refuse:  func(p *place, _ *users) { p.aged(37 * time.Hour) },
		message: "its newest file is 37h0m0s old, at most 36h0m0s is allowed; write the list again", do: "no --accept lets it pass.",
	},
	"suppression shrunken": {
		pass:    func(p *place, _ *users) { p.unsubscribed(column{"user_id", listed(18)}) },
		refuse:  func(p *place, _ *users) { p.unsubscribed(column{"user_id", listed(17)}) },
		message: "it has 17 rows and had 20 in the last publication: less than the ratio 0.9 that is allowed; write the whole list again", do: "no --accept lets it pass.",
	},
	"suppression of another type": {
		pass:    func(p *place, _ *users) { p.unsubscribed(column{"user_id", listed(21)}) },
		refuse:  func(p *place, _ *users) { p.unsubscribed(column{"user_id", make([]int64, 20)}) },
		message: `column "user_id" is int64 and the snapshot's "user_id" is utf8; write the list with the type of the snapshot`, do: "no --accept lets it pass.",
	},
	"suppression empty": {
		pass:    func(p *place, _ *users) { p.unsubscribed(column{"user_id", listed(20)}) },
		refuse:  func(p *place, _ *users) { p.unsubscribed(column{"user_id", []string{}}) },
		message: "it is empty; a list that suppresses no one is taken for a fault", do: "no --accept lets it pass.",
	},
}

// aged makes the unsubscribe list look so old.
func (p *place) aged(age time.Duration) {
	then := time.Now().Add(-age)
	if err := os.Chtimes(p.path("lists/unsubscribed.parquet"), then, then); err != nil {
		p.t.Fatal(err)
	}
}

// A night is refused, mended and published, and the refused data are let pass.
func TestEachGateRefusesANightAndLetsAnotherPass(t *testing.T) {
	for name, c := range gateCases {
		t.Run(name, func(t *testing.T) {
			p := gatesPlace(t, c.flags, c.second)
			p.tonight(c.refuse)
			c.isRefused(t, p)
			p.unsubscribed(column{"user_id", listed(20)})
			p.tonight(c.pass)
			p.night(c.flags...).expect(t, exitDone, "published in")
			if c.gate == "" {
				return
			}
			p.tonight(c.refuse)
			p.night(slices.Concat(c.flags, c.refusing, []string{"--force", "--accept", c.gate, "--reason", "as it is"})...).
				expect(t, exitDone, "accepted", c.message)
			if r := p.churntier("show", "-c", p.path("churntier.yaml")); strings.Contains(r.stdout, "refused 2026-11-22") {
				t.Errorf("a night that was let pass is shown as refused: %s", r.stdout)
			}
		})
	}
}

// tonight writes the snapshot of a night.
func (p *place) tonight(change func(*place, *users)) {
	u := usersOf(night22)
	change(p, u)
	u.write(p, night22)
}

// isRefused runs the night and holds everything that follows from a refusal.
func (c *gateCase) isRefused(t *testing.T, p *place) {
	t.Helper()
	before := p.visible()
	kind := "refused"
	if c.gate != "" {
		kind = "refused by a gate (" + c.gate + "): "
	}
	p.night(slices.Concat(c.flags, c.refusing)...).expect(t, exitRefused, kind, c.message, "evidence: ")
	if after := p.visible(); !slices.Equal(before, after) {
		t.Errorf("visible were %v and are %v", before, after)
	}
	found := globbed(t, p.path("out/refusals/2026-11-22/*/REFUSAL.json"))
	if len(found) != 1 {
		t.Fatalf("evidence: %v", found)
	}
	c.isKept(t, found[0])
	shown := p.churntier("show", "-c", p.path("churntier.yaml"))
	shown.expect(t, exitDone, "churn-test 2026-11-21, run", "refused 2026-11-22, run", c.message, c.do)
	asked := p.churntier("show", "-c", p.path("churntier.yaml"), "--date", night22)
	asked.expect(t, exitDone, "churn-test 2026-11-22: refused, nothing is published", c.message, c.do)
}

func (c *gateCase) isKept(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	var r publish.Refusal
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.gate == "" {
		if r.Kind != "input" || !strings.Contains(r.Message, c.message) {
			t.Errorf("evidence %+v", r)
		}
		return
	}
	var refused []string
	for _, g := range r.Gates {
		if g.Status == "refuse" {
			refused = append(refused, g.Name+": "+g.Message)
		}
	}
	if r.Kind != "gate" || !slices.Equal(refused, []string{c.gate + ": " + c.message}) {
		t.Errorf("evidence %q, want %q", refused, c.gate+": "+c.message)
	}
}

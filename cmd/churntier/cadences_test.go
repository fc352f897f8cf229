package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

const cadenceNights = 12

// campaign is a table of users by nights, in the order of the users.
type campaign struct {
	users []string
	cells map[string][]string
}

func parseCampaign(text string) campaign {
	c := campaign{cells: map[string][]string{}}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); words[0] != "night" {
			c.users = append(c.users, words[0])
			c.cells[words[0]] = words[1:]
		}
	}
	return c
}

// empty is a table of the same users in which nothing has happened.
func (c campaign) empty() campaign {
	e := campaign{c.users, map[string][]string{}}
	for _, user := range c.users {
		e.cells[user] = slices.Repeat([]string{"."}, cadenceNights)
	}
	return e
}

func (c campaign) String() string {
	var out strings.Builder
	row := func(name string, cells []string) {
		fmt.Fprintf(&out, "%-5s", name)
		for _, cell := range cells {
			fmt.Fprintf(&out, " %2s", cell)
		}
		out.WriteByte('\n')
	}
	var nights []string
	for n := range cadenceNights {
		nights = append(nights, fmt.Sprint(n+1))
	}
	row("night", nights)
	for _, user := range c.users {
		row(user, c.cells[user])
	}
	return out.String()
}

// crowd is how many users beside those of the table are never at risk.
const crowd = 300

// cadenceNight writes the snapshot of a night of the table.
func (p *place) cadenceNight(day string, users campaign, night int) {
	var ids []string
	var scores []float64
	for i := range crowd {
		ids, scores = append(ids, fmt.Sprintf("u%03d", i)), append(scores, float64(i*cadenceNights+night)/5000)
	}
	for _, user := range users.users {
		switch users.cells[user][night] {
		case "#":
			ids, scores = append(ids, user), append(scores, 0.9)
		case ".":
			ids, scores = append(ids, user), append(scores, 0.1)
		}
	}
	p.part(day, "part-00000.parquet", column{"user_id", ids}, column{"churn_score", scores})
}

// receive notes what the newest file in the place of a tool tells, and takes it away.
func (p *place) receive(tool string, c campaign, night int) {
	p.t.Helper()
	for _, name := range p.glob(tool + "/*/*") {
		text, err := os.ReadFile(name)
		if err != nil {
			p.t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
		if err != nil {
			p.t.Fatal(err)
		}
		for _, row := range rows[1:] {
			cell := row[1]
			if len(row) > 2 && row[2] == "left" {
				cell = "x"
			}
			c.cells[row[0]][night] = cell
		}
		if err := os.Remove(name); err != nil {
			p.t.Fatal(err)
		}
	}
}

// What two campaigns of several days send to whom, night by night, as a marketer
// works it out on paper.
func TestCampaignsOfSeveralDays(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/cadences.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]campaign{}
	for _, f := range archive.Files {
		tables[f.Name] = parseCampaign(string(f.Data))
	}
	users := tables["users"]
	week, blast := users.empty(), users.empty()
	p := newPlace(t)
	for night := range cadenceNights {
		day := time.Now().UTC().AddDate(0, 0, night-cadenceNights).Format(time.DateOnly)
		p.cadenceNight(day, users, night)
		p.night("-c", "../../fixtures/cadences.yaml", "--date", day, "--set", "gates.category_shift.refuse=9", "--set", "snapshot.url="+p.path("snapshots"), "--set", "publish.url="+p.path("out"),
			"--set", "deliveries.0.to="+p.path("mail"), "--set", "deliveries.1.to="+p.path("push")).expect(t, exitDone)
		p.receive("mail", week, night)
		p.receive("push", blast, night)
	}
	for name, got := range map[string]campaign{"daily-week": week, "three-day-blast": blast} {
		if diff := cmp.Diff(tables[name].String(), got.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	for _, f := range archive.Files {
		if !strings.Contains(string(readme), string(f.Data)) || err != nil {
			t.Errorf("the README does not show the table %s as it is in testdata (%v)", f.Name, err)
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/churntier/churntier/jobs/config"
)

// initJSON runs init for the snapshots of the place into a new config.
func (p *place) initJSON(name string, flags ...string) (got initJSON, c *config.Config) {
	p.t.Helper()
	r := p.churntier(append([]string{"init", p.path("snapshots"), "-c", p.path(name), "--json"}, flags...)...)
	r.expect(p.t, exitDone)
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		p.t.Fatalf("%v: %s", err, r.stdout)
	}
	if len(got.Blanks) == 0 {
		var err error
		if c, err = config.Load(p.path(name), config.Options{}); err != nil {
			p.t.Errorf("init wrote a config that cannot be read: %v", err)
		}
	}
	return got, c
}

func TestInitFindsHowNightsAreNamed(t *testing.T) {
	for _, test := range []struct{ folders, partition, files, ready string }{
		{"2026-11-21 2026-11-22 archive", "{date}", "part-0.parquet _SUCCESS", "_SUCCESS"},
		{"day-20261121 day-20261122", "day-{yyyy}{mm}{dd}", "part-0.parquet", ""},
		{"year=2026/month=10/day=30 year=2026/month=11/day=22", "year={yyyy}/month={mm}/day={dd}", "000000000000 _COMPLETE", "_COMPLETE"},
	} {
		p := newPlace(t)
		for _, folder := range strings.Fields(test.folders) {
			for _, file := range strings.Fields(test.files) {
				p.write("snapshots/"+folder+"/"+file, "")
				if file[0] != '_' {
					writeParquet(t, p.path("snapshots", folder, file), column{"user_id", []string{"a", "b", "c"}}, column{"score", []float64{0.1, 0.2, 0.9}})
				}
			}
		}
		got, c := p.initJSON("new.yaml", "--publish", p.path("out"))
		if c.Snapshot.Partition != test.partition || c.Snapshot.Ready != test.ready || got.Date.String() != "2026-11-22" || got.Rows != 3 {
			t.Errorf("%s: %+v of %s", test.folders, c.Snapshot, got.Date)
		}
		p.churntier("run", "-c", p.path("new.yaml"), "--quiet").expect(t, exitDone, "published")
	}
}

// A night that is being written has no marker yet; the one before says how it is
// called.
func TestInitTakesTheNewestWholeNight(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 100)
	p.write("snapshots/dt=2026-11-23/part-00000.parquet", "half a file")
	if got, c := p.initJSON("new.yaml", "--publish", "out"); got.Date.String() != night22 || c.Snapshot.Ready != "_SUCCESS" {
		t.Errorf("%s %+v", got.Date, c.Snapshot)
	}
}

// Of 1,000 users with scores from 0 to 9.99 none is high by the default; a tenth of
// them has at least 9, three tenths at least 7.
func TestInitProposesCutsThatDivide(t *testing.T) {
	p := newPlace(t)
	scores := make([]float64, 1000)
	ids := make([]int64, 1000)
	for i := range scores {
		ids[i], scores[i] = int64(i), float64(i)/100
	}
	p.part(night22, "part-00000.parquet", column{"uid", ids}, column{"churn_risk", scores})
	_, c := p.initJSON("new.yaml", "--publish", "out")
	if c.Score.Column == nil || c.Score.Column.High != 100 || len(c.Categories) != 3 {
		t.Fatalf("%+v", c)
	}
	if high, medium := *c.Categories[0].From, *c.Categories[1].From; high != 9 || medium != 7 {
		t.Errorf("high from %v, medium from %v, want 9 and 7", high, medium)
	}
	for i := range scores {
		scores[i] = 3 + float64(i%3)/100
	}
	p.part(night22, "part-00000.parquet", column{"uid", ids}, column{"churn_risk", scores})
	if _, c := p.initJSON("same.yaml", "--publish", "out"); *c.Categories[0].From != 75 {
		t.Errorf("scores that are nearly the same were divided: %+v", c.Categories)
	}
}

// Names that YAML, an expression or a terminal would take for something else.
func TestInitWritesOddNames(t *testing.T) {
	p := newPlace(t)
	ids, plans, scores, outs := make([]string, 200), make([]string, 200), make([]float64, 200), make([]*bool, 200)
	no := false
	for i := range ids {
		ids[i], plans[i], scores[i], outs[i] = fmt.Sprint("u", i), []string{"a", "b"}[i%2], float64(i)/200, &no
	}
	p.part(night22, "part-00000.parquet", column{"no: 'id'", ids}, column{`plan # "1"`, plans}, column{"opt out", outs},
		column{"two\nlines: x", plans}, column{"churn score", scores})
	got, c := p.initJSON("new.yaml", "--publish", p.path("out: 1"))
	if c.Snapshot.ID != "no: 'id'" || c.Score.Column.Name != "churn score" || c.Suppress[0].Where != `col("opt out")` || len(got.Columns) != 4 {
		t.Errorf("%+v, columns %v", c, got.Columns)
	}
	p.churntier("run", "-c", p.path("new.yaml"), "--quiet").expect(t, exitDone, "published")
}

// A feature whose column is called a little differently is found, and said.
func TestInitFitsAModel(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 100)
	p.write("model.json", `{"features":["Churn_Scores"],"coefficients":[1],"intercept":0}`)
	got, c := p.initJSON("new.yaml", "--publish", p.path("out"), "--model", p.path("model.json"))
	if len(got.Blanks) > 0 || c.Score.Features["Churn_Scores"] != "churn_score" {
		t.Errorf("%+v %v", got, c.Score.Features)
	}
	p.churntier("check", "-c", p.path("new.yaml")).expect(t, exitDone, "Churn_Scores")
}

func TestInitRefuses(t *testing.T) {
	p := newPlace(t)
	p.part(night22, "part-00000.parquet", column{"user_id", []string{"a", "b", "c"}}, column{"churn_score", []float64{1, 50, 101}})
	p.write("empty/readme.txt", "")
	p.write("year/2026/readme.txt", "")
	p.write("damaged/2026-11-22/part.parquet", "no parquet")
	p.write("unready/2026-11-22/readme.txt", "")
	p.write("model.json", `{"features":["tenure"],"coefficients":[1],"intercept":0}`)
	for _, test := range []struct {
		args string
		code int
		said string
	}{
		{"snapshots -c churntier.yaml", exitUsage, "churntier.yaml exists and is not overwritten"},
		{"snapshots -c nowhere/new.yaml", exitUsage, "nowhere"},
		{"missing -c new.yaml", exitUsage, "missing"},
		{"empty -c new.yaml", exitUsage, "holds no folder for a date"},
		{"year -c new.yaml", exitUsage, "holds no folder for a date"},
		{"snapshots/dt=2026-11-22 -c new.yaml", exitUsage, "give the folder in which those lie"},
		{"damaged -c new.yaml", exitRefused, "damaged"},
		{"snapshots -c new.yaml --score-column user_id", exitRefused, "found utf8, want a number"},
		{"snapshots -c new.yaml --score-column churn_score", exitUsage, "are no number from 0 to 1, and none from 0 to 100"},
		{"snapshots -c new.yaml --score-column nothing", exitUsage, "--score-column"},
		{"snapshots -c new.yaml --model nothing.json", exitUsage, "score.model"},
		{"snapshots -c new.yaml --model churntier.yaml", exitUsage, "not a model"},
		{"ftp://x -c new.yaml", exitUsage, "ftp"},
		{"snapshots -c new.yaml --model model.json --score-column churn_score", exitUsage, ""},
	} {
		t.Chdir(p.dir)
		p.churntier(append([]string{"init"}, strings.Fields(test.args)...)...).expect(t, test.code, test.said)
		if _, err := os.Stat("new.yaml"); err == nil {
			t.Errorf("%s: a config was written", test.args)
		}
	}
	p.churntier("init", "snapshots", "-c", "churntier.yaml", "--json").expect(t, exitUsage, `"kind":"usage"`)
	p.churntier("init", "snapshots", "-c", "new.yaml", "--model", "model.json").expect(t, exitDone, "to fill in", `score.features: column "tenure": missing`)
}

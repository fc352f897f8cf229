package interop_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trial is a data set, a config, and in SQL what that config means. The SQL is
// written by hand from that meaning. In every text $DIR is the trial's folder.
type trial struct {
	dir, night string
	config     string // YAML, all but the audiences
	prepare    string // statements that write the lists, and the snapshot if it is not there
	snapshot   string // its Parquet files
	id         string // its column of ids
	contact    string // the contact of a row, in the form that is compared
	lists      string // statements that make views of the lists
	fate       string // of a row: rejected, excluded, duplicates, ineligible or scored
	suppressed string // condition on a scored row; all but false suppresses
	byContact  bool   // how the holdout goes
	share      float64
	audiences  []audience
}

// audience is one that the config defines, and whom that selects in SQL. There h
// is the score in hundredths and category its label.
type audience struct {
	name      string
	keys      string // YAML of a flow mapping
	where     string
	limit     int
	exclusive bool // users in an earlier exclusive audience are not in this one
	none      bool // it selects no one
}

const allFiles = `files: [{format: parquet}, {format: csv}, {format: jsonl, gzip: true}]`

// text fills in the folder.
func (c *trial) text(s string) string { return strings.ReplaceAll(s, "$DIR", c.dir) }

// path is where a published file of any run of the night is.
func (c *trial) path(elements ...string) string {
	return filepath.Join(append([]string{c.dir, "out", "runs", c.night, "*"}, elements...)...)
}

// made makes a folder.
func made(t *testing.T, folder string) string {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

// write writes the lists, the snapshot and the config.
func (c *trial) write(t *testing.T) {
	t.Helper()
	made(t, filepath.Join(c.dir, "lists", "unsubscribed"))
	sql(t, c.text(c.prepare)+"SELECT 1 AS done")
	var exclusive []string
	var audiences strings.Builder
	for _, a := range c.audiences {
		keys := []string{"name: " + a.name, allFiles}
		if a.keys != "" {
			keys = append(keys, a.keys)
		}
		if a.limit > 0 {
			keys = append(keys, fmt.Sprintf("limit: %d", a.limit))
		}
		if a.exclusive {
			exclusive = append(exclusive, a.name)
		}
		fmt.Fprintf(&audiences, "  - {%s}\n", strings.Join(keys, ", "))
	}
	write(t, filepath.Join(c.dir, "config.yaml"), fmt.Sprintf("%sexclusive: [%s]\naudiences:\n%s",
		c.text(c.config), strings.Join(exclusive, ", "), &audiences))
}

func (c *trial) publish(t *testing.T, flags ...string) {
	t.Helper()
	run(t, append([]string{program("churntier"), "run", "-c", filepath.Join(c.dir, "config.yaml"), "--date", c.night, "--quiet"}, flags...)...)
}

// facts are numbers that SQL found, by audience; those of the whole night have an
// empty name.
type facts map[string]map[string]float64

// hold publishes a night and holds every audience to the SQL.
func (c *trial) hold(t *testing.T) {
	t.Helper()
	c.write(t)
	c.publish(t)
	found := facts{}
	for _, r := range sql(t, c.bruteForce()) {
		name := r["audience"].(string)
		if found[name] == nil {
			found[name] = map[string]float64{}
		}
		found[name][r["fact"].(string)] = r["n"].(float64)
	}
	m := manifestOf(t, c.dir)
	c.conserves(t, m, found[""])
	var selected []string
	for i, a := range c.audiences {
		f := found[a.name]
		a.selects(t, f)
		c.holdsOut(t, a.name, f)
		equal(t, a.name+" in the manifest", []float64{f["members"], f["control"]}, []float64{m.Audiences[i].Members, m.Audiences[i].Control})
		selected = append(selected, fmt.Sprintf("%s %g", a.name, f["selected"]))
	}
	t.Logf("%g rows, %g scored, %g suppressed; %d audiences: %s",
		found[""]["read"], found[""]["scored"], found[""]["suppressed"], len(selected), strings.Join(selected, ", "))
}

// conserves holds the manifest's counts of rows to those of SQL, and that each row
// is in one of them.
func (c *trial) conserves(t *testing.T, m manifest, night map[string]float64) {
	t.Helper()
	counts, sum := row{}, 0.0
	for _, fate := range []string{"read", "rejected", "excluded", "duplicates", "ineligible", "scored", "suppressed"} {
		counts[fate] = night[fate]
	}
	for _, fate := range []string{"rejected", "excluded", "duplicates", "ineligible", "scored"} {
		sum += night[fate]
	}
	equal(t, "rows in the manifest", counts, m.Rows)
	equal(t, "rows with a fate", night["read"], sum)
	equal(t, "scored users, in SQL but not published and the reverse", []float64{0, 0}, []float64{night["not scored"], night["scored too much"]})
	if night["suppressed"] == 0 || night["ineligible"] == 0 || night["excluded"] == 0 {
		t.Errorf("%v: a rule names no one and so is not tried", night)
	}
}

// selects holds that the files have exactly the users of the definition. Of a
// limited audience these are the highest scores; among equal ones any may be in.
func (a *audience) selects(t *testing.T, f map[string]float64) {
	t.Helper()
	if a.none != (f["candidates"] == 0) {
		t.Errorf("%s: %g candidates", a.name, f["candidates"])
	}
	want := f["candidates"]
	if a.limit > 0 {
		if want <= float64(a.limit) {
			t.Errorf("%s: %g candidates, the limit of %d is not tried", a.name, want, a.limit)
		}
		want = min(want, float64(a.limit))
	}
	got := row{}
	for _, fact := range []string{"selected", "missing", "added", "csv lost", "csv added", "jsonl lost", "jsonl added"} {
		got[fact] = f[fact]
	}
	equal(t, a.name, row{"selected": want, "missing": 0.0, "added": 0.0, "csv lost": 0.0, "csv added": 0.0, "jsonl lost": 0.0, "jsonl added": 0.0}, got)
}

// deviations is how far from its expected number the control arm may be.
const deviations = 5

// holdsOut holds that the control arm has its share of the keys, that no key is in
// both arms, and that users of a crowded contact are held out one by one.
func (c *trial) holdsOut(t *testing.T, name string, f map[string]float64) {
	t.Helper()
	expected := f["keys"] * c.share
	if off, most := math.Abs(f["held keys"]-expected), deviations*math.Sqrt(expected*(1-c.share)); off > most {
		t.Errorf("%s: %g of %g keys are held out, want %g with at most %g difference", name, f["held keys"], f["keys"], expected, most)
	}
	if f["torn keys"] > 0 {
		t.Errorf("%s: %g keys are in both arms", name, f["torn keys"])
	}
	if f["crowds"] > 10 && f["whole crowds"]*3 > f["crowds"] {
		t.Errorf("%s: the users of %g of %g crowded contacts are in one arm", name, f["whole crowds"], f["crowds"])
	}
}

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

const audiencesConfig = `prediction: winback
snapshot: {url: snapshots, id: user_id, contact: email}
score:
  column: {name: churn_score, range: [0, 100]}
eligible: 'idle <= 60'
suppress:
  - {url: lists/unsubscribed/*.parquet, contact: address, max_age: 36h, min_ratio: 0.5}
  - {url: lists/complaints.parquet, id: uid}
  - {where: 'opt_out'}
holdout: {share: 0.2, salt: winter-2026, key: contact}
exclusive: [big, small]
audiences:
  - {name: big, score: [60, 100], limit: 40}
  - {name: small, where: 'score >= 40.0 && country in ["FR", "DE"]'}
  - name: all
    where: 'country != null'
    files:
      - {format: csv, columns: {id: user_id, risk: category, double: 'idle * 2', arm: held_out}}
      - {format: jsonl, gzip: true}
publish: {url: out}
`

// person is a row of the test's snapshot.
type person struct {
	id, email, country string
	hasEmail, hasOptOut,
	optOut, hasCountry bool
	score float64
	idle  int32
}

func people(n int) []person {
	all := make([]person, n)
	for i := range all {
		p := &all[i]
		p.id = fmt.Sprintf("u%04d", i)
		p.email, p.hasEmail = fmt.Sprintf(" User%d@Example.COM", i/2), i%11 != 0
		p.country, p.hasCountry = []string{"FR", "DE", "US"}[i%3], i%7 != 0
		p.optOut, p.hasOptOut = i%13 == 0, i%17 != 0
		p.score, p.idle = float64(i*37%101), int32(i*7%80)
	}
	return all
}

func (p *place) snapshotOf(day string, all []person) {
	var ids []string
	var emails, countries []*string
	var optOuts []*bool
	var scores []float64
	var idle []int32
	for i := range all {
		x := &all[i]
		ids, scores, idle = append(ids, x.id), append(scores, x.score), append(idle, x.idle)
		emails, countries = append(emails, optional(x.email, x.hasEmail)), append(countries, optional(x.country, x.hasCountry))
		optOuts = append(optOuts, optional(x.optOut, x.hasOptOut))
	}
	p.part(day, "part-00000.parquet", column{"user_id", ids}, column{"email", emails}, column{"country", countries},
		column{"opt_out", optOuts}, column{"churn_score", scores}, column{"idle", idle})
}

func optional[T any](v T, there bool) *T {
	if !there {
		return nil
	}
	return &v
}

func audiencesPlace(t *testing.T) *place {
	p := newPlace(t)
	p.write("churntier.yaml", audiencesConfig)
	p.snapshotOf(night22, people(400))
	writeParquet(t, p.path("lists", "unsubscribed", "a.parquet"), column{"address", []string{"USER3@example.com", "user8@EXAMPLE.com ", "nobody@example.com", "user3@example.com"}})
	writeParquet(t, p.path("lists", "complaints.parquet"), column{"uid", []string{"u0033", "u0210", "u0033"}})
	return p
}

// idsIn reads the user_id column of the published Parquet files of an audience,
// those of one arm.
func (p *place) idsIn(audience, arm string) []string {
	p.t.Helper()
	var ids []string
	for _, name := range p.glob("out/runs/*/*/audiences/" + audience + "/" + arm + "-*.parquet") {
		f, err := file.OpenParquetFile(name, false)
		if err != nil {
			p.t.Fatal(err)
		}
		r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			p.t.Fatal(err)
		}
		table, err := r.ReadTable(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		for _, chunk := range table.Column(table.Schema().FieldIndices("user_id")[0]).Data().Chunks() {
			for i := range chunk.Len() {
				ids = append(ids, chunk.(*array.String).Value(i))
			}
		}
		_ = f.Close()
	}
	slices.Sort(ids)
	return ids
}

// The members and the control arm of every audience are those of the definition,
// worked out one person at a time.
func TestAudiencesAreTheirDefinition(t *testing.T) {
	p := audiencesPlace(t)
	r := p.night()
	r.expect(t, exitDone, "published", "held out", "are suppressed and in no audience", "have no contact")
	var suppressed, ineligible int
	left := map[string]person{}
	for _, x := range people(400) {
		contact := strings.ToLower(strings.TrimSpace(x.email))
		switch {
		case x.idle > 60:
			ineligible++
		case !x.hasEmail, contact == "user3@example.com", contact == "user8@example.com", x.id == "u0033", x.id == "u0210", !x.hasOptOut, x.optOut:
			suppressed++
		default:
			left[x.id] = x
		}
	}
	r.expect(t, exitDone, fmt.Sprintf("%d ineligible", ineligible), fmt.Sprintf("%d scored users are suppressed", suppressed))
	selected := func(which func(person) bool) (ids []string) {
		for id, x := range left {
			if which(x) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		return ids
	}
	big := selected(func(x person) bool { return x.score >= 60 })
	got := append(p.idsIn("big", "part"), p.idsIn("big", "control")...)
	if len(got) != 40 {
		t.Errorf("%d users are selected for big, want its limit of 40", len(got))
	}
	lowest := 101.0
	for _, id := range got {
		if !slices.Contains(big, id) {
			t.Errorf("%s is in big, want a score from 60 on and no suppression", id)
		}
		lowest = min(lowest, left[id].score)
	}
	for _, id := range big {
		if left[id].score > lowest && !slices.Contains(got, id) {
			t.Errorf("%s with score %v is not in big, whose lowest is %v", id, left[id].score, lowest)
		}
	}
	p.expectArms("small", selected(func(x person) bool {
		return x.score >= 40 && x.score < 60 && x.hasCountry && x.country != "US"
	}))
	p.expectArms("all", selected(func(x person) bool { return x.hasCountry }))
}

// expectArms holds that the arms together are the selected users, without overlap,
// and that users of one contact are in one arm.
func (p *place) expectArms(audience string, want []string) {
	p.t.Helper()
	members, control := p.idsIn(audience, "part"), p.idsIn(audience, "control")
	both := append(slices.Clone(members), control...)
	slices.Sort(both)
	if !slices.Equal(both, want) {
		p.t.Errorf("%s selects %d users, want %d: %v", audience, len(both), len(want), both)
	}
	if share := float64(len(control)) / float64(len(both)); share < 0.08 || share > 0.35 {
		p.t.Errorf("%s holds %d of %d users out, want about a fifth", audience, len(control), len(both))
	}
	pair := func(id string) string { // of persons 2k and 2k+1, who share an address
		n := int(id[1]-'0')*1000 + int(id[2]-'0')*100 + int(id[3]-'0')*10 + int(id[4]-'0')
		return fmt.Sprintf("u%04d", n^1)
	}
	for _, id := range members {
		if slices.Contains(control, pair(id)) {
			p.t.Errorf("%s: %s and %s share a contact and are in two arms", audience, id, pair(id))
		}
	}
}

func (p *place) glob(pattern string) []string {
	p.t.Helper()
	return globbed(p.t, p.path(pattern))
}

// Expressions, words and every format hold the same users; control arms have no
// file to deliver.
func TestAudienceFilesOfEveryFormat(t *testing.T) {
	p := audiencesPlace(t)
	p.night().expect(t, exitDone)
	members := p.idsIn("all", "part")
	data, err := os.ReadFile(p.glob("out/runs/*/*/audiences/all/part-*.csv")[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\r\n")
	if lines[0] != "id,risk,double,arm" || len(lines)-1 != len(members) {
		t.Errorf("the CSV file begins with %q and has %d rows, want %d", lines[0], len(lines)-1, len(members))
	}
	byID := map[string]person{}
	for _, x := range people(400) {
		byID[x.id] = x
	}
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		if x := byID[cells[0]]; cells[2] != fmt.Sprint(2*x.idle) || cells[3] != "false" {
			t.Errorf("row %q, want twice %d and false", line, x.idle)
		}
	}
	files := p.churntier("files", "-c", p.path("churntier.yaml"), "--audience", "all")
	files.expect(t, exitDone, "part-00000.parquet", "part-00000.csv", "part-00000.jsonl.gz")
	if strings.Contains(files.stdout, "control") {
		t.Errorf("the files to deliver hold a control arm:\n%s", files.stdout)
	}
}

// A list that cannot be trusted refuses the night, and nothing is published.
func TestListsThatCannotBeTrusted(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(p *place)
		said  []string
	}{
		"missing": {func(p *place) { _ = os.RemoveAll(p.path("lists/unsubscribed")) }, []string{"suppress list", "no file is there"}},
		"empty":   {func(p *place) { writeParquet(p.t, p.path("lists/complaints.parquet"), column{"uid", []string{}}) }, []string{"suppress list", "it is empty"}},
		"no contact": {func(p *place) {
			writeParquet(p.t, p.path("lists/unsubscribed/a.parquet"), column{"address", []*string{nil, nil}})
		}, []string{"suppress list", "no row holds a contact"}},
		"stale": {func(p *place) {
			old := time.Now().Add(-48 * time.Hour)
			_ = os.Chtimes(p.path("lists/unsubscribed/a.parquet"), old, old)
		}, []string{"suppress list", "48h0m0s old", "at most 36h0m0s"}},
		"other ids":  {func(p *place) { writeParquet(p.t, p.path("lists/complaints.parquet"), column{"uid", []int64{1, 2}}) }, []string{"suppress list", "int64", "utf8"}},
		"no column":  {func(p *place) { writeParquet(p.t, p.path("lists/complaints.parquet"), column{"id", []string{"a"}}) }, []string{"suppress list", `no column "uid"`}},
		"null ids":   {func(p *place) { writeParquet(p.t, p.path("lists/complaints.parquet"), column{"uid", []*string{nil}}) }, []string{"suppress list", "id_null"}},
		"a filter":   {func(p *place) { p.replace("country in", "contry in") }, []string{"audience small: where", `"contry" (did you mean "country"?)`}},
		"not a bool": {func(p *place) { p.replace("where: 'opt_out'", "where: 'idle'") }, []string{"suppress: condition 1", "int", "bool"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := audiencesPlace(t)
			test.spoil(p)
			p.night().expect(t, exitRefused, test.said...)
			if visible := p.visible(); len(visible) > 0 {
				t.Errorf("%q is visible", visible)
			}
		})
	}
}

func (p *place) replace(old, new string) {
	p.t.Helper()
	data, err := os.ReadFile(p.path("churntier.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("churntier.yaml", strings.Replace(string(data), old, new, 1))
}

// A list that was cut in half since yesterday refuses the night; the same list
// without a ratio does not.
func TestAListCutInHalf(t *testing.T) {
	p := audiencesPlace(t)
	p.night().expect(t, exitDone)
	p.snapshotOf("2026-11-23", people(401))
	writeParquet(t, p.path("lists", "unsubscribed", "a.parquet"), column{"address", []string{"user3@example.com"}})
	p.night().expect(t, exitRefused, "suppress list", "it has 1 rows and had 4 in the last publication")
	p.replace(", min_ratio: 0.5", "")
	p.night().expect(t, exitDone, "published")
}

// Who is in another prediction's audience of the same date is in none of ours.
func TestSuppressedByAPublication(t *testing.T) {
	p := audiencesPlace(t)
	p.write("vip.yaml", `prediction: vip
snapshot: {url: snapshots, id: user_id}
score:
  column: {name: churn_score, range: [0, 100]}
audiences: [{name: vip, score: [90, 100]}]
publish: {url: vip}
`)
	p.replace("  - {where: 'opt_out'}", "  - {publication: vip, audience: vip}")
	p.night().expect(t, exitRefused, "suppress list", "nothing is published there")
	p.churntier("run", "-c", p.path("vip.yaml"), "--quiet").expect(t, exitDone)
	p.night().expect(t, exitDone)
	for _, audience := range []string{"big", "small", "all"} {
		for _, id := range append(p.idsIn(audience, "part"), p.idsIn(audience, "control")...) {
			for _, x := range people(400) {
				if x.id == id && x.score >= 90 {
					t.Errorf("%s with score %v is in %s", id, x.score, audience)
				}
			}
		}
	}
	p.replace("audience: vip", "audience: nobody")
	p.night("--force").expect(t, exitRefused, `has no audience "nobody"`)
}

// A thousand users of one contact are held out by their own ids.
func TestACrowdedContact(t *testing.T) {
	p := audiencesPlace(t)
	all := people(2000)
	for i := range all {
		all[i].email, all[i].hasEmail, all[i].idle = "office@example.com", true, 1
		all[i].optOut, all[i].hasOptOut, all[i].hasCountry = false, true, true
	}
	p.snapshotOf(night22, all)
	p.night().expect(t, exitDone, "2000 rows have a contact that more than 20 rows share")
	members, control := p.idsIn("all", "part"), p.idsIn("all", "control")
	if share := float64(len(control)) / float64(len(members)+len(control)); share < 0.15 || share > 0.25 {
		t.Errorf("%d of %d are held out, want about a fifth", len(control), len(members)+len(control))
	}
}

// Limits that cannot be found within --memory say so before anything is written.
func TestALimitBeyondTheMemory(t *testing.T) {
	p := newPlace(t)
	p.write("churntier.yaml", plainConfig+"audiences: [{name: all, limit: 600000}]\n")
	p.ordinary(night22, 600_001)
	p.night("--memory", "16MiB").expect(t, exitUsage, "the limits of the audiences take 18 MiB, 16 are allowed")
	p.night("--memory", "32MiB").expect(t, exitDone, "600,000")
}

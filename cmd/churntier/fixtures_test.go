package main

import (
	"testing"

	"github.com/churntier/churntier/pipeline/publish"
)

// What DuckDB counts on the fixtures from the model's formula; see
// fixtures/README.md.
func TestFixtures(t *testing.T) {
	p := newPlace(t)
	for _, night := range []struct {
		date       string
		rows       publish.Rows
		categories [3]int64 // high, medium, low
	}{
		{"2026-11-20", publish.Rows{Read: 3106, Scored: 3106}, [3]int64{309, 428, 2369}},
		{"2026-11-21", publish.Rows{Read: 3111, Rejected: 3, Duplicates: 3, Scored: 3105}, [3]int64{304, 438, 2363}},
		{"2026-11-22", publish.Rows{Read: 3108, Scored: 3108}, [3]int64{308, 451, 2349}},
	} {
		out, r := p.runJSON("-c", "../../fixtures/churntier.yaml", "--set", "publish.url="+p.path("out"), "--date", night.date)
		r.expect(t, exitDone)
		if out.Manifest.Rows != night.rows || len(out.Warnings) > 0 {
			t.Errorf("%s: rows %+v, want %+v; warnings %v", night.date, out.Manifest.Rows, night.rows, out.Warnings)
		}
		for i, want := range night.categories {
			if c, a := out.Manifest.Categories[i], out.Manifest.Audiences[i]; c.Count != want || a.Members != want {
				t.Errorf("%s: category %s holds %d and its audience %d, want %d", night.date, c.Name, c.Count, a.Members, want)
			}
		}
	}
}

// What DuckDB counts on the fixtures from the meaning of strategies.yaml; the arms
// together are those counts.
func TestStrategies(t *testing.T) {
	p := newPlace(t)
	for _, night := range []struct {
		date     string
		rows     publish.Rows
		selected [3]int64 // save-them within its limit, win-back, stay-in-touch
	}{
		{"2026-11-20", publish.Rows{Read: 3106, Ineligible: 94, Scored: 3012, Suppressed: 214}, [3]int64{100, 395, 1324}},
		{"2026-11-22", publish.Rows{Read: 3108, Ineligible: 93, Scored: 3015, Suppressed: 216}, [3]int64{100, 403, 1317}},
	} {
		out, r := p.runJSON("-c", "../../fixtures/strategies.yaml", "--set", "publish.url="+p.path("out"), "--date", night.date)
		r.expect(t, exitDone)
		if out.Manifest.Rows != night.rows || len(out.Warnings) > 0 {
			t.Errorf("%s: rows %+v, want %+v; warnings %v", night.date, out.Manifest.Rows, night.rows, out.Warnings)
		}
		for i, want := range night.selected {
			if a := out.Manifest.Audiences[i]; a.Members+a.Control != want || a.Control == 0 {
				t.Errorf("%s: audience %s holds %d and keeps %d out, want %d together", night.date, a.Name, a.Members, a.Control, want)
			}
		}
	}
}

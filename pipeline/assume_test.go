package pipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// sharing is a town with a publication of the date before, in which the users below
// shared share their id with another row.
func sharing(t *testing.T, shared int) *town {
	w := newTown(t)
	w.night.SplitRows = 60
	w.night.Gates = gate.Limits{Rows: gate.Ratio{Max: 9}, Rejected: 1, Duplicates: 1, Constant: 1, NullShift: 1}
	w.put("dt=2026-11-21/a.parquet", users(t, 0, 400))
	w.put("dt=2026-11-21/b.parquet", users(t, 0, shared))
	w.put("dt=2026-11-21/_SUCCESS", nil)
	w.night.Date = w.night.Date.AddDays(-1)
	w.publish()
	w.night.Date = w.night.Date.AddDays(1)
	return w
}

// publish runs the night and gives the SHA-256 of its shards, and how many runs the
// date has files of.
func (w *town) publish() (*pipeline.Outcome, map[string]string, int) {
	w.t.Helper()
	out, err := w.run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	h := held(w.t, w.output)
	if faults := h.check(promise{}); len(faults) > 0 {
		w.t.Errorf("%q", faults)
	}
	runs := map[string]bool{}
	for key := range h {
		if rest, below := strings.CutPrefix(key, "runs/"+w.night.Date.String()+"/"); below {
			runs[rest[:strings.IndexByte(rest, '/')]] = true
		}
	}
	return out, h.shards(w.night.Date.String(), out.Run), len(runs)
}

func TestANightWithDuplicatesBeginsAnew(t *testing.T) {
	var want map[string]string
	for _, c := range []struct{ before, runs int }{
		{before: 10, runs: 1}, // after a publication with duplicates nothing is assumed
		{before: 0, runs: 2},
	} {
		w := sharing(t, c.before)
		w.put("dt=2026-11-22/c.parquet", users(t, 0, 100))
		out, got, runs := w.publish()
		if r := out.Manifest.Rows; r.Read != 700 || r.Duplicates != 200 || r.Scored != 500 {
			t.Errorf("rows %+v, want 700 = 200 duplicates + 500 scored", r)
		}
		if runs != c.runs {
			t.Errorf("%d runs have files, want %d", runs, c.runs)
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) < 4 {
			t.Errorf("%d shards: %s", len(want), diff)
		}
	}
}

func TestADamagedPartIsNotReadAgain(t *testing.T) {
	w := sharing(t, 0)
	damaged := users(t, 900, 1000)
	for i := range damaged[4:200] {
		damaged[4+i] = 0xFF
	}
	w.put("dt=2026-11-22/c.parquet", damaged)
	_, err := w.run(t.Context())
	if !errors.Is(err, pipeline.ErrRefused) || !errors.Is(err, snapshot.ErrDamaged) {
		t.Errorf("got %v, want a refusal of the damaged part", err)
	}
	if evidence := fmt.Sprintf("refusals/2026-11-22/%026d", 2); err == nil || !strings.Contains(err.Error(), evidence) {
		t.Errorf("got %v, want the evidence of the second run of this town, the first of the night: %s", err, evidence)
	}
}

// What is assumed of a night without duplicates changes no byte, and leaves nothing.
func TestANightWithoutDuplicatesIsWrittenOnce(t *testing.T) {
	alone := newTown(t)
	alone.night.SplitRows = 60
	_, want, _ := alone.publish()
	_, got, runs := sharing(t, 0).publish()
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 4 || runs != 1 {
		t.Errorf("%d shards, %d runs: %s", len(want), runs, diff)
	}
}

// A text that may not be written is no fault of the night where its row shares its id
// with another, and is one where it does not.
func TestWhatIsAssumedRefusesNothing(t *testing.T) {
	for id, want := range map[string]error{"u7": nil, "u999": audience.ErrFormula} {
		w := sharing(t, 0)
		w.put("dt=2026-11-22/c.parquet", fileOf(t, map[string][]cell{
			"user_id": {id}, "churn_score": {int64(80)}, "plan": {"=1+1"}, "day": {int64(20779)},
		}))
		for part, user := range map[string]string{"a": "u7", "b": "u8"} {
			w.put("dt=2026-11-22/"+part+".parquet", fileOf(t, map[string][]cell{
				"user_id": {user}, "churn_score": {int64(90)}, "plan": {"free"}, "day": {int64(20779)},
			}))
		}
		w.night.Rules.Audiences[0].Files = []pipeline.File{{Format: "parquet"}, {Format: "csv", Formula: "refuse", Columns: []pipeline.Column{
			{Name: "id", From: "user_id"}, {Name: "plan", From: "plan"},
		}}}
		before := w.published()
		out, err := w.run(t.Context())
		switch {
		case !errors.Is(err, want):
			t.Errorf("id %s: %v, want %v", id, err, want)
		case want == nil && out.Manifest.Rows.Duplicates != 2:
			t.Errorf("id %s: %+v", id, out.Manifest.Rows)
		case want != nil && len(w.published()) != len(before):
			t.Errorf("id %s: published %q", id, w.published())
		}
	}
}

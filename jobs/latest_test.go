package jobs_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// town is the fixtures with an output of its own: three nights, the newest of
// 2026-11-22.
type town struct {
	t    *testing.T
	out  string
	runs atomic.Int64
}

func newTown(t *testing.T) *town { return &town{t: t, out: filepath.Join(t.TempDir(), "out")} }

func (w *town) config(set ...string) *config.Config {
	w.t.Helper()
	cfg, err := config.Load("../fixtures/churntier.yaml", config.Options{Set: append([]string{"publish.url=" + w.out}, set...)})
	if err != nil {
		w.t.Fatal(err)
	}
	return cfg
}

func (w *town) options(now string) jobs.Options {
	return jobs.Options{
		Date: "latest", Temp: w.t.TempDir(), Started: momentOf(w.t, now), Version: "test", Progress: silent{},
		NewRun: func() string { return fmt.Sprintf("%026d", w.runs.Add(1)) },
	}
}

type silent struct{}

func (silent) Stage(string, int64, int64) {}
func (silent) Add(int64)                  {}

var engine = localrun.Engine{Workers: 2, Memory: 64 << 20}

// night runs the newest night at that moment.
func (w *town) night(now string, set ...string) (day string, out *pipeline.Outcome, err error) {
	w.t.Helper()
	d, out, err := jobs.Nightly(w.t.Context(), w.config(set...), w.options(now), engine)
	return d.String(), out, err
}

// statusOf is "" without an outcome.
func statusOf(out *pipeline.Outcome) string {
	if out == nil {
		return ""
	}
	return string(out.Status)
}

func TestLatestOfASchedule(t *testing.T) {
	const daily, deadline = `schedule=30 4 * * *`, `deadline=07:00`
	for name, c := range map[string]struct {
		now      string
		set      []string
		before   []string // dates published by hand
		day      string
		status   string
		notReady string // what it says; "" = ready
	}{
		"no schedule":                          {now: "2026-12-25T00:00:00Z", day: "2026-11-22", status: "published"},
		"the newest is due":                    {now: "2026-11-23T04:30:00Z", set: []string{daily}, day: "2026-11-22", status: "published"},
		"the newest is not due yet":            {now: "2026-11-23T04:29:00Z", set: []string{daily}, day: "2026-11-22", status: "published"},
		"published before it was due":          {now: "2026-11-23T04:30:00Z", set: []string{daily}, before: []string{"2026-11-22"}, day: "2026-11-22", status: "already-published"},
		"an older one is due, and goes first":  {"2026-11-24T04:30:00Z", []string{daily, deadline}, nil, "2026-11-22", "published", "that of 2026-11-23 is due since 2026-11-24 04:30 UTC; the newest that is ready is of 2026-11-22"},
		"the older one is published":           {"2026-11-24T07:00:00Z", []string{daily, deadline}, []string{"2026-11-22"}, "2026-11-23", "", "late since 2026-11-24 07:00 UTC; the newest"},
		"the older one is past catching up":    {"2026-11-26T04:30:00Z", []string{daily, "catch_up=2"}, nil, "2026-11-25", "", "that of 2026-11-25"},
		"the older one is not of the schedule": {"2026-11-24T12:00:00Z", []string{`schedule=30 4 * * 2`}, nil, "2026-11-23", "", "that of 2026-11-23"},
		"a preview has nothing to go first":    {"2026-11-24T04:30:00Z", []string{daily, "mode=preview"}, nil, "2026-11-23", "", "that of 2026-11-23"},
		"in the zone of the config": {"2026-11-24T04:00:00Z", []string{daily, "timezone=Europe/Berlin"}, []string{"2026-11-22"},
			"2026-11-23", "", "due since 2026-11-24 04:30 CET"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			for _, d := range c.before {
				o := w.options("2026-11-23T00:00:00Z")
				o.Date = d
				if _, _, err := jobs.Nightly(t.Context(), w.config(), o, engine); err != nil {
					t.Fatal(err)
				}
			}
			day, out, err := w.night(c.now, c.set...)
			if day != c.day || statusOf(out) != c.status || errors.Is(err, snapshot.ErrNotReady) != (c.notReady != "") {
				t.Errorf("%s: %q, %v; want %s: %q", day, statusOf(out), err, c.day, c.status)
			}
			if err != nil && !strings.Contains(err.Error(), c.notReady) {
				t.Errorf("it says %q, want %q", err, c.notReady)
			}
		})
	}
}

// What was withdrawn is decided: nothing is due, so the rest of the nights is as
// without a schedule.
func TestAWithdrawnDateIsNotDue(t *testing.T) {
	w := newTown(t)
	if _, out, err := w.night("2026-11-23T00:00:00Z"); err != nil || out.Status != pipeline.Published {
		t.Fatal(out, err)
	}
	if _, err := jobs.Withdraw(t.Context(), w.config(), "2026-11-22", "wrong model"); err != nil {
		t.Fatal(err)
	}
	day, out, err := w.night("2026-11-23T12:00:00Z", `schedule=30 4 * * *`)
	if err != nil || day != "2026-11-22" || out.Status != pipeline.Withdrawn || out.Manifest != nil {
		t.Errorf("%s: %+v, %v", day, out, err)
	}
}

// A refused night is news once: while the next snapshot is awaited it is not run
// again, so that whoever retries on "not ready" goes on.
func TestARefusedNightIsNotRunAgainFirst(t *testing.T) {
	w := newTown(t)
	set := []string{`schedule=30 4 * * *`, "audiences=[{name: all, expect: {min: 1000000}}]"}
	if _, _, err := w.night("2026-11-24T05:00:00Z", set...); !errors.Is(err, pipeline.ErrGate) {
		t.Fatalf("got %v, want a refusal", err)
	}
	day, out, err := w.night("2026-11-24T05:30:00Z", set...)
	if day != "2026-11-23" || out != nil || !errors.Is(err, snapshot.ErrNotReady) {
		t.Errorf("%s: %+v, %v", day, out, err)
	}
	if evidence, _ := filepath.Glob(w.out + "/refusals/*/*"); len(evidence) != 1 {
		t.Errorf("evidence %v, want that of one run", evidence)
	}
}

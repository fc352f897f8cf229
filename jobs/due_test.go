package jobs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
)

// configOf loads a config with more lines.
func configOf(t testing.TB, lines ...string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "churntier.yaml")
	text := "prediction: p\nsnapshot: {url: in, id: user_id}\nscore: {column: {name: s, range: [0, 1]}}\npublish: {url: out}\n"
	if err := os.WriteFile(file, []byte(text+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func dayOf(t testing.TB, text string) date.Date {
	t.Helper()
	d, err := date.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func momentOf(t testing.TB, text string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// said gives due dates as lines: date, state, when due, when late.
func said(all []jobs.Due) []string {
	var lines []string
	for _, d := range all {
		line := fmt.Sprintf("%s %s %s", d.Date, d.State, d.At.UTC().Format("01-02T15:04"))
		if !d.LateAt.IsZero() {
			line += " " + d.LateAt.UTC().Format("01-02T15:04")
		}
		lines = append(lines, line)
	}
	return lines
}

func TestDueDates(t *testing.T) {
	for name, c := range map[string]struct {
		lines   []string
		now     string
		decided []string
		want    []string
	}{
		"no schedule": {nil, "2026-11-22T12:00:00Z", nil, nil},
		"before the first time of the day": {
			[]string{`schedule: "30 4 * * *"`, "catch_up: 1"}, "2026-11-22T04:29:59Z", nil,
			[]string{"2026-11-19 due 11-20T04:30", "2026-11-20 due 11-21T04:30", "2026-11-21 not yet 11-22T04:30"},
		},
		"at that time": {
			[]string{`schedule: "30 4 * * *"`, "catch_up: 1"}, "2026-11-22T04:30:00Z", nil,
			[]string{"2026-11-20 due 11-21T04:30", "2026-11-21 due 11-22T04:30", "2026-11-22 not yet 11-23T04:30"},
		},
		"no catching up": {
			[]string{`schedule: "30 4 * * *"`, "catch_up: 0"}, "2026-11-22T12:00:00Z", nil,
			[]string{"2026-11-21 due 11-22T04:30", "2026-11-22 not yet 11-23T04:30"},
		},
		"late from the deadline": {
			[]string{`schedule: "30 4 * * *"`, "catch_up: 1", `deadline: "07:00"`}, "2026-11-22T06:59:59Z", nil,
			[]string{"2026-11-20 late 11-21T04:30 11-21T07:00", "2026-11-21 due 11-22T04:30 11-22T07:00", "2026-11-22 not yet 11-23T04:30 11-23T07:00"},
		},
		"deadline of the next day": {
			[]string{`schedule: "0 22 * * *"`, "lag_days: 0", "catch_up: 0", `deadline: "07:00"`}, "2026-11-22T07:00:00Z", nil,
			[]string{"2026-11-21 late 11-21T22:00 11-22T07:00", "2026-11-22 not yet 11-22T22:00 11-23T07:00"},
		},
		"several times a day make one date due": {
			[]string{`schedule: "*/30 4-6 * * *"`, "catch_up: 1"}, "2026-11-22T05:10:00Z", nil,
			[]string{"2026-11-20 due 11-21T04:00", "2026-11-21 due 11-22T04:00", "2026-11-22 not yet 11-23T04:00"},
		},
		"decided dates are not due, and count": {
			[]string{`schedule: "30 4 * * *"`, "catch_up: 2"}, "2026-11-22T12:00:00Z", []string{"2026-11-20", "2026-11-21", "2026-11-22"},
			[]string{"2026-11-19 due 11-20T04:30"},
		},
		"weekly, nights are counted and not days": {
			[]string{`schedule: "0 5 * * mon"`, "catch_up: 2", "lag_days: 2"}, "2026-11-22T12:00:00Z", nil,
			[]string{"2026-10-31 due 11-02T05:00", "2026-11-07 due 11-09T05:00", "2026-11-14 due 11-16T05:00", "2026-11-21 not yet 11-23T05:00"},
		},
		"in leap years alone": {
			[]string{`schedule: "0 5 29 2 *"`, "catch_up: 7"}, "2026-11-22T12:00:00Z", nil,
			[]string{"2024-02-28 due 02-29T05:00", "2028-02-28 not yet 02-29T05:00"},
		},
		"eight years without a leap day": {
			[]string{`schedule: "0 5 29 2 *"`}, "2098-01-01T00:00:00Z", nil,
			[]string{"2096-02-28 due 02-29T05:00"},
		},
		"skipped by the clock: New York, 2:30 of 8 March": {
			[]string{`schedule: "30 2 * * *"`, "catch_up: 0", "timezone: America/New_York"}, "2026-03-08T07:00:00Z", nil,
			[]string{"2026-03-07 due 03-08T07:00", "2026-03-08 not yet 03-09T06:30"},
		},
		"not a moment before": {
			[]string{`schedule: "30 2 * * *"`, "catch_up: 0", "timezone: America/New_York"}, "2026-03-08T06:59:59Z", nil,
			[]string{"2026-03-06 due 03-07T07:30", "2026-03-07 not yet 03-08T07:00"},
		},
		"shown twice: New York, 1:30 of 1 November": {
			[]string{`schedule: "30 1 * * *"`, "catch_up: 0", "timezone: America/New_York"}, "2026-11-01T06:30:00Z", nil,
			[]string{"2026-10-31 due 11-01T05:30", "2026-11-01 not yet 11-02T06:30"},
		},
		"skipped by the clock: Berlin, 2:30 of 29 March": {
			[]string{`schedule: "30 2 * * *"`, "catch_up: 0", "timezone: Europe/Berlin"}, "2026-03-29T01:00:00Z", nil,
			[]string{"2026-03-28 due 03-29T01:00", "2026-03-29 not yet 03-30T00:30"},
		},
		"a whole day skipped: Apia, 30 December 2011": {
			[]string{`schedule: "30 4 * * *"`, "catch_up: 1", "lag_days: 0", "timezone: Pacific/Apia"}, "2011-12-30T10:00:00Z", nil,
			[]string{"2011-12-29 due 12-29T14:30", "2011-12-30 due 12-30T10:00", "2011-12-31 not yet 12-30T14:30"},
		},
		"midnight shown twice: Havana, 1 November": {
			[]string{`schedule: "30 0 * * *"`, "catch_up: 0", "lag_days: 0", "timezone: America/Havana"}, "2026-11-01T05:10:00Z", nil,
			[]string{"2026-11-01 due 11-01T04:30", "2026-11-02 not yet 11-02T05:30"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var decided []date.Date
			for _, d := range c.decided {
				decided = append(decided, dayOf(t, d))
			}
			got := said(jobs.DueDates(configOf(t, c.lines...), momentOf(t, c.now), decided))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// rota is a schedule of a few times of the day on some days of the week.
type rota struct {
	minutes, hours, weekdays []int
	lag, catchUp             int
	deadline                 int // minutes since midnight; -1 for none
	zone                     string
}

func (r rota) lines() []string {
	list := func(numbers []int) string {
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(numbers), "[]"), " ", ",")
	}
	lines := []string{
		fmt.Sprintf("schedule: %q", list(r.minutes)+" "+list(r.hours)+" * * "+list(r.weekdays)),
		fmt.Sprint("lag_days: ", r.lag), fmt.Sprint("catch_up: ", r.catchUp), "timezone: " + r.zone,
	}
	if r.deadline >= 0 {
		lines = append(lines, fmt.Sprintf("deadline: \"%02d:%02d\"", r.deadline/60, r.deadline%60))
	}
	return lines
}

// changes are days on which the clocks of a zone change.
var changes = map[string][]string{
	"America/New_York": {"2026-03-08", "2026-11-01"},
	"Europe/Berlin":    {"2026-03-29", "2026-10-25"},
}

func drawRota(t *rapid.T) (r rota, now time.Time) {
	r.zone = rapid.SampledFrom([]string{"America/New_York", "Europe/Berlin"}).Draw(t, "zone")
	r.minutes = rapid.SliceOfNDistinct(rapid.IntRange(0, 59), 1, 3, rapid.ID).Draw(t, "minutes")
	r.hours = rapid.SliceOfNDistinct(rapid.OneOf(rapid.IntRange(0, 4), rapid.IntRange(0, 23)), 1, 3, rapid.ID).Draw(t, "hours")
	r.weekdays = rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID).Draw(t, "weekdays")
	r.lag, r.catchUp = rapid.IntRange(0, 3).Draw(t, "lag"), rapid.IntRange(0, 3).Draw(t, "catch-up")
	r.deadline = rapid.OneOf(rapid.Just(-1), rapid.IntRange(0, 240), rapid.IntRange(0, 1439)).Draw(t, "deadline")
	change, _ := time.Parse(time.DateOnly, rapid.SampledFrom(changes[r.zone]).Draw(t, "change"))
	return r, change.Add(time.Duration(rapid.IntRange(-3*24*60, 10*24*60).Draw(t, "minute")) * time.Minute)
}

// A moment is one minute and what the clocks of a zone show in it, as minutes since
// 1970 began there.
type moment struct {
	at    time.Time
	shown int
}

// calendar lists all moments from 32 days before now to 12 days after it.
func calendar(now time.Time, zone *time.Location) []moment {
	var all []moment
	for at := now.AddDate(0, 0, -32); at.Before(now.AddDate(0, 0, 12)); at = at.Add(time.Minute) {
		local := at.In(zone)
		days := int(date.Of(local).Days())
		all = append(all, moment{at, days*1440 + local.Hour()*60 + local.Minute()})
	}
	return all
}

// first gives the first moment that shows the time or a later one.
func first(all []moment, shown int) time.Time {
	return all[slices.IndexFunc(all, func(m moment) bool { return m.shown >= shown })].at
}

// expected looks at every day of the calendar.
func (r rota) expected(t *rapid.T, now time.Time) []string {
	zone, err := time.LoadLocation(r.zone)
	if err != nil {
		t.Fatal(err)
	}
	all := calendar(now, zone)
	var past, lines []string
	for day := all[0].shown/1440 + 1; day < all[len(all)-1].shown/1440-1; day++ {
		if !slices.Contains(r.weekdays, (day+4)%7) { // 1970 began on a Thursday
			continue
		}
		tick := day*1440 + slices.Min(r.hours)*60 + slices.Min(r.minutes)
		d := jobs.Due{Date: date.FromDays(int32(day - r.lag)), State: "due", At: first(all, tick)}
		if r.deadline >= 0 {
			late := day*1440 + r.deadline
			if late <= tick {
				late += 1440
			}
			d.LateAt = first(all, late)
		}
		if d.At.After(now) {
			d.State = "not yet"
			lines = append(past[max(0, len(past)-r.catchUp-1):], said([]jobs.Due{d})...)
			break
		}
		if r.deadline >= 0 && !d.LateAt.After(now) {
			d.State = "late"
		}
		past = append(past, said([]jobs.Due{d})...)
	}
	return lines
}

// On every schedule, at every minute around the changes of the clocks, what is due
// is what a calendar of all minutes says.
func TestDueDatesAgreeWithACalendar(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, now := drawRota(rt)
		got := said(jobs.DueDates(configOf(t, r.lines()...), now, nil))
		if diff := cmp.Diff(r.expected(rt, now), got); diff != "" {
			rt.Errorf("%q at %s (-calendar +got):\n%s", r.lines(), now, diff)
		}
	})
}

// A date becomes due once, whatever the clocks do: someone who looks every ten
// minutes and runs what is due runs each date of the schedule once, in order.
func TestEachDateIsRunOnce(t *testing.T) {
	for zone, days := range changes {
		for _, change := range days {
			for _, schedule := range []string{"30 2 * * *", "30 1 * * *", "*/20 * * * *", "0 0,3 * * *"} {
				cfg := configOf(t, fmt.Sprintf("schedule: %q", schedule), "timezone: "+zone, "catch_up: 0")
				start := momentOf(t, change+"T12:00:00Z").AddDate(0, 0, -3)
				ran := []date.Date{dayOf(t, change).AddDays(-4)}
				for at := start; at.Before(start.AddDate(0, 0, 6)); at = at.Add(10 * time.Minute) {
					for _, d := range jobs.DueDates(cfg, at, ran) {
						if d.State != jobs.NotYet {
							ran = append(ran, d.Date)
						}
					}
				}
				for i, d := range ran {
					if d != ran[0].AddDays(i) || len(ran) != 7 {
						t.Fatalf("%s, %s, %q: ran %v", zone, change, schedule, ran)
					}
				}
			}
		}
	}
}

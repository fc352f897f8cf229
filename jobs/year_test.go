package jobs_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
)

// years is how many whole years TestAYear goes through in each zone, each with another
// seed; 0 for the 120 nights around one change of the clocks. A release is tried with 5.
var years = flag.Uint64("years", 0, "simulated years in each zone")

// irregular are the days of 2026 on which 02:30 is skipped or shown twice, with the
// moment at which its night is due: right after the gap, and the first of the two.
var irregular = map[string]map[string]string{
	"America/New_York": {"2026-03-08": "2026-03-08T07:00:00Z"},
	"Europe/Berlin":    {"2026-03-29": "2026-03-29T01:00:00Z", "2026-10-25": "2026-10-25T00:30:00Z"},
}

// A server that is down for up to five days again and again, and whose snapshots come
// up to 20 hours late, publishes every night of a year once, in order, at most fifteen
// minutes after it could: it was due, its snapshot there, the server up and the night
// before published.
func TestAYear(t *testing.T) {
	quarter := map[string]string{"America/New_York": "2026-01-15", "Europe/Berlin": "2026-08-15"}
	for zone, from := range quarter {
		if *years > 0 {
			from = "2026-01-01"
		}
		for seed := range max(1, *years) {
			t.Run(fmt.Sprint(zone, "/", seed), func(t *testing.T) {
				t.Parallel()
				y := newYear(t, zone, seed, dayOf(t, from))
				y.live()
				y.check()
				t.Logf("%s, seed %d: %d nights, %d outages, %d late snapshots, at most %s after each could be published",
					zone, seed, len(y.ran), y.outages, y.late, y.longest)
			})
		}
	}
}

type year struct {
	*world
	zone        *time.Location
	chance      *rand.Rand
	first, last date.Date
	arrives     map[date.Date]time.Time
	up          time.Time // since when the server is
	outages     int
	late        int
	ran         []date.Date // in the order of their publication
	before      time.Time   // when the one before was published
	longest     time.Duration
}

func newYear(t *testing.T, zone string, seed uint64, first date.Date) *year {
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	y := &year{
		zone: location, chance: rand.New(rand.NewPCG(seed, 1)), arrives: map[date.Date]time.Time{},
		first: first, last: first.AddDays(119),
	}
	if *years > 0 {
		y.last = first.AddDays(364)
	}
	y.world = newWorld(t, first.String()+"T12:00:00Z")
	y.told = y.attempted
	for d := y.first; !d.After(y.last); d = d.AddDays(1) {
		y.arrives[d] = d.End(location).Add(time.Duration(y.chance.IntN(90)) * time.Minute)
		if y.chance.IntN(10) == 0 {
			y.arrives[d] = y.due(d).Add(time.Duration(y.chance.IntN(20*60)) * time.Minute)
			y.late++
		}
	}
	return y
}

// due is 02:30 of the day after, by the calendar.
func (y *year) due(d date.Date) time.Time {
	next := d.AddDays(1)
	if at, found := irregular[y.zone.String()][next.String()]; found {
		return momentOf(y.t, at)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", next.String()+" 02:30", y.zone)
	if err != nil {
		y.t.Fatal(err)
	}
	return at
}

// live goes through the year.
func (y *year) live() {
	cfg := y.config("p", `schedule: "30 2 * * *"`, `deadline: "07:00"`, "catch_up: 7", "timezone: "+y.zone.String())
	end := y.due(y.last).Add(24 * time.Hour)
	for y.clock.Now().Before(end) {
		y.up = y.clock.Now()
		y.start(cfg)
		y.pass(y.clock.Now().Add(time.Duration(y.chance.IntN(20*24*60))*time.Minute), end, true)
		y.end()
		y.outages++
		y.pass(y.clock.Now().Add(time.Duration(y.chance.IntN(5*24*60))*time.Minute), end, false)
	}
	y.up = y.clock.Now()
	y.start(cfg)
	y.end()
}

// pass lets time pass and snapshots arrive.
func (y *year) pass(until, end time.Time, up bool) {
	if until.After(end) {
		until = end
	}
	move := func(to time.Time) {
		if up {
			y.clock.until(to, 1)
		} else {
			y.clock.now = to
		}
	}
	from := y.clock.Now()
	arriving := slices.SortedFunc(func(yield func(date.Date) bool) {
		for d, at := range y.arrives {
			if !at.Before(from) && at.Before(until) && !yield(d) {
				return
			}
		}
	}, func(a, b date.Date) int { return y.arrives[a].Compare(y.arrives[b]) })
	for _, d := range arriving {
		move(y.arrives[d])
		y.snapshot(d.String(), 50, float64(y.chance.IntN(100))/100)
	}
	move(until)
}

func (y *year) attempted(a jobs.Attempt) {
	if a.Outcome == nil {
		return
	}
	if a.Outcome.Status != pipeline.Published {
		y.t.Errorf("%s: %s", a.Date, a.Status())
	}
	could := y.due(a.Date)
	for _, at := range []time.Time{y.arrives[a.Date], y.up, y.before} {
		if at.After(could) {
			could = at
		}
	}
	if a.Started.Before(y.due(a.Date)) {
		y.t.Errorf("%s was run at %s, before it was due", a.Date, a.Started)
	}
	y.longest = max(y.longest, a.Started.Sub(could))
	y.before = a.Started
	y.ran = append(y.ran, a.Date)
}

func (y *year) check() {
	if y.longest > 15*time.Minute {
		y.t.Errorf("a night was run %s after it could be", y.longest)
	}
	d := y.first
	for _, ran := range y.ran {
		if ran != d {
			y.t.Fatalf("%s was published where %s was to be", ran, d)
		}
		d = d.AddDays(1)
	}
	want := int(y.last.Days()-y.first.Days()) + 1
	if all := y.committed("p"); len(all) != want || len(y.ran) != want {
		y.t.Errorf("%d nights are published, %d were, want %d", len(all), len(y.ran), want)
	}
}

package delivery

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/date"
)

// on gives a date by its number.
func on(n int) date.Date { return date.FromDays(int32(20_000 + n)) }

func TestCadenceTransitions(t *testing.T) {
	today := on(10)
	in := func(day, last int) Standing { return Standing{In: true, Day: day, Last: on(last)} }
	out := func(day, last, left int, resting bool) Standing {
		return Standing{Day: day, Last: on(last), Left: on(left), Resting: resting}
	}
	for name, c := range map[string]struct {
		exit     Exit
		before   Standing
		selected bool
		want     Standing
	}{
		"new":                                {Stop, Standing{}, true, in(1, 10)},
		"new, not selected":                  {Stop, Standing{}, false, Standing{}},
		"out and cooled down":                {Stop, out(3, 5, 6, true), true, in(1, 10)},
		"out and cooled down, not selected":  {Stop, out(3, 5, 6, true), false, Standing{}},
		"a day before it has cooled down":    {Stop, out(3, 6, 7, true), true, out(3, 6, 7, true)},
		"resting, not selected":              {Stop, out(3, 6, 7, true), false, out(3, 6, 7, true)},
		"under way":                          {Stop, in(2, 9), true, in(3, 10)},
		"under way, nights without delivery": {Stop, in(2, 4), true, in(3, 10)},
		"last day was yesterday":             {Stop, in(3, 9), true, out(3, 9, 10, true)},
		"stops":                              {Stop, in(2, 9), false, out(2, 9, 10, true)},
		"pauses":                             {Pause, in(2, 9), false, out(2, 9, 10, false)},
		"paused and comes back":              {Pause, out(2, 8, 9, false), true, Standing{In: true, Day: 3, Last: today, Left: on(9)}},
		"paused on the last day":             {Pause, out(3, 8, 9, false), true, out(3, 8, 9, true)},
		"paused, not selected":               {Pause, out(2, 8, 9, false), false, out(2, 8, 9, false)},
		"paused too long begins again":       {Pause, out(2, 5, 6, false), true, in(1, 10)},
		"corrected, still selected":          {Stop, in(2, 10), true, in(2, 10)},
		"corrected on the last day":          {Stop, in(3, 10), true, in(3, 10)},
		"paused and back on one date":        {Pause, out(2, 10, 10, false), true, Standing{In: true, Day: 2, Last: today, Left: today}},
		"stopped and back on one date":       {Stop, out(2, 10, 10, true), true, out(2, 10, 10, true)},
		"ended today after a long outage":    {Stop, out(3, 2, 10, true), true, out(3, 2, 10, true)},
		"paused today after a long outage":   {Pause, out(2, 2, 10, false), true, Standing{In: true, Day: 3, Last: today, Left: today}},
		"more days than there are now":       {Stop, in(7, 9), true, out(7, 9, 10, true)},
		"a member from before the cadence":   {Stop, Standing{In: true, Last: on(9)}, true, in(1, 10)},
		"one of them who leaves":             {Stop, Standing{In: true, Last: on(9)}, false, Standing{Last: on(9), Left: today}},
	} {
		cadence := &Cadence{Days: 3, Cooldown: 5, OnExit: c.exit}
		if got := cadence.next(c.before, c.selected, today); got != c.want {
			t.Errorf("%s: got %+v, expected %+v", name, got, c.want)
		}
	}
}

func TestWithoutCadence(t *testing.T) {
	var none *Cadence
	s := none.next(Standing{}, true, on(1))
	if want := (Standing{In: true, Last: on(1)}); s != want {
		t.Errorf("got %+v, expected %+v", s, want)
	}
	s = none.next(s, false, on(2))
	if s.In || s.forgotten(on(1)) || !s.forgotten(on(2)) {
		t.Errorf("%+v must be known for its date and no longer", s)
	}
}

// delivered is one delivery in the life of a user: selected or not, and the day that
// was sent, 0 for none.
type delivered struct {
	date     int
	selected bool
	day      int
}

// bruteDay says from a user's whole past, in the words of the design, which day a
// delivery sends: days 1 to n on consecutive deliveries, then a rest until the last
// day and the cooldown.
func bruteDay(c *Cadence, past []delivered, d int) int {
	course := courseOf(c, past, d)
	if course == nil {
		return 1
	}
	last := course[len(course)-1]
	member := last.day > 0
	day, sent := 0, 0
	for _, p := range course {
		if p.day > 0 {
			day, sent = p.day, p.date
		}
	}
	switch {
	case sent == d && (member || c.OnExit == Pause):
		return day
	case !member && (c.OnExit == Stop || endedIn(course)), day >= c.Days:
		return 0
	}
	return day + 1
}

// courseOf gives what belongs to the cadence that is under way, or rests, at d: from
// its first day on; nil when the user is as new.
func courseOf(c *Cadence, past []delivered, d int) []delivered {
	var course []delivered
	sent := 0
	for _, p := range append(past[:len(past):len(past)], delivered{date: d}) {
		n := len(course)
		wentOut := 0
		for i := 1; i < n; i++ {
			if course[i].day == 0 && course[i-1].day > 0 {
				wentOut = course[i].date
			}
		}
		if n > 0 && course[n-1].day == 0 && p.date-sent >= c.Cooldown && wentOut != p.date {
			course = nil
		}
		if p.day > 0 {
			sent = p.date
		}
		if course != nil || p.day > 0 {
			course = append(course, p)
		}
	}
	if course == nil {
		return nil
	}
	return course[:len(course)-1]
}

// endedIn says whether the cadence came to its end: selected, and nothing was sent.
func endedIn(course []delivered) bool {
	for _, p := range course {
		if p.selected && p.day == 0 {
			return true
		}
	}
	return false
}

func TestCadenceAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Cadence{
			Days: rapid.IntRange(1, 4).Draw(t, "days"), Cooldown: rapid.IntRange(0, 6).Draw(t, "cooldown"),
			OnExit: rapid.SampledFrom([]Exit{Stop, Pause}).Draw(t, "exit"),
		}
		var past []delivered
		var s Standing
		d := 1
		for range rapid.IntRange(1, 25).Draw(t, "deliveries") {
			d += rapid.SampledFrom([]int{0, 1, 1, 1, 1, 2, 5}).Draw(t, "later")
			p := delivered{date: d, selected: rapid.IntRange(0, 3).Draw(t, "selected") > 0}
			if p.selected {
				p.day = bruteDay(c, past, d)
			}
			s = c.next(s, p.selected, on(d))
			if got := map[bool]int{true: s.Day}[s.In]; got != p.day {
				t.Fatalf("%+v: after %+v on %d: day %d, expected %d; %+v", c, past, d, got, p.day, s)
			}
			past = append(past, p)
			if s.forgotten(on(d)) {
				s = Standing{} // as it is not kept
			}
		}
	})
}

package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
)

func on(s string) date.Date {
	d, err := date.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestDecide(t *testing.T) {
	rules := delivery.Rules{MaxAge: 36 * time.Hour, Zone: time.UTC}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // 36 hours after the 22nd
	target := func(d, run string) *delivery.Target { return &delivery.Target{Date: on(d), Run: run} }
	last := func(d, run string) *delivery.Intent { return &delivery.Intent{N: 4, Date: on(d), Run: run} }
	const ended, interrupted = false, true
	for name, c := range map[string]struct {
		target  *delivery.Target
		last    *delivery.Intent
		pending bool
		step    delivery.Step
		why     string
	}{
		"nothing is published":                    {nil, nil, ended, delivery.Nothing, "nothing is published"},
		"nothing is published any more":           {nil, last("2026-11-22", "A"), interrupted, delivery.Nothing, "nothing is published"},
		"the first":                               {target("2026-11-23", "A"), nil, ended, delivery.Give, "to be delivered"},
		"a newer date":                            {target("2026-11-23", "B"), last("2026-11-22", "A"), ended, delivery.Give, "to be delivered"},
		"a newer date while one is pending":       {target("2026-11-23", "B"), last("2026-11-22", "A"), interrupted, delivery.Give, "to be delivered"},
		"delivered already":                       {target("2026-11-22", "A"), last("2026-11-22", "A"), ended, delivery.Nothing, "delivered as number 4"},
		"pending":                                 {target("2026-11-22", "A"), last("2026-11-22", "A"), interrupted, delivery.Resume, "interrupted"},
		"replaced, or rolled back":                {target("2026-11-22", "B"), last("2026-11-22", "A"), ended, delivery.Correct, "replaced"},
		"replaced while it is pending":            {target("2026-11-22", "B"), last("2026-11-22", "A"), interrupted, delivery.Correct, "replaced"},
		"withdrawn after it was delivered":        {target("2026-11-22", ""), last("2026-11-22", "A"), ended, delivery.Correct, "replaced"},
		"withdrawn and told":                      {target("2026-11-22", ""), last("2026-11-22", ""), ended, delivery.Nothing, "delivered as number 4"},
		"withdrawn and being told":                {target("2026-11-22", ""), last("2026-11-22", ""), interrupted, delivery.Resume, "interrupted"},
		"withdrawn, never delivered":              {target("2026-11-23", ""), nil, ended, delivery.Nothing, "nothing of it was delivered"},
		"withdrawn, the one before was delivered": {target("2026-11-23", ""), last("2026-11-22", "A"), interrupted, delivery.Nothing, "nothing of it was delivered"},
		"an older date":                           {target("2026-11-22", "A"), last("2026-11-23", "B"), ended, delivery.Nothing, "later than 2026-11-22"},
		"today, which is not over":                {target("2026-11-24", "B"), last("2026-11-22", "A"), ended, delivery.Give, "to be delivered"},
		"tomorrow":                                {target("2026-11-25", "B"), last("2026-11-22", "A"), ended, delivery.Nothing, "in the future"},
		"tomorrow, while it is pending":           {target("2026-11-25", "B"), last("2026-11-25", "B"), interrupted, delivery.Nothing, "in the future"},
		"as old as allowed":                       {target("2026-11-22", "A"), nil, ended, delivery.Give, ""},
		"older than allowed":                      {target("2026-11-21", "A"), nil, ended, delivery.Nothing, "max_age"},
		"pending and older than allowed":          {target("2026-11-21", "A"), last("2026-11-21", "A"), interrupted, delivery.Nothing, "max_age"},
		"replaced and older than allowed":         {target("2026-11-21", "B"), last("2026-11-21", "A"), ended, delivery.Nothing, "max_age"},
	} {
		got := rules.Decide(now, c.target, c.last, c.pending)
		if got.Step != c.step || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: got %d, %s; expected %d, %s", name, got.Step, got.Why, c.step, c.why)
		}
	}
	if got := rules.Decide(now.Add(time.Nanosecond), target("2026-11-22", "A"), nil, false); got.Step != delivery.Nothing {
		t.Errorf("a moment after max_age: %+v", got)
	}
}

// A date ends with its day where the prediction is at home, also on the day of a
// change of clocks: 25 October 2026 has 25 hours in Paris.
func TestMaxAgeIsCountedFromTheEndOfTheDay(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	rules := delivery.Rules{MaxAge: 24 * time.Hour, Zone: paris}
	for at, want := range map[string]delivery.Step{
		"2026-10-25T21:59:59Z": delivery.Give, // the 24th ended at 22:00 UTC
		"2026-10-25T22:00:00Z": delivery.Give,
		"2026-10-25T22:00:01Z": delivery.Nothing,
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.Decide(now, &delivery.Target{Date: on("2026-10-24"), Run: "A"}, nil, false); got.Step != want {
			t.Errorf("%s: %+v, expected %d", at, got, want)
		}
	}
}

// Tomorrow begins where the prediction is at home.
func TestTheFutureBeginsAtMidnight(t *testing.T) {
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	rules := delivery.Rules{MaxAge: 24 * time.Hour, Zone: auckland}
	for at, want := range map[string]delivery.Step{"2026-11-24T10:59:59Z": delivery.Nothing, "2026-11-24T11:00:00Z": delivery.Give} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.Decide(now, &delivery.Target{Date: on("2026-11-25"), Run: "A"}, nil, false); got.Step != want {
			t.Errorf("%s: %+v, expected %d", at, got, want)
		}
	}
}

func TestWindow(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	morning, night := &delivery.Window{From: 6 * 60, To: 20*60 + 30}, &delivery.Window{From: 22 * 60, To: 6 * 60}
	for _, c := range []struct {
		at     string
		window *delivery.Window
		open   bool
	}{
		{"2026-07-01T03:59:59Z", morning, false}, // 05:59 in summer
		{"2026-07-01T04:00:00Z", morning, true},
		{"2026-07-01T18:29:59Z", morning, true},
		{"2026-07-01T18:30:00Z", morning, false},
		{"2026-12-01T04:59:59Z", morning, false}, // 05:59 in winter
		{"2026-12-01T05:00:00Z", morning, true},
		{"2026-12-01T20:59:00Z", night, false},
		{"2026-12-01T21:00:00Z", night, true},
		{"2026-12-01T23:30:00Z", night, true},
		{"2026-12-01T04:59:00Z", night, true},
		{"2026-12-01T05:00:00Z", night, false},
		{"2026-10-25T00:30:00Z", &delivery.Window{From: 2*60 + 15, To: 2*60 + 45}, true},  // 02:30, for the first time
		{"2026-10-25T01:30:00Z", &delivery.Window{From: 2*60 + 15, To: 2*60 + 45}, true},  // and for the second
		{"2026-03-29T01:30:00Z", &delivery.Window{From: 2*60 + 15, To: 2*60 + 45}, false}, // 03:30; there is no 02:30
	} {
		now, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		rules := delivery.Rules{MaxAge: 48 * time.Hour, Zone: paris, Window: c.window}
		got := rules.Decide(now, &delivery.Target{Date: date.Of(now.AddDate(0, 0, -1)), Run: "A"}, nil, false)
		if open := got.Step == delivery.Give; open != c.open || !open && !strings.Contains(got.Why, c.window.String()) {
			t.Errorf("%s, window %s: %+v", c.at, c.window, got)
		}
	}
}

package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// cronField is one field of a schedule: names, numbers and ranges with steps.
const cronField = `((\*|\?|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?,)*(\*|\?|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?`

// Texts of the table that tell a time.
var (
	schedule = textKind{name: `five fields: minute, hour, day of month, month, day of week, such as "30 4 * * *"`, pattern: `^` + cronField + `( +` + cronField + `){4}$`, parse: scheduleOf}
	clock    = textKind{name: `a time of day such as "07:00"`, pattern: `^([01][0-9]|2[0-3]):[0-5][0-9]$`, parse: clockOf}
)

// aLeapYear begins eight years without a leap day left out.
var aLeapYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// scheduleOf gives a cron.Schedule that tells the time in the zone it is asked in.
func scheduleOf(text string) (any, error) {
	s, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(text)
	if err != nil {
		return nil, err
	}
	if s.Next(aLeapYear).IsZero() {
		return nil, errors.New("there is no such day in any month")
	}
	return s, nil
}

// clockOf gives the time since midnight.
func clockOf(text string) (any, error) {
	t, err := time.Parse("15:04", text)
	return t.Sub(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)), err
}

// deadlineRule ties the deadline to the schedule, from which it is counted.
var deadlineRule = rule{
	schema: map[string]any{"dependencies": map[string]any{"deadline": []string{"schedule"}}},
	check: func(r *reading, path string, n *node) {
		deadline := n.get("deadline")
		if deadline == nil {
			return
		}
		if n.get("schedule") == nil {
			r.add(deadline.at, under(path, "deadline"), "found deadline without schedule, so that no snapshot is ever due", "deadline only with schedule")
			return
		}
		s, okS := valueOf[cron.Schedule](n, "schedule")
		at, okAt := valueOf[time.Duration](n, "deadline")
		if okS && okAt {
			warnOfNextDay(r, deadline, s, at)
		}
	},
}

// warnOfNextDay warns about a deadline that is not after the first time of a day.
func warnOfNextDay(r *reading, deadline *node, s cron.Schedule, at time.Duration) {
	first := s.Next(aLeapYear.Add(-time.Second))
	if clock := first.Sub(first.Truncate(24 * time.Hour)); at <= clock {
		r.warn(deadline.at, "deadline", fmt.Sprintf("%s is not after %s, when a snapshot is due, so it is that of the next day", deadline.raw, first.Format("15:04")))
	}
}

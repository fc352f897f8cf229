package jobs

import (
	"slices"
	"time"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
)

// DueState says how a date stands by the clock alone.
type DueState string

// The states of a date: its night is due, is late as well, or is still to come.
const (
	DueNow DueState = "due"
	Late   DueState = "late"
	NotYet DueState = "not yet"
)

// Due is a date for which the schedule has a night.
type Due struct {
	Date   date.Date `json:"date"`
	State  DueState  `json:"state"`
	At     time.Time `json:"at"`               // when it becomes due
	LateAt time.Time `json:"late_at,omitzero"` // when it becomes late; zero for never
}

// DueDates gives the dates that are due at now and not decided, oldest first: the
// newest date due and the cfg.CatchUp before it. The last one is the next that is
// not due yet. A date is decided when it was published, by the schedule or by hand,
// rolled back or withdrawn.
//
// What is due depends on the calendar and on what is decided, never on which alarm
// rang: a night missed by an outage is due until it is decided, and a time of day
// that a change of the clocks leaves out or repeats makes its date due once.
func DueDates(cfg *config.Config, now time.Time, decided []date.Date) []Due {
	return slices.DeleteFunc(nights(cfg, now), func(d Due) bool { return slices.Contains(decided, d.Date) })
}

// lookBack bounds the days in which earlier nights are looked for: as many years as
// a cron.Schedule looks ahead.
const lookBack = 5 * 366

// nights gives the newest date due at now and the cfg.CatchUp before it, oldest
// first, and the next one, whatever is decided. Without a schedule there is none.
func nights(cfg *config.Config, now time.Time) []Due {
	if cfg.Schedule == nil {
		return nil
	}
	var all []Due // newest first
	day := date.Of(now.In(cfg.Timezone)).AddDays(1)
	if next, found := nextNight(cfg, now); found {
		all = append(all, next)
		day = next.Date.AddDays(int(cfg.LagDays))
	}
	due := 0
	for range lookBack {
		day = day.AddDays(-1)
		tick, found := tickOf(cfg, day)
		if !found {
			continue
		}
		all = append(all, nightOf(cfg, now, tick))
		if due++; due > int(cfg.CatchUp) {
			break
		}
	}
	slices.Reverse(all)
	return all
}

// nextNight gives the next date that is not due yet; false where the schedule has
// none within years. Only the first time of a day makes its date due.
func nextNight(cfg *config.Config, now time.Time) (Due, bool) {
	day := date.Of(now.In(cfg.Timezone)).AddDays(-1)
	for {
		tick := cfg.Schedule.Next(midnight(day).Add(-time.Second))
		if tick.IsZero() {
			return Due{}, false
		}
		if n := nightOf(cfg, now, tick); n.State == NotYet {
			return n, true
		}
		day = date.Of(tick).AddDays(1)
	}
}

// nightOf gives the date of a tick, the first one of its day by the clock.
func nightOf(cfg *config.Config, now time.Time, tick time.Time) Due {
	d := Due{Date: date.Of(tick).AddDays(-int(cfg.LagDays)), State: DueNow, At: instant(tick, cfg.Timezone)}
	if cfg.Deadline != nil {
		late := midnight(date.Of(tick)).Add(*cfg.Deadline)
		if !late.After(tick) {
			late = late.AddDate(0, 0, 1)
		}
		d.LateAt = instant(late, cfg.Timezone)
	}
	switch {
	case d.At.After(now):
		d.State = NotYet
	case !d.LateAt.IsZero() && !d.LateAt.After(now):
		d.State = Late
	}
	return d
}

// IsLate says whether a night of the schedule is past its deadline at now.
func IsLate(cfg *config.Config, d date.Date, now time.Time) bool {
	return slices.ContainsFunc(nights(cfg, now), func(n Due) bool { return n.Date == d && n.State == Late })
}

// NewestDue gives the newest date whose night is due at now, decided or not; the zero
// date where there is none.
func NewestDue(cfg *config.Config, now time.Time) (newest date.Date) {
	for _, n := range nights(cfg, now) {
		if n.State != NotYet {
			newest = n.Date
		}
	}
	return newest
}

// hasNight says whether the schedule, if there is one, has a night for the date.
func hasNight(cfg *config.Config, d date.Date) bool {
	if cfg.Schedule == nil {
		return true
	}
	_, found := tickOf(cfg, d.AddDays(int(cfg.LagDays)))
	return found
}

// tickOf gives the first time of the schedule on a day, by the clock.
func tickOf(cfg *config.Config, day date.Date) (tick time.Time, found bool) {
	tick = cfg.Schedule.Next(midnight(day).Add(-time.Second))
	return tick, date.Of(tick) == day
}

// midnight is the first time of the day by the clock.
func midnight(d date.Date) time.Time { return d.AddDays(-1).End(time.UTC) }

// instant gives the first moment at which the clocks of zone show the time that
// clock shows in UTC, or a later one: the end of the gap where they skip it, the
// first of two where they repeat it.
func instant(clock time.Time, zone *time.Location) time.Time {
	t := time.Date(clock.Year(), clock.Month(), clock.Day(), clock.Hour(), clock.Minute(), 0, 0, zone)
	start, end := t.ZoneBounds()
	_, offset := t.Zone()
	switch shown := t.Unix() + int64(offset); {
	case shown < clock.Unix():
		return end
	case shown > clock.Unix():
		return start
	case start.IsZero():
		return t
	}
	_, before := start.Add(-time.Second).Zone()
	if earlier := t.Add(time.Duration(offset-before) * time.Second); earlier.Before(start) {
		return earlier
	}
	return t
}

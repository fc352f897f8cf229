package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// times gives the next n times of a schedule from the start of 2026, a Thursday.
func times(c *Config, n int) []string {
	var all []string
	for t := time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC); len(all) < n; {
		t = c.Schedule.Next(t)
		all = append(all, t.Format("01-02 15:04"))
	}
	return all
}

func TestSchedule(t *testing.T) {
	for text, want := range map[string]string{
		"30 4 * * *":          "01-01 04:30, 01-02 04:30, 01-03 04:30",
		"0,20 0 * * SAT,sun":  "01-03 00:00, 01-03 00:20, 01-04 00:00",
		"*/25 22-23 31 * ?":   "01-31 22:00, 01-31 22:25, 01-31 22:50",
		"59 23 1 feb-Apr/2 *": "02-01 23:59, 04-01 23:59, 02-01 23:59",
		"0 5 29 2 *":          "02-29 05:00, 02-29 05:00, 02-29 05:00",
		"0 5 13 * 5":          "01-02 05:00, 01-09 05:00, 01-13 05:00", // either, as in cron
	} {
		got, _ := load(t, complete("schedule: \""+text+"\"\n"))
		if found := times(got, 3); !slices.Equal(found, strings.Split(want, ", ")) {
			t.Errorf("%s: %q, want %s", text, found, want)
		}
	}
}

func TestNoScheduleByDefault(t *testing.T) {
	if got, _ := load(t, complete("")); got.Schedule != nil || got.Deadline != nil {
		t.Errorf("schedule %v, deadline %v", got.Schedule, got.Deadline)
	}
}

func TestDeadlineBeforeTheScheduleIsThatOfTheNextDay(t *testing.T) {
	for deadline, warned := range map[string]bool{"04:29": true, "04:30": true, "04:31": false, "00:00": true, "23:59": false} {
		got, _ := load(t, complete("schedule: 30,45 4-6 1 * *\ndeadline: "+deadline+"\n"))
		if (len(got.Warnings) == 1) != warned || warned && !strings.Contains(got.Warnings[0], "deadline: "+deadline+" is not after 04:30") {
			t.Errorf("%s: warnings %q, want one: %v", deadline, got.Warnings, warned)
		}
	}
}

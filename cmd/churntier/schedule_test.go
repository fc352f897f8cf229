package main

import "testing"

// The date due by the clock is newer than any snapshot of this century's first year.
const longAgo = "2001-01-31"

var daily = []string{"--set", "schedule=0 0 * * *"}

// A cron job that retries on exit code 3 gets it until tonight's snapshot is there;
// the older night that is due goes first and is told in the same answer.
func TestNotReadyWhenANewerDateIsDue(t *testing.T) {
	p := newPlace(t)
	p.ordinary(longAgo, 100)
	out, r := p.runJSON(daily...)
	r.expect(t, exitNotReady)
	if out.Status != "not-ready" || out.Error.Kind != "not-ready" || out.Run != "" || len(p.visible()) > 0 {
		t.Errorf("%+v, visible %v", out, p.visible())
	}
	p.night(daily...).expect(t, exitNotReady, "is due since", "the newest that is ready is of "+longAgo)
	r = p.night(append(daily, "--date", longAgo)...)
	r.expect(t, exitDone, "published")
}

// When a night is due decides no byte of it.
func TestSchedulesDoNotChangeTheFingerprint(t *testing.T) {
	p := newPlace(t)
	p.ordinary(longAgo, 100)
	first, _ := p.runJSON("--date", longAgo)
	again, r := p.runJSON("--date", longAgo, "--set", "schedule=15 3 * * 1-5", "--set", "lag_days=2", "--set", "deadline=06:00", "--set", "catch_up=3")
	r.expect(t, exitDone)
	if again.Status != "already-published" || again.Message != "" || again.Run != first.Run {
		t.Errorf("%+v", again)
	}
}

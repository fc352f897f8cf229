package main

import (
	"testing"
	"time"
)

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

// What is due is not guessed where the log cannot be read.
func TestWhatIsDueCannotBeToldFromDamage(t *testing.T) {
	yesterday := time.Now().UTC().AddDate(0, 0, -1)
	for name, c := range map[string]struct {
		spoil func(*place)
		code  int
		kind  string
	}{
		"another's place": {func(p *place) { p.write("out/_CHURNTIER.json", "{}") }, exitUsage, "owner"},
		"a damaged log": {func(p *place) {
			for days := range 3 { // one of them is due, whatever midnight passes meanwhile
				p.write("out/commits/"+yesterday.AddDate(0, 0, -days).Format(time.DateOnly)+"/00000000.json", "{}")
			}
		}, exitFailed, "damage"},
		"odd evidence": {func(p *place) { p.oddEvidence(longAgo) }, exitFailed, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.ordinary(longAgo, 100)
			c.spoil(p)
			out, r := p.runJSON(daily...)
			r.expect(t, c.code)
			if out.Error.Kind != c.kind {
				t.Errorf("%+v", out.Error)
			}
		})
	}
}

package jobs

import "time"

// Clock tells the time, and wakes who waits for one.
type Clock interface {
	Now() time.Time
	// Timer gives a channel on which the time comes once after d, and what gives
	// the timer up.
	Timer(d time.Duration) (rings <-chan time.Time, stop func() bool)
}

// WallClock is the clock of this machine.
type WallClock struct{}

// Now implements Clock.
func (WallClock) Now() time.Time { return time.Now() }

// Timer implements Clock.
func (WallClock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}

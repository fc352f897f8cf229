package jobs

import "time"

const (
	firstPause = time.Minute
	mostPause  = 15 * time.Minute
)

// pauses are those between tries of one thing, which grow.
type pauses struct {
	tries int       // that ended without success
	next  time.Time // no try before
}

// again puts the next try off.
func (p *pauses) again(now time.Time) {
	pause := mostPause
	if p.tries < 4 {
		pause = firstPause << p.tries
	}
	p.tries++
	p.next = now.Round(0).Add(pause) // by the clock on the wall
}

// earliest gives the earliest of some times that is not zero; zero where all are.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

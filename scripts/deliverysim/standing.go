package main

import (
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
)

// standing is what the oracle knows of a user in one audience of a tool.
type standing struct {
	in       bool
	day      int       // of the cadence
	last     date.Date // of the last delivery to the user as a member
	left     date.Date // when the user went out
	finished bool      // the cadence ended, and is not to be gone on with
	value    value     // what was sent of the user
	unsaid   bool      // no row told of the last delivery, of which a file was given up
}

// value is what a row holds of a user, but for what is not a reason to send it again.
type value struct {
	plan, points string
	day          int
	of           string // all audiences of the tool, where one row speaks for them
}

// after gives the standing after a delivery of d in which the user is selected, or is
// not.
func (s standing) after(c *delivery.Cadence, selected bool, d date.Date) standing {
	switch {
	case c == nil && selected:
		return standing{in: true, last: d}
	case c == nil:
		return standing{last: s.last}
	case s.in && selected:
		return s.goesOn(c, d)
	case s.in:
		return s.out(d, c.OnExit == delivery.Stop)
	}
	// Out, in this delivery or long since: it goes on with what it was, or begins again.
	if s.day > 0 && s.left != d && int(d.Days()-s.last.Days()) >= c.Cooldown {
		s = standing{}
	}
	if !selected || s.finished {
		return s
	}
	return s.goesOn(c, d)
}

// goesOn gives the standing after one more day, or after the last.
func (s standing) goesOn(c *delivery.Cadence, d date.Date) standing {
	switch {
	case s.last == d: // a date counts once
		s.in = true
		return s
	case s.day >= c.Days:
		return s.out(d, true)
	}
	s.in, s.day, s.last = true, s.day+1, d
	return s
}

func (s standing) out(d date.Date, finished bool) standing {
	if s.in {
		s.left = d
	}
	s.in, s.finished = false, finished && s.day > 0
	return s
}

package delivery

import "github.com/churntier/churntier/pipeline/date"

// Exit says what becomes of a member under way who is not selected on a night.
type Exit string

// The exits: the cadence of the member ends, or it waits and keeps its day.
const (
	Stop  Exit = "stop"
	Pause Exit = "pause"
)

// Cadence gives each member a number of consecutive deliveries and then a rest.
//
// A delivery counts as a day of the cadence; nights without one do not. With Days n,
// where cooled down means that the date is at least Cooldown days after the last
// delivered day:
//
//	standing                     selected   becomes
//	new, or out and cooled down  yes        in, day 1
//	in, day k < n                yes        in, day k+1
//	in, day n                    yes        out, rests
//	in, day k                    no         out; stop: rests, pause: keeps day k
//	paused at day k              yes        in, day k+1, or rests if k = n
//	resting                      yes        out
//	out, not cooled down         no         as it was
//	out, cooled down             no         forgotten
//
// A date counts once: a correction of the date that was delivered last moves nobody
// on to the next day, also not one who paused in between, and nobody begins again on
// the date on which they went out. With fewer days than before, who is past them ends.
type Cadence struct {
	Days     int // at least 1
	Cooldown int // days after the last delivered one
	OnExit   Exit
}

// Standing is what the tool knows of a user in one audience.
type Standing struct {
	In      bool      // the tool has the user as a member
	Day     int       // of the cadence, the last that was delivered; 0 for none
	Last    date.Date // when the user was delivered as a member last
	Left    date.Date // when the user went out, with a cadence
	Resting bool      // no day follows before the user has cooled down
	Payload uint64    // hash of what was sent of the user last

	// Identity is what the tool knows the user by, as a JSON object of the identifier
	// columns as they were written; "" where that is the id.
	Identity string
}

// next gives the standing after the delivery of d to a user who is selected for it,
// or is not. Without a cadence the selected are in.
func (c *Cadence) next(s Standing, selected bool, d date.Date) Standing {
	if c == nil {
		now := Standing{In: selected, Last: s.Last, Payload: s.Payload, Identity: s.Identity}
		if selected {
			now.Last = d
		}
		return now
	}
	if !s.In && s.Day > 0 && c.cooled(s, d) {
		s = Standing{}
	}
	switch {
	case s.In && !selected:
		s.In, s.Resting, s.Left = false, s.Day > 0 && c.OnExit != Pause, d
	case s.Resting || !selected:
		s.In = false
	case s.Last == d: // it was counted
		s.In = true
	case s.In && s.Day >= c.Days:
		s.In, s.Resting, s.Left = false, true, d
	case s.Day >= c.Days:
		s.Resting = true
	default:
		s.In, s.Day, s.Last = true, s.Day+1, d
	}
	return s
}

// cooled says whether the user may begin again.
func (c *Cadence) cooled(s Standing, d date.Date) bool {
	return s.Left != d && int(d.Days())-int(s.Last.Days()) >= c.Cooldown
}

// forgotten says whether nothing of the standing is needed after a delivery of d.
func (s Standing) forgotten(d date.Date) bool { return !s.In && s.Day == 0 && s.Last != d }

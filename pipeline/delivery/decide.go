package delivery

import (
	"fmt"
	"time"

	"github.com/churntier/churntier/pipeline/date"
)

// Rules say when something may be sent.
type Rules struct {
	Window *Window       // nil for any time
	MaxAge time.Duration // from the end of the date; older ones are never sent
	Zone   *time.Location
}

// Window is a part of the day, From to below To, in minutes since midnight. One
// that ends before it begins reaches over midnight.
type Window struct{ From, To int }

// Holds says whether the window is open.
func (w *Window) Holds(t time.Time) bool {
	minute := t.Hour()*60 + t.Minute()
	if w.From <= w.To {
		return w.From <= minute && minute < w.To
	}
	return minute >= w.From || minute < w.To
}

func (w *Window) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", w.From/60, w.From%60, w.To/60, w.To%60)
}

// Target is what is published of the newest date that has anything in its log.
type Target struct {
	Date date.Date
	Seq  int
	Run  string // "" when the date is withdrawn
}

// Step is what a deliverer has to do.
type Step int

// The steps.
const (
	Nothing Step = iota // there is nothing to send, now or at all
	Resume              // put the files of the pending delivery that nobody has claimed
	Give                // make a new delivery, after the pending one was given up
	Correct             // make a correction, after the pending one was given up
)

// Decision is the step and, for people, why.
type Decision struct {
	Step Step
	Why  string
}

// Decide says what is to be done about the newest publication, nil where there is
// none, after the deliveries so far, of which last is the newest, nil where there is
// none, and pending says that last has ended.
//
// Only the newest date is ever sent: after an outage there is one delivery. A date
// that was delivered is not delivered again; when it was replaced or withdrawn since,
// what changed is sent. A date in the future, which is a mistake, is not sent.
func (r Rules) Decide(now time.Time, target *Target, last *Intent, pending bool) Decision {
	switch {
	case target == nil:
		return Decision{Nothing, "nothing is published"}
	case target.Date.After(date.Of(now.In(r.Zone))):
		return Decision{Nothing, fmt.Sprintf("%s is in the future", target.Date)}
	case last != nil && !pending && last.delivered(*target):
		return Decision{Nothing, fmt.Sprintf("%s was delivered as number %d", target.Date, last.N)}
	case last != nil && target.Date.Before(last.Date):
		return Decision{Nothing, fmt.Sprintf("%s was delivered, which is later than %s", last.Date, target.Date)}
	case target.Run == "" && (last == nil || last.Date != target.Date):
		return Decision{Nothing, fmt.Sprintf("%s is withdrawn, and nothing of it was delivered", target.Date)}
	}
	if why := r.tooOld(now, target.Date); why != "" {
		return Decision{Nothing, why}
	}
	if r.Window != nil && !r.Window.Holds(now.In(r.Zone)) {
		return Decision{Nothing, fmt.Sprintf("it is %s, the window is %s", now.In(r.Zone).Format("15:04"), r.Window)}
	}
	switch {
	case last != nil && last.delivered(*target):
		return Decision{Resume, fmt.Sprintf("delivery %d of %s was interrupted", last.N, target.Date)}
	case last != nil && last.Date == target.Date:
		return Decision{Correct, fmt.Sprintf("%s was replaced since it was delivered as number %d", target.Date, last.N)}
	}
	return Decision{Give, fmt.Sprintf("%s is to be delivered", target.Date)}
}

// tooOld says why a date is not sent any more; "" while it may be.
func (r Rules) tooOld(now time.Time, d date.Date) string {
	age := now.Sub(d.End(r.Zone))
	if age <= r.MaxAge {
		return ""
	}
	return fmt.Sprintf("%s ended %s ago, at most %s is allowed (max_age)", d, age.Round(time.Minute), r.MaxAge)
}

// delivered says whether i is a delivery of t.
func (i *Intent) delivered(t Target) bool { return i.Date == t.Date && i.Run == t.Run }

package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/churntier/churntier/pipeline/date"
)

// ErrAgain says that there is nothing to send again.
var ErrAgain = errors.New("nothing to send again")

// Redeliver sends files of the newest delivery once more, because an operator says
// so: those that are uncertain or were given up, or all of them when there are none.
// The delivery must be of date d and of what is published now, and not be too old: an
// older date, or one that was replaced or withdrawn, is never sent again.
func (j *Job) Redeliver(ctx context.Context, d date.Date, reason string) (*Outcome, error) {
	log := Open(j.Ledger.Bucket(), j.Name)
	target, err := j.target(ctx)
	if err != nil {
		return nil, err
	}
	last, _, err := log.last(ctx)
	if err != nil {
		return nil, err
	}
	if why := j.Rules.notAgain(j.Now, target, last, d); why != "" {
		return nil, fmt.Errorf("delivery %s: %w: %s", j.Name, ErrAgain, why)
	}
	sender := j.sender(log)
	if err := sender.Abandon(ctx, last, "sent again: "+reason); err != nil {
		return nil, err
	}
	fates, err := log.fates(ctx, last)
	if err != nil {
		return nil, err
	}
	i, err := log.Intend(ctx, last.again(fates, reason))
	if err != nil {
		return nil, err
	}
	if i.Kind != Again || i.Reason != reason {
		return nil, fmt.Errorf("delivery %s: %w: another delivery was first", j.Name, ErrAgain)
	}
	out := &Outcome{Delivery: j.Name, Did: DidDeliver, Why: "sent again: " + reason, Intent: i}
	return out, j.send(ctx, sender, out)
}

// notAgain says why the newest delivery, nil where there is none, is not to be sent
// again as one of date d; "" when it may be.
func (r Rules) notAgain(now time.Time, target *Target, last *Intent, d date.Date) string {
	switch {
	case last == nil:
		return "it has delivered nothing"
	case last.Date != d:
		return fmt.Sprintf("the newest delivery is of %s, and an older date is never sent", last.Date)
	case len(last.Files) == 0:
		return fmt.Sprintf("the delivery of %s had no file", d)
	case target == nil || !last.delivered(*target):
		return fmt.Sprintf("what was delivered of %s is not what is published now; churntier deliver sends what is due", d)
	}
	return r.tooOld(now, d)
}

// again gives the intent that sends files of i once more. The state stays.
func (i *Intent) again(fates []Fate, reason string) *Intent {
	next := *i
	next.N, next.Previous, next.Kind, next.Reason = i.N+1, i.N, Again, reason
	next.Counts = Counts{Previous: i.Counts.Now, Stayed: i.Counts.Now, Now: i.Counts.Now}
	next.Files, next.Reasons = nil, map[Reason]int64{}
	for _, all := range []bool{false, true} {
		for k, f := range i.Files {
			if all || fates[k] != Delivered {
				f.K = len(next.Files)
				f.Name = f.named(&next, path.Ext(f.Name))
				next.Files = append(next.Files, f)
			}
		}
		if len(next.Files) > 0 {
			break
		}
	}
	return &next
}

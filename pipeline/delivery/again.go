package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/churntier/churntier/pipeline/date"
)

// ErrAgain says that there is nothing to send again.
var ErrAgain = errors.New("nothing to send again")

// Redeliver sends files of the newest delivery once more, because an operator says
// so: those that are uncertain or were given up, or all of them when there are none.
// The delivery must be of date d: an older one is never sent again.
func (j *Job) Redeliver(ctx context.Context, d date.Date, reason string) (*Outcome, error) {
	log := Open(j.Ledger.Bucket(), j.Name)
	last, _, err := log.last(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case last == nil:
		return nil, fmt.Errorf("delivery %s: %w: it has delivered nothing", j.Name, ErrAgain)
	case last.Date != d:
		return nil, fmt.Errorf("delivery %s: %w: the newest delivery is of %s, and an older date is never sent", j.Name, ErrAgain, last.Date)
	}
	sender := &Sender{Log: log, To: j.To, By: j.By}
	if err := sender.Abandon(ctx, last); err != nil {
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
	if err := sender.Send(ctx, i); err != nil {
		return out, fmt.Errorf("delivery %s: %w", j.Name, err)
	}
	out.Fates, err = log.fates(ctx, i)
	return out, err
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

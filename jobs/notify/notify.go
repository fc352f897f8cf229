// Package notify tells people about nights: a webhook, with one message an incident,
// and a heartbeat, by whose absence somebody notices a job that never starts. No
// message holds anything of one user, and no error holds a URL that it was sent to:
// whoever knows one can speak in the name of the prediction.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
)

// Notifier tells about the attempts of one process. It may be used concurrently.
type Notifier struct {
	Hint func(error) string // what a person does about an error; "" where nothing is known

	mu   sync.Mutex
	open map[string][]jobs.Notice // by prediction: what this process told
}

// Tell tells what there is to tell of an attempt that ended. An error says who was
// not told; nothing else depends on it.
//
// An incident is opened by the first attempt at a date that is refused, failed, not
// delivered, or late, and closed by the publication of that date or a later one. Within it,
// each of these is told once, as is the end. What was told is kept in the store, and by this
// process, which is all there is where the store cannot be asked. A message whose
// answer got lost may arrive twice.
func (n *Notifier) Tell(ctx context.Context, cfg *config.Config, a jobs.Attempt, around jobs.Around) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return errors.Join(heartbeat(ctx, cfg.Notify.Heartbeat, a), n.webhook(ctx, cfg, a, around))
}

func (n *Notifier) webhook(ctx context.Context, cfg *config.Config, a jobs.Attempt, around jobs.Around) error {
	event := eventOf[a.Status()]
	if cfg.Notify.Webhook == "" || event == "" {
		return nil
	}
	open, err := n.opened(ctx, cfg.Prediction, around.Notices)
	told := newIn(open, a)
	if event == config.OnRecovered {
		told = closedBy(open, a)
	}
	if len(told) == 0 {
		return unreadable(err)
	}
	if slices.Contains(cfg.Notify.On, event) {
		m := message{cfg: cfg, attempt: a, around: around, ended: told, hint: n.Hint}
		if failed := post(ctx, cfg.Notify.Webhook, m.text()); failed != nil {
			return fmt.Errorf("the webhook was not told that %s is %s: %w", a.Date, event, failed)
		}
	} else if event != config.OnRecovered {
		return unreadable(err) // what nobody hears of is no incident
	}
	return errors.Join(unreadable(err), n.keep(ctx, cfg.Prediction, told, event, around.Notices))
}

// eventOf gives what the status of an attempt is to the config; "" where it is
// nothing to tell, as of a snapshot that is awaited, or a run that was interrupted.
var eventOf = map[string]string{
	jobs.StatusRefused:                config.OnRefused,
	jobs.StatusFailed:                 config.OnFailed,
	jobs.StatusUndelivered:            config.OnFailed,
	jobs.StatusLate:                   config.OnLate,
	jobs.StatusDelivered:              config.OnRecovered,
	string(pipeline.Published):        config.OnRecovered,
	string(pipeline.AlreadyPublished): config.OnRecovered,
	string(pipeline.Withdrawn):        config.OnRecovered,
	string(pipeline.Previewed):        config.OnRecovered,
}

// newIn gives the notice of an attempt that did not end well, unless it is told.
func newIn(open []jobs.Notice, a jobs.Attempt) []jobs.Notice {
	n := jobs.Notice{Date: a.Date, Status: a.Status()}
	if slices.Contains(open, n) {
		return nil
	}
	return []jobs.Notice{n}
}

// closedBy gives the notices of the incidents that an attempt which ended well
// closes: one a date. A delivery ends what was not delivered, whatever its date, and no more.
func closedBy(open []jobs.Notice, a jobs.Attempt) []jobs.Notice {
	var closed []jobs.Notice
	for _, o := range open {
		delivered := a.Status() == jobs.StatusDelivered
		closes := !o.Date.After(a.Date)
		if delivered {
			closes = o.Status == jobs.StatusUndelivered
		}
		if closes && !slices.ContainsFunc(closed, func(c jobs.Notice) bool { return c.Date == o.Date }) {
			closed = append(closed, o)
		}
	}
	return closed
}

// opened gives what was told of the incidents that are not closed, by any process as
// far as the store says, and by this one.
func (n *Notifier) opened(ctx context.Context, prediction string, kept *jobs.Notices) ([]jobs.Notice, error) {
	own := n.open[prediction]
	if kept == nil {
		return own, nil
	}
	open, err := kept.Open(ctx)
	for _, o := range own {
		if !slices.Contains(open, o) {
			open = append(open, o)
		}
	}
	return open, err
}

// keep remembers what was told.
func (n *Notifier) keep(ctx context.Context, prediction string, told []jobs.Notice, event string, kept *jobs.Notices) error {
	if n.open == nil {
		n.open = map[string][]jobs.Notice{}
	}
	var errs []error
	for _, t := range told {
		if event == config.OnRecovered {
			n.open[prediction] = without(n.open[prediction], t.Date)
			t.Status = jobs.Recovered
		} else {
			n.open[prediction] = append(n.open[prediction], t)
		}
		if kept != nil {
			errs = append(errs, kept.Keep(ctx, t))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("what the webhook was told may be told again: %w", err)
	}
	return nil
}

func without(all []jobs.Notice, d date.Date) []jobs.Notice {
	return slices.DeleteFunc(all, func(o jobs.Notice) bool { return o.Date == d })
}

func unreadable(err error) error {
	if err != nil {
		err = fmt.Errorf("what the webhook was told before is not known: %w", err)
	}
	return err
}

// heartbeat asks for the URL after a night that ended well, and for that URL with
// /fail at the end of its path after one that did not
// (https://healthchecks.io/docs/signaling_failures/). An attempt that is only to be repeated
// later, was interrupted, or was at deliveries alone and found them well, gives no sign.
func heartbeat(ctx context.Context, address string, a jobs.Attempt) error {
	event := eventOf[a.Status()]
	if address == "" || event == "" || a.Status() == jobs.StatusDelivered {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the heartbeat has no URL")
	}
	if event != config.OnRecovered {
		u = u.JoinPath("fail")
	}
	if err := get(ctx, u.String()); err != nil {
		return fmt.Errorf("the heartbeat got no sign: %w", err)
	}
	return nil
}

package jobs

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// keeper serves one prediction. What it remembers only saves work and words: all that
// is decided is in the store.
type keeper struct {
	ServeOptions
	cfg   *config.Config
	anew  chan *config.Config // the one to go on with
	slots *semaphore.Weighted
	begun bool  // the attempt took its place among what runs side by side
	cut   error // of what was under way when the end came

	changed bool // the config, and no date was looked at since
	trials  map[date.Date]*trial
	looks   pauses // at what is published, while that fails
	shown   bool   // latest/ shows what this keeper knows of
	sends   pauses // of deliveries; without tries, when to look again
	newest  date.Date
}

func newKeeper(cfg *config.Config, o ServeOptions, slots *semaphore.Weighted) *keeper {
	k := &keeper{ServeOptions: o, cfg: cfg, anew: make(chan *config.Config, 1), slots: slots}
	k.forget()
	return k
}

// forget makes everything look as if it was never tried.
func (k *keeper) forget() {
	k.trials, k.looks, k.shown, k.sends = map[date.Date]*trial{}, pauses{}, false, pauses{}
}

// keep does what is due whenever it is, until ctx ends.
func (k *keeper) keep(ctx context.Context) error {
	for {
		until := k.pass(ctx)
		if ctx.Err() != nil {
			return k.cut
		}
		if until.IsZero() {
			until = k.Clock.Now().Add(idle)
		}
		k.wait(ctx, until)
	}
}

// idle is the wait of a prediction that has nothing to wait for.
const idle = 24 * time.Hour

// lookAgain bounds one wait, so that a clock that is set, or a machine that slept, is
// noticed.
const lookAgain = 5 * time.Minute

// wait returns at that time, when the config is replaced, or when ctx ends.
func (k *keeper) wait(ctx context.Context, until time.Time) {
	for left := until.Sub(k.Clock.Now()); left > 0; left = until.Sub(k.Clock.Now()) {
		rings, stop := k.Clock.Timer(min(left, lookAgain))
		select {
		case <-rings:
			continue
		case cfg := <-k.anew:
			k.take(cfg)
		case <-ctx.Done():
		}
		stop()
		return
	}
}

// pass does what can be done now and says when there may be more to do; zero where
// there is nothing to wait for.
func (k *keeper) pass(ctx context.Context) time.Time {
	now := k.Clock.Now()
	all := nights(k.cfg, now)
	if k.cfg.Mode == config.ModeArchived || len(all) == 0 {
		return time.Time{}
	}
	var next time.Time // when another date becomes due
	if last := all[len(all)-1]; last.State == NotYet {
		next, all = last.At, all[:len(all)-1]
	}
	if len(all) == 0 {
		return next
	}
	newest := all[len(all)-1]
	k.newest = newest.Date
	ledger, due, err := k.look(ctx, now)
	if err != nil {
		k.looks.again(k.Clock.Now())
		k.begun = false
		k.told(ctx, Attempt{Prediction: k.cfg.Prediction, Date: newest.Date, Started: now, Err: err, Late: newest.late(now)})
		return earliest(next, k.looks.next)
	}
	k.looks = pauses{}
	left := k.tendAll(ctx, ledger, due)
	undecided := len(left) > 0 && left[len(left)-1].Date == newest.Date
	send := k.deliver(ctx, undecided)
	if !k.shown {
		k.looks.again(k.Clock.Now())
	}
	return earliest(next, k.nextTry(left), send, k.looks.next)
}

// look gives what is published, and the dates that are due and not decided, oldest
// first. It makes latest/ show what an interrupted run published.
func (k *keeper) look(ctx context.Context, now time.Time) (*publish.Ledger, []Due, error) {
	ledger, err := openLedger(ctx, k.cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	if !k.shown {
		if _, err := project(ctx, ledger); err != nil {
			return nil, nil, err
		}
		k.shown = true
	}
	if k.cfg.Mode == config.ModePreview {
		due, err := notPreviewed(ctx, k.cfg, ledger, now)
		return ledger, due, err
	}
	due, err := undecided(ctx, k.cfg, ledger, now)
	return ledger, due, err
}

// tendAll tries the dates that are due and may be tried, and gives those that are
// still undecided.
func (k *keeper) tendAll(ctx context.Context, ledger *publish.Ledger, due []Due) []Due {
	before := k.trials
	k.trials = map[date.Date]*trial{}
	for _, d := range due {
		if k.trials[d.Date] = before[d.Date]; k.trials[d.Date] == nil {
			k.trials[d.Date] = &trial{anew: k.changed}
		}
	}
	k.changed = false
	var left []Due
	for i, d := range due {
		if ctx.Err() != nil {
			return append(left, due[i:]...)
		}
		t := k.trials[d.Date]
		if k.tend(ctx, ledger, d, t); t.decided {
			continue
		}
		left = append(left, d)
		if t.holds() {
			return append(left, due[i+1:]...)
		}
	}
	return left
}

// nextTry says when one of the dates that wait for no other may be tried again, or
// becomes late.
func (k *keeper) nextTry(left []Due) time.Time {
	var next time.Time
	now := k.Clock.Now()
	for _, d := range left {
		if t := k.trials[d.Date]; t.tries > 0 {
			next = earliest(next, t.next)
		}
		if d.LateAt.After(now) {
			next = earliest(next, d.LateAt)
		}
		if k.trials[d.Date].holds() {
			break
		}
	}
	return next
}

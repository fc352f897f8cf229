package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
)

// deliver sends what is due, if it is time to, and says when to look again; never
// where nothing is delivered. While the newest date due is undecided nothing is.
func (k *keeper) deliver(ctx context.Context, undecided bool) time.Time {
	if k.cfg.Mode != config.ModeLive || len(k.cfg.Deliveries) == 0 || undecided || ctx.Err() != nil {
		return time.Time{}
	}
	now := k.Clock.Now()
	k.begun = false
	if now.Before(k.sends.next) && !k.published(k.newest) {
		return k.sends.next
	}
	a := Attempt{Prediction: k.cfg.Prediction, Date: k.newest, Started: now}
	a.Deliveries, a.Err = k.send(ctx, now)
	ended := k.Clock.Now()
	a.Seconds = ended.Sub(now).Seconds()
	if a.Err != nil {
		k.sends.again(ended)
	} else {
		k.sends = pauses{next: earliest(ended.Round(0).Add(mostPause), k.opening(ended))}
	}
	did := func(o *delivery.Outcome) bool { return o.Did != delivery.DidNothing }
	if a.Err != nil || slices.ContainsFunc(a.Deliveries, did) {
		k.told(ctx, a)
	}
	return k.sends.next
}

// published says whether the date was published in this pass.
func (k *keeper) published(d date.Date) bool {
	t := k.trials[d]
	return t != nil && t.decided
}

func (k *keeper) send(ctx context.Context, now time.Time) ([]*delivery.Outcome, error) {
	ctx, end, err := k.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return Deliver(ctx, k.cfg, DeliverOptions{Now: now, NewRun: k.NewRun, Temp: k.Temp, Memory: k.Memory, Workers: k.Workers, Engine: k.Engine})
}

// opening gives the next time that a window opens; zero where none does.
func (k *keeper) opening(now time.Time) time.Time {
	var next time.Time
	today := date.Of(now.In(k.cfg.Timezone))
	for _, d := range k.cfg.Deliveries {
		if d.Window == nil {
			continue
		}
		for days := range 2 {
			opens := instant(midnight(today.AddDays(days)).Add(time.Duration(d.Window.From)*time.Minute), k.cfg.Timezone)
			if opens.After(now) {
				next = earliest(next, opens)
			}
		}
	}
	return next
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore/dial"
)

// ServeOptions are what a command line adds to the configs that are served.
type ServeOptions struct {
	Clock   Clock
	AtOnce  int             // most runs and deliveries side by side, at least 1
	Engine  pipeline.Engine // of each of them
	Memory  int64           // bytes, for each delivery
	Workers int             // pieces of work done at once, of each delivery
	Timeout time.Duration   // of a run or of deliveries; 0 for none
	Temp    string          // an existing folder
	NewRun  func() string
	Version string

	// Told hears of every attempt as soon as it ended, those that only repeat the
	// one before included; nil for nobody. It is called from one goroutine for each
	// prediction, and must be quick.
	Told func(*config.Config, Attempt)
	// Watch gives the progress of a run; nil where nobody watches.
	Watch func(*config.Config, date.Date) pipeline.Progress
	// Reloads brings the configs anew, as many and in the order as they are served,
	// as Reload gives them; nil where they stay as they are. A run under way ends
	// with the config that it began with.
	Reloads <-chan []*config.Config
}

// Serve publishes the nights of predictions by their schedules, and delivers them,
// until ctx ends. The error is then nil, or that of what was under way: it is as if
// it had not begun, and the next Serve heals it.
//
// What is due is computed from the calendar and from what is published (DueDates), so
// that Serve keeps nothing: it may be killed at any time, and several may run beside
// each other or beside other commands. Of one prediction there is one run at a time.
//
//   - Dates that are due are run oldest first. One whose snapshot is not ready, or whose
//     run failed, is tried again after a minute, two, four, eight, and then every
//     fifteen; also at its deadline, from when on it is late.
//   - A night that failed holds back the dates after it for five tries, so that they are
//     published in order. A snapshot that is not ready holds back none: its deadline
//     has passed by the time the next date is due.
//   - A date that was refused holds back none either. It is run again once its inputs,
//     its model or the config have changed.
//   - Deliveries are tried after a publication, when a window opens and every fifteen
//     minutes, as long as the newest date due is decided: after an outage there is one.
func Serve(ctx context.Context, cfgs []*config.Config, o ServeOptions) error {
	if err := CheckServed(cfgs); err != nil {
		return err
	}
	ctx = dial.Sharing(ctx)
	slots := semaphore.NewWeighted(int64(o.AtOnce))
	keepers := make([]*keeper, len(cfgs))
	var all errgroup.Group
	for i, cfg := range cfgs {
		keepers[i] = newKeeper(cfg, o, slots)
		all.Go(func() error { return keepers[i].keep(ctx) })
	}
	for {
		select {
		case <-ctx.Done():
			return all.Wait()
		case anew := <-o.Reloads:
			for i, cfg := range anew {
				keepers[i].replace(cfg)
			}
		}
	}
}

// CheckServed says why configs cannot be served together: one has no schedule, or two
// publish to one place. It is an ErrUsage.
func CheckServed(cfgs []*config.Config) error {
	at := map[string]string{}
	for _, cfg := range cfgs {
		if cfg.Schedule == nil {
			return fmt.Errorf(`%w: %s has no schedule, by which its nights would be due; add one, such as schedule: "30 4 * * *", or run its nights from elsewhere with churntier run`, ErrUsage, cfg.Path)
		}
		if other, taken := at[cfg.Publish.URL]; taken {
			return fmt.Errorf("%w: %s and %s both publish to %s; every prediction has a place of its own, and is served once", ErrUsage, other, cfg.Path, cfg.Publish.URL)
		}
		at[cfg.Publish.URL] = cfg.Path
	}
	return nil
}

// Reload gives the configs to serve after their files may have changed. One that load
// refuses, or that cannot be served beside the others, stays as it was, and refused
// hears why.
func Reload(before []*config.Config, load func(path string) (*config.Config, error), refused func(path string, err error)) []*config.Config {
	after := append([]*config.Config(nil), before...)
	for i, old := range before {
		cfg, err := load(old.Path)
		if err == nil {
			after[i] = cfg
			err = CheckServed(after)
		}
		if err != nil {
			after[i] = old
			refused(old.Path, err)
		}
	}
	return after
}

// replace makes the keeper go on with another config, where it is another.
func (k *keeper) replace(cfg *config.Config) {
	select {
	case <-k.anew: // one that was not taken yet
	default:
	}
	k.anew <- cfg
}

// take goes on with a config. When it says something else, everything may end
// otherwise than before, and is tried at once.
func (k *keeper) take(cfg *config.Config) {
	if !reflect.DeepEqual(k.cfg, cfg) {
		k.cfg = cfg
		k.forget()
		k.changed = true
	}
}

// told tells of an attempt, and remembers what was cut short. What ended before
// anything of a run or a delivery had begun is not told.
func (k *keeper) told(ctx context.Context, a Attempt) {
	if ctx.Err() != nil && errors.Is(a.Err, context.Canceled) {
		if !k.begun {
			return
		}
		k.cut = fmt.Errorf("%s %s: %w", a.Prediction, a.Date, a.Err)
	}
	if k.Told != nil {
		k.Told(k.cfg, a)
	}
}

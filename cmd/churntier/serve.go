package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/localrun"
)

type serveCommand struct {
	Config []string `short:"c" required:"" sep:"none" placeholder:"FILE" help:"The config of a prediction, with a schedule; repeatable. SIGHUP reads all of them again."`
	Set    []string `placeholder:"KEY.PATH=VALUE" sep:"none" help:"Override a key of every config; repeatable."`
	logFlags
	workFlags
	Listen   string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to answer over HTTP: /healthz, /readyz, /metrics, and a page at /. Empty for nowhere. There is no password: let only those reach it who may know how many users there are."`
	Parallel *int          `placeholder:"N" help:"Predictions worked on side by side; they share --workers and --memory. Default: all, as far as there are processors and 64MiB for each."`
	Timeout  time.Duration `default:"6h" placeholder:"DURATION" help:"Give a night, or its deliveries, up after this time, and try again later."`
}

// Run serves until a signal.
func (c *serveCommand) Run(t *terminal) error {
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
	cfgs := make([]*config.Config, len(c.Config))
	for i, path := range c.Config {
		var err error
		if cfgs[i], err = c.load(path); err != nil {
			return err
		}
	}
	parallel, engine, err := c.sideBySide()
	if err != nil {
		return err
	}
	temp, err := c.sharedTemp()
	if err != nil {
		return err
	}
	if err := jobs.CheckServed(cfgs); err != nil {
		return err
	}
	diary := &diary{log: c.logger(t), said: map[string]string{}}
	desk, err := openDesk(t, diary.log, c.Listen, cfgs)
	if err != nil {
		return err
	}
	defer desk.close()
	for _, cfg := range cfgs {
		diary.begins(cfg)
	}
	err = jobs.Serve(t.ctx, cfgs, jobs.ServeOptions{
		Clock: jobs.WallClock{}, AtOnce: parallel, Engine: engine, Memory: engine.Memory, Workers: engine.Workers, Timeout: c.Timeout,
		Temp: temp, NewRun: newRun, Version: version(), Watch: desk.watch, Reloads: c.reloads(t.ctx, hangUps, cfgs, diary, desk),
		Told: func(cfg *config.Config, a jobs.Attempt) {
			diary.tell(cfg, a)
			desk.tell(cfg, a)
		},
	})
	diary.log.Info("stopped", "cause", context.Cause(t.ctx))
	return err
}

func (c *serveCommand) load(path string) (*config.Config, error) {
	return configFlags{Config: path, Set: c.Set}.load()
}

// sideBySide gives how many runs there are at once, and the engine of each.
func (c *serveCommand) sideBySide() (int, localrun.Engine, error) {
	if c.Parallel != nil {
		e, err := c.share(*c.Parallel)
		return *c.Parallel, e, err
	}
	whole, err := c.engine()
	if err != nil {
		return 0, whole, err
	}
	n := max(1, min(len(c.Config), runtime.GOMAXPROCS(0), int(whole.Memory/plentyOfMemory)))
	e, err := c.share(n)
	return n, e, err
}

// plentyOfMemory is what a run gets at least where --parallel does not say otherwise.
const plentyOfMemory = 64 << 20

// reloads gives the configs anew after every hang-up.
func (c *serveCommand) reloads(ctx context.Context, hangUps <-chan os.Signal, cfgs []*config.Config, d *diary, desk *desk) <-chan []*config.Config {
	out := make(chan []*config.Config)
	go func() {
		for {
			select {
			case <-hangUps:
			case <-ctx.Done():
				return
			}
			cfgs = jobs.Reload(cfgs, c.load, func(path string, err error) {
				d.log.Error("config refused, the one before stays", "config", path, "error", err)
			})
			d.log.Info("configs read again", "configs", len(cfgs))
			desk.serves(cfgs)
			select {
			case out <- cfgs:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// diary logs what a server does, one line an event. What only repeats what was said
// last of the same night is not said again.
type diary struct {
	log  *slog.Logger
	mu   sync.Mutex
	said map[string]string // by prediction and date, what was said last
}

func (d *diary) begins(cfg *config.Config) {
	for _, w := range cfg.Warnings {
		d.log.Warn(w, "config", cfg.Path)
	}
	next := "never"
	if all := jobs.DueDates(cfg, time.Now(), nil); len(all) > 0 {
		last := all[len(all)-1]
		next = fmt.Sprintf("%s at %s", last.Date, last.At.In(cfg.Timezone).Format(time.RFC3339))
	}
	d.log.Info("serving", "prediction", cfg.Prediction, "mode", cfg.Mode, "next", next)
}

func (d *diary) tell(_ *config.Config, a jobs.Attempt) {
	if !d.isNew(a) {
		return
	}
	fields := []any{"prediction", a.Prediction, "date", a.Date.String()}
	if seconds := math.Round(a.Seconds*1000) / 1000; seconds > 0 {
		fields = append(fields, "seconds", seconds)
	}
	if o := a.Outcome; o != nil {
		fields = append(fields, "run", o.Run)
		if o.Manifest != nil {
			fields = append(fields, "scored", o.Manifest.Rows.Scored)
		}
		for _, w := range o.Warnings {
			d.log.Warn(w, "prediction", a.Prediction, "date", a.Date.String())
		}
	}
	for _, o := range a.Deliveries {
		fields = append(fields, slog.Group(o.Delivery, "did", o.Did, "why", o.Why))
	}
	level := levelOf(a)
	if a.Err != nil {
		fields = append(fields, "error", a.Err.Error())
	}
	if hint := classify(a.Err).hint; level == slog.LevelError && hint != "" {
		fields = append(fields, "hint", hint)
	}
	d.log.Log(context.Background(), level, a.Status(), fields...)
}

// levelOf says how loud an attempt is: an error for what a person has to look at.
func levelOf(a jobs.Attempt) slog.Level {
	switch a.Status() {
	case jobs.StatusNotReady, jobs.StatusInterrupted, jobs.StatusSuperseded:
		return slog.LevelInfo
	case jobs.StatusLate:
		return slog.LevelWarn
	}
	if a.Err != nil {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// isNew says whether an attempt ended otherwise than the one before of its night.
func (d *diary) isNew(a jobs.Attempt) bool {
	night := fmt.Sprint(a.Prediction, " ", a.Date, " ", a.Deliveries != nil)
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Err == nil {
		delete(d.said, night)
		return true
	}
	now := a.Status() + " " + classify(a.Err).kind
	repeated := d.said[night] == now
	d.said[night] = now
	return !repeated
}

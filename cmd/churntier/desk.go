package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/jobs/metrics"
	"github.com/churntier/churntier/jobs/web"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
)

// desk is where a server tells of what it does: over HTTP to who asks, and to whom the
// configs name. Runs never wait for it.
type desk struct {
	telling *telling
	cfgs    atomic.Pointer[[]*config.Config]
	serving atomic.Bool

	mu     sync.Mutex
	stages map[string]*metrics.Stages // of the runs under way, by prediction

	attempts chan func() // to be told, in turn
	done     chan struct{}
	stop     context.CancelFunc // of what is not told yet
	web      chan error         // nil where nobody is answered
	leave    context.CancelFunc // ends that
}

const (
	waiting   = 1000             // attempts that wait to be told, at most
	lastWords = 20 * time.Second // for them, when the server stops
)

// openDesk begins to answer at an address, "" for none.
func openDesk(t *terminal, log *slog.Logger, address string, cfgs []*config.Config) (*desk, error) {
	d := &desk{telling: newTelling(t, log, metricsFlags{}), stages: map[string]*metrics.Stages{}, attempts: make(chan func(), waiting), done: make(chan struct{})}
	d.telling.serving = true
	d.telling.metrics.Serving(version())
	d.telling.ctx, d.stop = context.WithCancel(context.WithoutCancel(t.ctx))
	open, leave := context.WithCancel(t.ctx)
	d.leave = leave
	if address != "" {
		l, err := listen(address)
		if err != nil {
			d.stop()
			d.leave()
			return nil, err
		}
		log.Info("listening", "address", l.Addr().String())
		d.web = make(chan error, 1)
		handler := web.Handler(web.Options{Predictions: func() []*config.Config { return *d.cfgs.Load() }, Ready: d.ready, Metrics: d.telling.metrics.Handler(), Now: time.Now})
		d.serves(cfgs)
		go func() { d.web <- web.Serve(open, l, handler) }()
	}
	go func() {
		defer close(d.done)
		for tell := range d.attempts {
			tell()
		}
	}()
	d.serves(cfgs)
	for _, cfg := range cfgs {
		d.attempts <- func() { d.telling.begin(cfg) }
	}
	d.serving.Store(true)
	return d, nil
}

func listen(address string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("%w: --listen: %w", jobs.ErrUsage, err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return l, nil
}

func (d *desk) ready() error {
	if !d.serving.Load() {
		return errors.New("it starts, or stops")
	}
	return nil
}

// serves says which configs are served from now on.
func (d *desk) serves(cfgs []*config.Config) { d.cfgs.Store(&cfgs) }

// watch takes the time of a run; of a prediction there is one at a time.
func (d *desk) watch(cfg *config.Config, _ date.Date) pipeline.Progress {
	s := d.telling.metrics.Watch(cfg.Prediction, unseen{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stages[cfg.Prediction] = s
	return s
}

// tell leaves an attempt to be told.
func (d *desk) tell(cfg *config.Config, a jobs.Attempt) {
	d.mu.Lock()
	if s := d.stages[a.Prediction]; s != nil {
		_ = s.Close()
		delete(d.stages, a.Prediction)
	}
	d.mu.Unlock()
	select {
	case d.attempts <- func() { d.telling.observe(cfg, a) }:
	default:
		d.telling.log.Error("too many attempts wait to be told", "prediction", a.Prediction, "date", a.Date.String())
	}
}

// close tells what is left, for a while, and stops answering. Nothing may be told
// after it.
func (d *desk) close() {
	d.serving.Store(false)
	close(d.attempts)
	select {
	case <-d.done:
	case <-time.After(lastWords):
	}
	d.stop()
	d.leave()
	<-d.done
	if d.web == nil {
		return
	}
	if err := <-d.web; err != nil {
		d.telling.log.Error("answering over HTTP ended", "error", err)
	}
}

// unseen is a progress that nobody looks at.
type unseen struct{}

func (unseen) Stage(string, int64, int64) {}
func (unseen) Add(int64)                  {}
func (unseen) Close() error               { return nil }

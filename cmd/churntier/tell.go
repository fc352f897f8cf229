package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/jobs/metrics"
	"github.com/churntier/churntier/jobs/notify"
	"github.com/churntier/churntier/pipeline/date"
)

// metricsFlags say where the metrics of a one-shot command go.
type metricsFlags struct {
	MetricsFile string `placeholder:"PATH" help:"Write metrics there when done, for the textfile collector of Prometheus's node exporter."`
}

// telling tells of the attempts of a process: in metrics, and to whom the config
// names. What cannot be told is a warning in the log, and never changes how an attempt
// ends.
type telling struct {
	ctx     context.Context
	person  bool // is there
	log     *slog.Logger
	metrics *metrics.Metrics
	notices *notify.Notifier // nil = nobody is told
	file    string           // for the metrics; "" = none
	serving bool             // somebody may read the metrics
}

func newTelling(t *terminal, log *slog.Logger, f metricsFlags) *telling {
	hint := func(err error) string { return classify(err).hint }
	return &telling{ctx: t.ctx, person: t.person != nil, log: log, metrics: metrics.New(), notices: &notify.Notifier{Hint: hint}, file: f.MetricsFile}
}

// lookingAround bounds the time for asking the store about an attempt.
const lookingAround = time.Minute

// begin shows what there is of a prediction before anything was tried.
func (t *telling) begin(cfg *config.Config) {
	now := time.Now()
	around := t.lookAround(cfg, jobs.Attempt{Prediction: cfg.Prediction, Date: date.Of(now.In(cfg.Timezone)), Started: now})
	if around.Before != nil {
		t.metrics.Night(cfg, around.Before.Manifest, around.Before.Run)
	}
	t.metrics.Delivered(cfg, around.Deliveries)
}

// observe tells of an attempt that ended.
func (t *telling) observe(cfg *config.Config, a jobs.Attempt) {
	t.count(cfg, a)
	if t.file == "" {
		return
	}
	if err := t.metrics.WriteFile(t.file); err != nil {
		t.log.Warn("the metrics were not written", "error", err)
	}
}

func (t *telling) count(cfg *config.Config, a jobs.Attempt) {
	tells := t.notices != nil && (cfg.Notify.Webhook != "" || cfg.Notify.Heartbeat != "") && !t.mistaken(a)
	if !tells && t.file == "" && !t.serving {
		return
	}
	if a.Date.IsZero() { // it ended before it had one
		a.Date = date.Of(a.Started.In(cfg.Timezone)).AddDays(-int(cfg.LagDays))
	}
	around := t.lookAround(cfg, a)
	t.metrics.Observe(cfg, a, around)
	if !tells {
		return
	}
	if err := t.notices.Tell(t.ctx, cfg, a, around); err != nil {
		t.log.Warn("not everybody was told", "prediction", a.Prediction, "error", err)
	}
}

func (t *telling) lookAround(cfg *config.Config, a jobs.Attempt) jobs.Around {
	if a.Status() == jobs.StatusInterrupted {
		return jobs.Around{}
	}
	ctx, cancel := context.WithTimeout(t.ctx, lookingAround)
	defer cancel()
	around, err := jobs.LookAround(ctx, cfg, a)
	if err != nil {
		t.log.Warn("what is told is not complete", "prediction", a.Prediction, "error", err)
	}
	return around
}

// mistaken says whether a person at the terminal mistyped the command, who sees that
// and need not be told by others.
func (t *telling) mistaken(a jobs.Attempt) bool {
	return t.person && errors.Is(a.Err, jobs.ErrUsage)
}

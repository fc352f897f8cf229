package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/jobs/metrics"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/publish"
)

type runCommand struct {
	configFlags
	outputFlags
	workFlags
	metricsFlags
	Date      string        `default:"latest" placeholder:"YYYY-MM-DD|latest" help:"The night to publish; latest is the newest ready snapshot."`
	DryRun    bool          `help:"Compute and judge everything, write nothing."`
	Force     bool          `help:"Publish a date again that is published already."`
	Accept    []string      `placeholder:"GATE" help:"Let a refusing gate pass; repeatable. Needs --reason."`
	Reason    string        `placeholder:"TEXT" help:"Why; kept in the manifest."`
	NoDeliver bool          `help:"Publish, and send nothing to the campaign tools."`
	Timeout   time.Duration `default:"6h" placeholder:"DURATION" help:"Give up after this time; nothing of an unfinished run is published."`
}

// Run publishes one night.
func (c *runCommand) Run(t *terminal) error {
	start := time.Now()
	telling := newTelling(t, c.logger(t), c.metricsFlags)
	cfg, day, out, err := c.publish(t, telling.metrics)
	var delivered []*delivery.Outcome
	if err == nil && c.delivers(cfg, out) {
		delivered, err = deliver(t, cfg, c.workFlags)
	}
	seconds := time.Since(start).Seconds()
	if cfg != nil {
		c.tell(telling, cfg, jobs.Attempt{Prediction: cfg.Prediction, Date: day, Started: start, Seconds: seconds, Outcome: out, Deliveries: delivered, Err: err})
	}
	if out != nil {
		out.Warnings = append(slices.Clone(cfg.Warnings), out.Warnings...)
	}
	if c.JSON {
		return t.answer(runResult(cfg, day, out, delivered, seconds, err), err)
	}
	if out != nil {
		printSummary(t, cfg, day, out, seconds)
	}
	printDeliveries(t, delivered)
	return err
}

// tell tells of the night. An older one that was published while a newer one is
// awaited is one attempt, and that newer one another.
func (c *runCommand) tell(telling *telling, cfg *config.Config, a jobs.Attempt) {
	if c.DryRun {
		telling.notices = nil
	}
	if a.Outcome != nil && a.Status() == jobs.StatusNotReady {
		older := a
		older.Err = nil
		telling.observe(cfg, older)
		a.Outcome, a.Date = nil, jobs.NewestDue(cfg, time.Now())
	}
	a.Late = jobs.IsLate(cfg, a.Date, time.Now())
	telling.observe(cfg, a)
}

// delivers says whether something may be due after the run. It may be so for a date
// that was published before: that delivery can have been interrupted.
func (c *runCommand) delivers(cfg *config.Config, out *pipeline.Outcome) bool {
	published := out.Status == pipeline.Published || out.Status == pipeline.AlreadyPublished
	return published && !c.DryRun && !c.NoDeliver && len(cfg.Deliveries) > 0
}

func (c *runCommand) publish(t *terminal, m *metrics.Metrics) (*config.Config, date.Date, *pipeline.Outcome, error) {
	accept, err := c.accepted()
	if err != nil {
		return nil, date.Date{}, nil, err
	}
	cfg, err := c.load()
	if err != nil {
		return nil, date.Date{}, nil, err
	}
	engine, err := c.engine()
	if err != nil {
		return cfg, date.Date{}, nil, err
	}
	temp, err := c.sharedTemp()
	if err != nil {
		return cfg, date.Date{}, nil, err
	}
	progress := m.Watch(cfg.Prediction, newProgress(t, c.outputFlags))
	defer progress.Close()
	ctx, cancel := context.WithTimeout(t.ctx, c.Timeout)
	defer cancel()
	day, out, err := jobs.Nightly(ctx, cfg, jobs.Options{
		Date: c.Date, DryRun: c.DryRun, Force: c.Force, Accept: accept, Temp: temp,
		NewRun: newRun, Started: time.Now(), Version: version(), Progress: progress,
	}, engine)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("gave up after %s (--timeout): %w", c.Timeout, err)
	}
	return cfg, day, out, t.interruption(err)
}

func (c *runCommand) accepted() (map[string]string, error) {
	if (len(c.Accept) == 0) != (strings.TrimSpace(c.Reason) == "") {
		return nil, fmt.Errorf("%w: --accept and --reason go together", jobs.ErrUsage)
	}
	accept := map[string]string{}
	for _, g := range c.Accept {
		accept[g] = c.Reason
	}
	return accept, nil
}

// runJSON is the object of run --json.
type runJSON struct {
	Status     string              `json:"status"`
	Prediction string              `json:"prediction,omitempty"`
	Date       string              `json:"date,omitempty"`
	Run        string              `json:"run,omitempty"`
	Seq        *int                `json:"seq,omitempty"`
	Seconds    float64             `json:"seconds"`
	Message    string              `json:"message,omitempty"`
	Warnings   []string            `json:"warnings,omitempty"`
	Manifest   *publish.Manifest   `json:"manifest,omitempty"`
	Deliveries []*delivery.Outcome `json:"deliveries,omitempty"`
	Error      *errorJSON          `json:"error,omitempty"`
}

func runResult(cfg *config.Config, day date.Date, out *pipeline.Outcome, delivered []*delivery.Outcome, seconds float64, err error) runJSON {
	r := runJSON{Date: day.String(), Seconds: seconds, Deliveries: delivered}
	if cfg != nil {
		r.Prediction = cfg.Prediction
	}
	if out != nil {
		r.Status, r.Run, r.Message, r.Warnings, r.Manifest = string(out.Status), out.Run, out.Message, out.Warnings, out.Manifest
		switch out.Status {
		case pipeline.Published, pipeline.AlreadyPublished, pipeline.Withdrawn:
			r.Seq = &out.Seq
		}
	}
	if err != nil {
		status, form := errorOf(err)
		r.Error = form
		if !errors.Is(err, jobs.ErrDelivery) { // the night is published all the same
			r.Status = status
		}
	}
	return r
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
)

type backfillCommand struct {
	configFlags
	outputFlags
	workFlags
	metricsFlags
	From      string   `required:"" placeholder:"YYYY-MM-DD" help:"The first date."`
	To        string   `required:"" placeholder:"YYYY-MM-DD" help:"The last date."`
	Exclude   []string `placeholder:"YYYY-MM-DD" help:"Dates between them to leave out."`
	Reprocess string   `enum:"none,failed,completed" default:"none" placeholder:"none|failed|completed" help:"Run also the dates that were refused (failed), and those that were published from other inputs or by another config (completed). What was rolled back or withdrawn stays so."`
	DryRun    bool     `help:"Print the plan, do nothing."`
	Parallel  int      `default:"1" placeholder:"N" help:"Nights worked on side by side; they share --workers and --memory, and are judged and published one after another."`
	Yes       bool     `help:"Do not ask on a terminal whether to go on."`
}

// Run publishes many nights.
func (c *backfillCommand) Run(t *terminal) error {
	start := time.Now()
	cfg, b, err := c.backfill(t)
	err = t.interruption(err)
	if c.JSON {
		return t.answer(c.result(cfg, b, time.Since(start).Seconds(), err), err)
	}
	return err
}

func (c *backfillCommand) backfill(t *terminal) (*config.Config, *jobs.Backfill, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	engine, err := c.share(c.Parallel)
	if err != nil {
		return cfg, nil, err
	}
	temp, err := c.sharedTemp()
	if err != nil {
		return cfg, nil, err
	}
	telling := newTelling(t, c.logger(t), c.metricsFlags)
	telling.notices = nil // the receipts are for who ran it
	watch := newWatch(t, c.outputFlags)
	watch.timed = func(p progress) progress { return telling.metrics.Watch(cfg.Prediction, p) }
	defer watch.Close()
	b, err := jobs.PlanBackfill(t.ctx, cfg, jobs.BackfillOptions{
		Options: jobs.Options{Temp: temp, NewRun: newRun, Version: version()},
		From:    c.From, To: c.To, Exclude: c.Exclude, Reprocess: jobs.Reprocess(c.Reprocess),
		Parallel: c.Parallel, Watch: watch.begin,
	})
	if err != nil {
		return cfg, nil, err
	}
	w := c.page(t)
	printPlan(w, cfg, b)
	if c.DryRun || !c.confirmed(t, b) {
		return cfg, b, nil
	}
	_, _ = fmt.Fprintln(w)
	b.Run(t.ctx, engine, func(r jobs.Attempt) {
		watch.end(r.Date)
		printReceipt(watch.above(w), r)
		telling.observe(cfg, r)
	})
	printEnd(watch.above(w), b)
	return cfg, b, worst(t.ctx, b)
}

// page is where plan and receipts are printed for people.
func (c *backfillCommand) page(t *terminal) io.Writer {
	switch {
	case !c.JSON:
		return t.stdout
	case c.Quiet:
		return io.Discard
	}
	return t.stderr
}

// confirmed asks a person, if one is there, whether to carry out a plan that
// publishes something.
func (c *backfillCommand) confirmed(t *terminal, b *jobs.Backfill) bool {
	nothing := !slices.ContainsFunc(b.Plan, func(p jobs.Planned) bool { return p.Action == jobs.DoPublish || p.Action == jobs.DoAgain })
	if c.Yes || t.person == nil || nothing {
		return true
	}
	_, _ = fmt.Fprint(t.stderr, "Go on? [y/N] ")
	answer, _ := bufio.NewReader(t.person).ReadString('\n') // no answer is no
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer)))
}

// worst gives the error that decides the exit code: nil when every date that was
// planned is published.
func worst(ctx context.Context, b *jobs.Backfill) error {
	left := len(b.Left())
	if ctx.Err() != nil && left > 0 {
		return fmt.Errorf("%s left; the same command goes on with them", dates(left))
	}
	for _, code := range []int{exitFailed, exitUsage, exitRefused, exitNotReady, exitSuperseded} {
		for _, r := range b.Receipts {
			if r.Err != nil && classify(r.Err).code == code {
				return fmt.Errorf("%s: %w", r.Date, r.Err)
			}
		}
	}
	return nil
}

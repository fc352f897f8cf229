package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/publish"
)

type backfillCommand struct {
	configFlags
	outputFlags
	workFlags
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
	engine, temp, err := c.share()
	if err != nil {
		return cfg, nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	watch := newWatch(t, c.outputFlags)
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
	b.Run(t.ctx, engine, func(r jobs.Receipt) {
		watch.end(r.Date)
		printReceipt(watch.above(w), r)
	})
	printEnd(watch.above(w), b)
	return cfg, b, worst(t.ctx, b)
}

// share gives the engine of each of the nights that are worked on side by side.
func (c *backfillCommand) share() (e localrun.Engine, temp string, err error) {
	if c.Parallel < 1 {
		return e, "", fmt.Errorf("%w: --parallel must be at least 1", jobs.ErrUsage)
	}
	if e, temp, err = c.engine(); err != nil {
		return e, "", err
	}
	e.Workers, e.Memory = max(1, e.Workers/c.Parallel), e.Memory/int64(c.Parallel)
	if e.Memory < leastMemory {
		_ = os.RemoveAll(temp)
		return e, "", fmt.Errorf("%w: --memory %s is too little for %d nights; want at least 16MiB for each", jobs.ErrUsage, c.Memory, c.Parallel)
	}
	return e, temp, nil
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

// backfillJSON is the object of backfill --json.
type backfillJSON struct {
	Status     string         `json:"status"` // done, dry-run, or that of the worst date
	Prediction string         `json:"prediction,omitempty"`
	Seconds    float64        `json:"seconds"`
	Plan       []jobs.Planned `json:"plan"`
	Receipts   []receiptJSON  `json:"receipts"`
	Left       []date.Date    `json:"left"` // planned dates without a receipt
	Warnings   []string       `json:"warnings,omitempty"`
	Error      *errorJSON     `json:"error,omitempty"`
}

// receiptJSON is what run --json says of the date, without the manifest.
type receiptJSON struct {
	runJSON
	Rows *publish.Rows `json:"rows,omitempty"`
}

func (c *backfillCommand) result(cfg *config.Config, b *jobs.Backfill, seconds float64, err error) backfillJSON {
	j := backfillJSON{Status: "done", Seconds: seconds, Plan: []jobs.Planned{}, Receipts: []receiptJSON{}, Left: []date.Date{}}
	if cfg != nil {
		j.Prediction, j.Warnings = cfg.Prediction, cfg.Warnings
	}
	if c.DryRun {
		j.Status = string(pipeline.DryRun)
	}
	if b != nil {
		j.Plan, j.Left = append(j.Plan, b.Plan...), b.Left()
		for _, r := range b.Receipts {
			j.Receipts = append(j.Receipts, receiptOf(r))
		}
	}
	if err != nil {
		j.Status, j.Error = errorOf(err)
	}
	return j
}

func receiptOf(r jobs.Receipt) receiptJSON {
	j := receiptJSON{runJSON: runResult(nil, r.Date, r.Outcome, r.Seconds, r.Err)}
	if j.Manifest != nil {
		j.Rows, j.Manifest = &j.Manifest.Rows, nil
	}
	return j
}

func printPlan(w io.Writer, cfg *config.Config, b *jobs.Backfill) {
	_, _ = fmt.Fprintf(w, "%s: %s\n", cfg.Prediction, planned(b.Plan))
	printTable(w, []string{"date", "snapshot", "status", "plan"}, b.Plan, func(p jobs.Planned) []string {
		ready := "missing"
		if p.Ready {
			ready = "ready"
		}
		if p.Status == "" {
			p.Status = "-"
		}
		return []string{p.Date.String(), ready, p.Status, string(p.Action)}
	})
	for _, warning := range cfg.Warnings {
		_, _ = fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
}

// planned counts the dates by what is done about them.
func planned(all []jobs.Planned) string {
	return tally(len(all), func(i int) string { return string(all[i].Action) })
}

// tally counts things by their names, in the order in which these come first.
func tally(n int, name func(int) string) string {
	counts, names := map[string]int{}, []string(nil)
	for i := range n {
		if counts[name(i)]++; counts[name(i)] == 1 {
			names = append(names, name(i))
		}
	}
	parts := []string{dates(n)}
	for _, s := range names {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return strings.Join(parts, ", ")
}

func dates(n int) string {
	if n == 1 {
		return "1 date"
	}
	return fmt.Sprintf("%d dates", n)
}

// printReceipt prints one line for a date, or a few for what stands in its way.
func printReceipt(w io.Writer, r jobs.Receipt) {
	j := receiptOf(r)
	line := fmt.Sprintf("%s  %-17s", r.Date, j.Status)
	if j.Rows != nil {
		line += fmt.Sprintf("  run %s, entry %d, %s scored, %.1f s", j.Run, r.Outcome.Seq, count(j.Rows.Scored), r.Seconds)
	}
	if j.Message != "" {
		line += "  " + printable(j.Message)
	}
	if j.Error != nil {
		line += "  " + printable(strings.ReplaceAll(j.Error.Message, "\n", "; "))
	}
	_, _ = fmt.Fprintln(w, line)
	for _, warning := range j.Warnings {
		_, _ = fmt.Fprintf(w, "            warning: %s\n", printable(warning))
	}
}

func printEnd(w io.Writer, b *jobs.Backfill) {
	ended := tally(len(b.Receipts), func(i int) string { return receiptOf(b.Receipts[i]).Status })
	if left := len(b.Left()); left > 0 {
		ended += fmt.Sprintf("; %d left", left)
	}
	_, _ = fmt.Fprintf(w, "\n%s\n", ended)
}

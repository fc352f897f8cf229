package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
)

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

func receiptOf(r jobs.Attempt) receiptJSON {
	j := receiptJSON{runJSON: runResult(nil, r.Date, r.Outcome, nil, r.Seconds, r.Err)}
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
func printReceipt(w io.Writer, r jobs.Attempt) {
	j := receiptOf(r)
	line := fmt.Sprintf("%s  %-17s", r.Date, j.Status)
	if j.Rows != nil {
		line += fmt.Sprintf("  run %s, entry %d, %s scored, %.1f s", j.Run, r.Outcome.Seq, gate.Count(j.Rows.Scored), r.Seconds)
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

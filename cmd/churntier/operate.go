package main

import (
	"fmt"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/publish"
)

type rollbackCommand struct {
	configFlags
	JSON   bool   `name:"json" help:"Print one JSON object on standard output."`
	Date   string `required:"" placeholder:"YYYY-MM-DD" help:"The date to roll back."`
	To     int    `required:"" placeholder:"SEQ" help:"The entry of the date whose run is to be its publication again; show lists them."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; kept in the log."`
}

// Run makes an older run of a date effective again.
func (c *rollbackCommand) Run(t *terminal) error {
	return operate(t, c.configFlags, c.JSON, func(cfg *config.Config) (*jobs.Operated, error) {
		return jobs.Rollback(t.ctx, cfg, c.Date, c.To, c.Reason)
	})
}

type withdrawCommand struct {
	configFlags
	JSON   bool   `name:"json" help:"Print one JSON object on standard output."`
	Date   string `required:"" placeholder:"YYYY-MM-DD" help:"The date for which nothing shall be published."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; kept in the log and shown in latest/."`
}

// Run takes back what is published for a date.
func (c *withdrawCommand) Run(t *terminal) error {
	return operate(t, c.configFlags, c.JSON, func(cfg *config.Config) (*jobs.Operated, error) {
		return jobs.Withdraw(t.ctx, cfg, c.Date, c.Reason)
	})
}

func operate(t *terminal, f configFlags, asJSON bool, do func(*config.Config) (*jobs.Operated, error)) error {
	cfg, err := f.load()
	var done *jobs.Operated
	if err == nil {
		done, err = do(cfg)
	}
	if asJSON {
		return t.answerOrFail(done, err)
	}
	if done != nil {
		_, _ = fmt.Fprintf(t.stdout, "%s %s: %s\n", done.Prediction, done.Date, effect(done.Entry))
	}
	if err == nil {
		printLatest(t, done.Latest)
	}
	return err
}

// effect tells what an entry makes of its date.
func effect(e publish.Entry) string {
	switch e.Kind() {
	case publish.Rollback:
		return fmt.Sprintf("rolled back to run %s of entry %d by entry %d", e.Rollback, *e.To, e.Seq)
	case publish.Withdrawal:
		return fmt.Sprintf("withdrawn by entry %d", e.Seq)
	}
	return fmt.Sprintf("run %s of entry %d is its publication already", e.Run, e.Seq)
}

type repairCommand struct {
	configFlags
	JSON bool `name:"json" help:"Print one JSON object on standard output."`
}

// Run makes latest/ show what the log says.
func (c *repairCommand) Run(t *terminal) error {
	cfg, err := c.load()
	var shown publish.Projected
	if err == nil {
		shown, err = jobs.Repair(t.ctx, cfg)
	}
	if c.JSON {
		var latest *publish.Projected
		if !shown.Date.IsZero() {
			latest = &shown
		}
		return t.answerOrFail(map[string]*publish.Projected{"latest": latest}, err)
	}
	if err == nil {
		printLatest(t, shown)
	}
	return err
}

func printLatest(t *terminal, p publish.Projected) {
	what := "run " + p.Run
	switch {
	case p.Date.IsZero():
		_, _ = fmt.Fprintln(t.stdout, "latest/ shows nothing: nothing was ever published")
		return
	case p.Withdrawn != nil:
		what = fmt.Sprintf("withdrawn (%s)", printable(p.Withdrawn.Reason))
	}
	_, _ = fmt.Fprintf(t.stdout, "latest/ shows %s, entry %d: %s\n", p.Date, p.Seq, what)
}

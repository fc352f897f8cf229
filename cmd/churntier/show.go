package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
)

type showCommand struct {
	configFlags
	JSON bool   `name:"json" help:"Print one JSON object on standard output."`
	Date string `default:"latest" placeholder:"YYYY-MM-DD|latest" help:"The night to show."`
}

// Run shows what is published.
func (c *showCommand) Run(t *terminal) error {
	shown, err := c.show(t)
	if c.JSON {
		return t.answerOrFail(shown, err)
	}
	if err != nil {
		return err
	}
	if shown.Manifest == nil {
		_, _ = fmt.Fprintf(t.stdout, "%s %s: %s, nothing is published\n", shown.Prediction, shown.Date, shown.Status)
	} else {
		printPublished(t.stdout, shown)
	}
	printLog(t, shown.Log)
	printTable(t.stdout, []string{"history", "status", "entry", "rows", "scored", "rejected", "duplicates"}, shown.History, historyCells)
	for _, d := range shown.Deliveries {
		printPast(t, d)
	}
	for _, r := range shown.Refusals {
		printRefused(t.stdout, r)
	}
	return nil
}

func printPublished(w io.Writer, shown *jobs.Shown) {
	_, _ = fmt.Fprintf(w, "%s %s, run %s, entry %d of its date\n\n", shown.Prediction, shown.Date, shown.Run, shown.Seq)
	if shown.Expired {
		_, _ = fmt.Fprint(w, "its shards have expired; manifest and distribution are left\n\n")
	}
	printManifest(w, shown.Manifest)
}

func historyCells(p jobs.PastNight) []string {
	if p.Rows == nil {
		return []string{p.Date.String(), p.Status, "-", "-", "-", "-", "-"}
	}
	r := p.Rows
	return []string{p.Date.String(), p.Status, fmt.Sprint(p.Seq), gate.Count(r.Read), gate.Count(r.Scored), gate.Count(r.Rejected), gate.Count(r.Duplicates)}
}

// printRefused says in sentences why a night was refused and what to do.
func printRefused(w io.Writer, r jobs.Refused) {
	_, _ = fmt.Fprintf(w, "\nrefused %s, run %s", r.Date, r.Run)
	if r.Attempts > 1 {
		_, _ = fmt.Fprintf(w, ", the last of %d attempts", r.Attempts)
	}
	_, _ = fmt.Fprintln(w)
	for _, e := range r.Why {
		name := e.Gate
		if name == "" {
			name = "input"
		}
		_, _ = fmt.Fprintf(w, "  %-14s %s %s\n", name, printable(strings.ReplaceAll(e.Message, "\n", "; ")), e.Do)
	}
	for _, sentence := range []string{r.Advice, r.Next} {
		if sentence != "" {
			_, _ = fmt.Fprintf(w, "  %s\n", printable(sentence))
		}
	}
}

func (c *showCommand) show(t *terminal) (*jobs.Shown, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	return jobs.Show(t.ctx, cfg, c.Date)
}

// printPast lists what a tool received.
func printPast(t *terminal, d jobs.PastDeliveries) {
	printTable(t.stdout, []string{"delivery " + d.Name, "number", "kind", "members", "entered", "left", "moved", "rows sent", "uncertain", "not sent"}, d.Past, func(p delivery.Past) []string {
		c := p.Counts
		return []string{p.Date.String(), fmt.Sprint(p.N), string(p.Kind), gate.Count(c.Now), gate.Count(c.Entered), gate.Count(c.Left), gate.Count(c.Moved), gate.Count(p.Rows),
			fmt.Sprint(len(p.Uncertain)), fmt.Sprint(len(p.Unsent) + p.Waiting)}
	})
	for _, p := range d.Past {
		for _, name := range p.Uncertain {
			_, _ = fmt.Fprintf(t.stdout, "uncertain: %s may have arrived or not; look, and send it again with churntier redeliver if it has not\n", name)
		}
		if len(p.Unsent) > 0 {
			_, _ = fmt.Fprintf(t.stdout, "number %d was given up: %s\n", p.N, printable(p.Why))
		}
	}
}

// printLog lists what happened to a date, where that is more than one publication.
func printLog(t *terminal, entries []publish.Entry) {
	if len(entries) < 2 {
		return
	}
	_, _ = fmt.Fprintln(t.stdout, "\nlog of the date")
	for _, e := range entries {
		_, _ = fmt.Fprintf(t.stdout, "  %d  %-11s  %s\n", e.Seq, e.Kind(), printable(subject(e)))
	}
}

// subject tells what an entry of the log is about.
func subject(e publish.Entry) string {
	switch e.Kind() {
	case publish.Publication:
		return "run " + e.Run
	case publish.Rollback:
		return fmt.Sprintf("to run %s of entry %d: %s", e.Rollback, *e.To, e.Reason)
	case publish.Withdrawal:
		return e.Reason
	case publish.Expiry:
		return "shards of " + strings.Join(e.Expire, ", ")
	}
	return "by clean-up " + e.Fence
}

type filesCommand struct {
	configFlags
	JSON     bool   `name:"json" help:"Print one JSON object on standard output."`
	Date     string `default:"latest" placeholder:"YYYY-MM-DD|latest" help:"The night."`
	Audience string `placeholder:"NAME" help:"Only the files of this audience."`
	Table    string `placeholder:"NAME" help:"Only the files of this table: scores, rejected or distribution."`
}

// Run prints the URLs of published files.
func (c *filesCommand) Run(t *terminal) error {
	urls, err := c.files(t)
	if c.JSON {
		return t.answerOrFail(map[string][]string{"files": urls}, err)
	}
	if err != nil {
		return err
	}
	for _, u := range urls {
		if _, err := fmt.Fprintln(t.stdout, u); err != nil {
			return err
		}
	}
	return nil
}

func (c *filesCommand) files(t *terminal) ([]string, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	return jobs.Files(t.ctx, cfg, c.Date, c.Audience, c.Table)
}

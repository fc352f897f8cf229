package main

import (
	"fmt"
	"strings"

	"github.com/churntier/churntier/jobs"
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
	_, _ = fmt.Fprintf(t.stdout, "%s %s, run %s, entry %d of its date\n\n", shown.Prediction, shown.Date, shown.Run, shown.Seq)
	if shown.Expired {
		_, _ = fmt.Fprintf(t.stdout, "its shards have expired; manifest and distribution are left\n\n")
	}
	printManifest(t.stdout, shown.Manifest)
	printLog(t, shown.Log)
	printTable(t.stdout, []string{"history", "entry", "rows", "scored", "rejected", "duplicates"}, shown.History, func(p jobs.PastNight) []string {
		return []string{p.Date.String(), fmt.Sprint(p.Seq), count(p.Rows.Read), count(p.Rows.Scored), count(p.Rows.Rejected), count(p.Rows.Duplicates)}
	})
	return nil
}

func (c *showCommand) show(t *terminal) (*jobs.Shown, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	return jobs.Show(t.ctx, cfg, c.Date)
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

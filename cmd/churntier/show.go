package main

import (
	"fmt"

	"github.com/churntier/churntier/jobs"
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
	printManifest(t.stdout, shown.Manifest)
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

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline/gate"
)

type initCommand struct {
	URL         string `arg:"" name:"snapshot-url" placeholder:"SNAPSHOT_URL" help:"The folder in which the folders of the nights lie, as a path or a URL."`
	Config      string `short:"c" default:"churntier.yaml" placeholder:"FILE" help:"The config to write; one that exists is never overwritten."`
	Prediction  string `default:"churn" placeholder:"NAME" help:"The name of the prediction."`
	Publish     string `placeholder:"URL" help:"Where results will be published."`
	Model       string `placeholder:"FILE" xor:"score" help:"The model that gives the score; it is fitted to the columns."`
	ScoreColumn string `placeholder:"NAME" xor:"score" help:"The column that holds the score; by default one whose name says so."`
	JSON        bool   `name:"json" help:"Print one JSON object on standard output."`
}

// initJSON is the object of init --json.
type initJSON struct {
	Config string `json:"config"`
	*jobs.Proposal
}

// Run writes a config.
func (c *initCommand) Run(t *terminal) error {
	proposed, err := c.propose(t)
	if c.JSON {
		return t.answerOrFail(initJSON{c.Config, proposed}, err)
	}
	if err == nil {
		c.print(t.stdout, proposed)
	}
	return err
}

func (c *initCommand) propose(t *terminal) (*jobs.Proposal, error) {
	if _, err := os.Lstat(c.Config); err == nil {
		return nil, c.exists()
	}
	proposed, err := jobs.Propose(t.ctx, jobs.Known{
		Config: c.Config, Prediction: c.Prediction, URL: c.URL, Publish: c.Publish, Model: c.Model, Column: c.ScoreColumn,
	})
	if err != nil {
		return nil, err
	}
	return proposed, c.create(proposed.Config())
}

func (c *initCommand) exists() error {
	return fmt.Errorf("%w: %s exists and is not overwritten; name another file with -c", jobs.ErrUsage, c.Config)
}

// create writes the config, which must not exist, whole or not at all.
func (c *initCommand) create(text []byte) (err error) {
	f, err := os.OpenFile(c.Config, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return c.exists()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", jobs.ErrUsage, err)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(c.Config))
	}
	return err
}

func (c *initCommand) print(w io.Writer, p *jobs.Proposal) {
	_, _ = fmt.Fprintf(w, "wrote %s from the night %s: %s rows, parts: %d\n\n", c.Config, p.Date, gate.Count(p.Rows), p.Parts)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "guessed\tis\tbecause")
	for _, g := range p.Guesses {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", g.Key, printable(dash(g.Value)), printable(g.Why))
	}
	_, _ = fmt.Fprintln(table, "\ncolumn\ttype\tlooks like")
	for _, column := range p.Columns {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", printable(column.Name), column.Type, dash(column.Use))
	}
	_ = table.Flush()
	if len(p.Blanks) > 0 {
		_, _ = fmt.Fprintln(w, "\nto fill in")
	}
	for _, b := range p.Blanks {
		_, _ = fmt.Fprintf(w, "  %s: %s\n", b.Key, printable(b.Want))
	}
	_, _ = fmt.Fprintf(w, "\nthen: churntier check -c %s\n", c.Config)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

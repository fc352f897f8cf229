package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/gate"
)

type checkCommand struct {
	configFlags
	Date  string `default:"latest" placeholder:"YYYY-MM-DD|latest" help:"The night whose snapshot is checked."`
	Probe bool   `help:"Also write one temporary object to publish.url, to prove that the store refuses a second create and a stale replace."`
	JSON  bool   `name:"json" help:"Print one JSON object on standard output."`
}

// Run checks a config against a snapshot.
func (c *checkCommand) Run(t *terminal) error {
	checked, err := c.check(t)
	if c.JSON {
		return t.answerOrFail(checked, err)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(t.stdout, "%s %s: %s rows, parts: %d, splits: %d; config, model and schema fit\n\n",
		checked.Prediction, checked.Date, gate.Count(checked.Rows), checked.Parts, checked.Splits)
	printProbe(t.stdout, checked.Probed)
	printFeatures(t.stdout, checked)
	table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "column\ttype\tused as")
	for _, column := range checked.Columns {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", printable(column.Name), column.Type, printable(column.Use))
	}
	return table.Flush()
}

func printProbe(w io.Writer, probed string) {
	switch probed {
	case "create":
		_, _ = fmt.Fprint(w, "publish.url: the store refuses to create an object twice; this user may not replace there, so that was not tried\n\n")
	case "create and replace":
		_, _ = fmt.Fprint(w, "publish.url: the store refuses to create an object twice, and to replace one that has changed\n\n")
	}
}

func printFeatures(w io.Writer, checked *pipeline.Checked) {
	if checked.Model == "" {
		return
	}
	_, _ = fmt.Fprintf(w, "model %s\n\n", checked.Model)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "feature\ttaken from\ttype\tnull")
	for _, f := range checked.Features {
		null := "-"
		if f.NullShare != nil {
			null = fmt.Sprintf("%.1f%%", 100**f.NullShare)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", printable(f.Feature), printable(f.Source), f.Type, null)
	}
	_ = table.Flush()
	_, _ = fmt.Fprintln(w)
}

// printable gives a name of a file as a terminal may show it.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

func (c *checkCommand) check(t *terminal) (*pipeline.Checked, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	return jobs.Check(t.ctx, cfg, jobs.Options{Date: c.Date, Probe: c.Probe, Started: time.Now()})
}

type schemaCommand struct{}

// Run prints the JSON schema of the config.
func (schemaCommand) Run(t *terminal) error {
	_, err := t.stdout.Write(config.Schema())
	return err
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(t *terminal) error {
	_, err := fmt.Fprintln(t.stdout, "churntier", version())
	return err
}

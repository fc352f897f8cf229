package main

import (
	"fmt"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline/gate"
)

type tryCommand struct {
	File        string `arg:"" placeholder:"FILE.parquet" help:"A Parquet file, as a path or a URL."`
	ScoreColumn string `placeholder:"NAME" xor:"score" help:"The column that holds the score."`
	Model       string `placeholder:"FILE" xor:"score" help:"The model that gives the score."`
	JSON        bool   `name:"json" help:"Print one JSON object on standard output."`
}

// Run shows the distribution of one file.
func (c *tryCommand) Run(t *terminal) error {
	start := time.Now()
	tried, err := jobs.Try(t.ctx, c.File, c.ScoreColumn, c.Model)
	if c.JSON {
		return t.answerOrFail(tried, err)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(t.stdout, "%s: score by %s, in %.1f s\n\n", c.File, tried.By, time.Since(start).Seconds())
	_, _ = fmt.Fprintf(t.stdout, "rows  %s read = %s scored + %s rejected\n", gate.Count(tried.Read), gate.Count(tried.Scored), gate.Count(tried.Rejected))
	printReasons(t.stdout, tried.Reasons)
	_, _ = fmt.Fprintln(t.stdout)
	printDistribution(t.stdout, tried.Distribution[:], func(bucket int) string {
		return tried.Categories[tried.Categories.Of(uint16(bucket*500))].Name
	})
	_, _ = fmt.Fprintln(t.stdout)
	for _, category := range tried.Categories {
		_, _ = fmt.Fprintf(t.stdout, "%8s  %9s users %6s\n", category.Name, gate.Count(category.Count), percent(category.Count, tried.Scored))
	}
	return nil
}

package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/gate"
)

type selectCommand struct {
	configFlags
	outputFlags
	workFlags
	Date  string  `default:"latest" placeholder:"YYYY-MM-DD|latest" help:"The night whose snapshot is counted."`
	Min   float64 `default:"0" placeholder:"N" help:"Lowest score that is taken."`
	Max   float64 `default:"100" placeholder:"N" help:"Highest score that is taken."`
	Where string  `placeholder:"EXPR" help:"Only users for whom this is true, as in an audience's where."`
}

// Run shows whom a range of scores would take.
func (c *selectCommand) Run(t *terminal) error {
	cfg, selected, err := c.count(t)
	if c.JSON {
		return t.answerOrFail(selected, err)
	}
	if err != nil {
		return err
	}
	printSelected(t.stdout, selected)
	if cfg.Mode == config.ModePreview {
		_, _ = fmt.Fprintln(t.stdout, "\nmode is preview: its predictions can be looked at, and never targeted")
		return nil
	}
	printBlock(t.stdout, selected)
	return nil
}

func (c *selectCommand) count(t *terminal) (*config.Config, *pipeline.Selected, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	engine, err := c.engine()
	if err != nil {
		return cfg, nil, err
	}
	temp, err := c.sharedTemp()
	if err != nil {
		return cfg, nil, err
	}
	progress := newProgress(t, c.outputFlags)
	defer progress.Close()
	selected, err := jobs.Select(t.ctx, cfg, jobs.Options{
		Date: c.Date, DryRun: true, Temp: temp, Started: time.Now(), Progress: progress,
	}, engine, c.Where, c.Min, c.Max)
	return cfg, selected, t.interruption(err)
}

func printSelected(w io.Writer, s *pipeline.Selected) {
	condition := ""
	if s.Where != "" {
		condition = " where " + s.Where
	}
	_, _ = fmt.Fprintf(w, "%s %s: scores %s to %s%s take %s of %s scored users, %s\n\n",
		s.Prediction, s.Date, s.Min, s.Max, condition, gate.Count(s.Users), gate.Count(s.Scored), percent(s.Users, s.Scored))
	printTaken(w, s)
	others := float64(s.Users) - s.Churners
	_, _ = fmt.Fprintf(w, "\nnot calibrated, if scores were probabilities:\n")
	_, _ = fmt.Fprintf(w, "%9s expected churners caught, %s of all %s\n",
		gate.Count(round(s.Churners)), percent(round(s.Churners), round(s.ChurnersAll)), gate.Count(round(s.ChurnersAll)))
	_, _ = fmt.Fprintf(w, "%9s others hit\n", gate.Count(round(others)))
	if s.Suppressed > 0 {
		_, _ = fmt.Fprintf(w, "%9s scored users are suppressed and not counted as taken\n", gate.Count(s.Suppressed))
	}
}

func round(x float64) int64 { return int64(x + 0.5) }

// printTaken draws the distribution; what is taken of a bucket is solid, the rest
// is shaded.
func printTaken(w io.Writer, s *pipeline.Selected) {
	most := int64(1)
	for _, n := range s.Buckets {
		most = max(most, n)
	}
	_, _ = fmt.Fprintln(w, "score      users      taken")
	for i := len(s.Buckets) - 1; i >= 0; i-- {
		all, taken := s.Buckets[i], s.Taken[i]
		solid := bar(taken, most)
		shade := strings.Repeat("░", max(0, len([]rune(bar(all, most)))-len([]rune(solid))))
		line := fmt.Sprintf("%3d-%-3d %9s  %9s  %s%s", i*5, i*5+5, gate.Count(all), gate.Count(taken), solid, shade)
		_, _ = fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// printBlock prints the audience to paste into the config.
func printBlock(w io.Writer, s *pipeline.Selected) {
	name := strings.NewReplacer(".", "_").Replace(fmt.Sprintf("scores-%s-%s", s.Min, s.Max))
	_, _ = fmt.Fprintf(w, "\nto make it an audience, add under audiences:\n\n  - name: %s\n    score: [%s, %s]\n", name, s.Min, s.Max)
	if s.Where != "" {
		_, _ = fmt.Fprintf(w, "    where: %s\n", config.Quote(s.Where))
	}
}

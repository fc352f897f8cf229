package main

import (
	"fmt"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
)

type pruneCommand struct {
	configFlags
	JSON      bool          `name:"json" help:"Print one JSON object on standard output."`
	OlderThan time.Duration `default:"168h" placeholder:"DURATION" help:"Delete runs that were never published when they are older than this; a run that is still working on one has to start again."`
	DryRun    bool          `help:"Say what would be deleted, delete nothing."`
}

// Run deletes what nothing published needs.
func (c *pruneCommand) Run(t *terminal) error {
	cfg, err := c.load()
	var done *jobs.Pruned
	if err == nil {
		done, err = jobs.Prune(t.ctx, cfg, jobs.PruneOptions{
			OlderThan: c.OlderThan, Now: time.Now(), Name: newRun(), DryRun: c.DryRun,
		})
	}
	if c.JSON {
		return t.answerOrFail(done, err)
	}
	if done != nil {
		c.print(t, done)
	}
	return err
}

func (c *pruneCommand) print(t *terminal, done *jobs.Pruned) {
	verb := "deleted"
	if c.DryRun {
		verb = "would delete"
	}
	for _, kind := range []struct {
		name string
		runs []publish.Deleted
	}{
		{"orphan", done.Orphans}, {"expired", done.Expired}, {"refusal", done.Refusals}, {"preview", done.Previews},
	} {
		for _, r := range kind.runs {
			_, _ = fmt.Fprintf(t.stdout, "%s %s run %s of %s: %d objects, %s bytes\n", verb, kind.name, r.Run, r.Date, r.Objects, gate.Count(r.Bytes))
		}
	}
	for _, d := range done.Deliveries {
		if d.Delivered+d.Staged > 0 {
			_, _ = fmt.Fprintf(t.stdout, "%s of delivery %s: %d delivered files, %d staged\n", verb, d.Delivery, d.Delivered, d.Staged)
		}
	}
	for _, d := range done.Skipped {
		_, _ = fmt.Fprintf(t.stdout, "skipped %s: its log changed meanwhile; run prune again\n", d)
	}
	_, _ = fmt.Fprintf(t.stdout, "%s %d orphan runs, %d expired, %d refusals, %d previews, %d temporary files\n",
		verb, len(done.Orphans), len(done.Expired), len(done.Refusals), len(done.Previews), done.Temporary)
}

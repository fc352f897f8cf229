package jobs

import (
	"context"
	"slices"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// explainer explains who left the audiences of a publication to all deliveries of
// it.
type explainer struct {
	cfg     *config.Config
	options DeliverOptions
	output  *objstore.Bucket

	asks *pipeline.Explainer // nil before the first leaver whose reason is not known
	run  string              // that it explains
	note string              // why it does not ask the snapshot
}

// explain gives the reasons that are known, and asks for the others.
func (e *explainer) explain(ctx context.Context, p *publish.Published, leavers []delivery.Leaver) (out delivery.Explanation, err error) {
	outsiders := make([]pipeline.Outsider, len(leavers))
	for i, l := range leavers {
		outsiders[i] = pipeline.Outsider(l)
	}
	whys, err := pipeline.Known(ctx, e.night(), p, outsiders)
	if err != nil {
		return out, err
	}
	if slices.Contains(whys, "") {
		if err := e.ask(ctx, p, outsiders, whys); err != nil {
			return out, err
		}
		out.From, out.Note = delivery.FromSnapshot, e.note
		if e.note != "" {
			out.From = delivery.FromRun
		}
	}
	out.Reasons = make([]delivery.Reason, len(whys))
	for i, why := range whys {
		out.Reasons[i] = delivery.Reason(why)
	}
	return out, nil
}

// night is what the publication alone needs to tell reasons.
func (e *explainer) night() pipeline.Night {
	return pipeline.Night{
		Rules: rulesOf(e.cfg), Output: e.output, Temp: e.options.Temp, Limits: snapshot.DefaultLimits(), SplitRows: snapshot.SplitRows,
	}
}

// ask fills in the reasons that are "". It asks the snapshot, or what the run left where
// the snapshot is not what was published any more. That is never a reason not to deliver.
func (e *explainer) ask(ctx context.Context, p *publish.Published, outsiders []pipeline.Outsider, whys []pipeline.Why) error {
	if err := e.open(ctx, p); err != nil {
		return err
	}
	var asked []pipeline.Outsider
	for i, o := range outsiders {
		if whys[i] == "" {
			asked = append(asked, o)
		}
	}
	answers, err := e.asks.Explain(ctx, asked)
	if err != nil {
		return err
	}
	for i, why := range whys {
		if why == "" {
			whys[i], answers = answers[0], answers[1:]
		}
	}
	return nil
}

// open readies the explainer for a publication.
func (e *explainer) open(ctx context.Context, p *publish.Published) error {
	if e.asks != nil && e.run == p.Run {
		return nil
	}
	if err := e.close(); err != nil {
		return err
	}
	e.run, e.note = p.Run, ""
	n, err := newNight(ctx, e.cfg, Options{Date: p.Date.String(), DryRun: true, Temp: e.options.Temp, Started: e.options.Now, Progress: silence{}})
	if err == nil {
		e.asks, err = pipeline.ExplainBySnapshot(ctx, n, p, e.options.Engine)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	e.note, n.Output = err.Error(), e.output
	e.asks, err = pipeline.ExplainByRun(ctx, n, p, e.options.Engine)
	return err
}

func (e *explainer) close() error {
	if e.asks == nil {
		return nil
	}
	err := e.asks.Close()
	e.asks = nil
	return err
}

// silence tells nobody how far the work is.
type silence struct{}

func (silence) Stage(string, int64, int64) {}
func (silence) Add(int64)                  {}

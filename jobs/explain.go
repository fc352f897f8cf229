package jobs

import (
	"context"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// explainer explains who left the audiences of a publication to all deliveries of
// it.
type explainer struct {
	cfg     *config.Config
	options DeliverOptions
	output  *objstore.Bucket

	asks *pipeline.Explainer // nil before the first leaver
	run  string              // that it explains
	note string              // why it does not ask the snapshot
}

// explain asks the snapshot, or what the run left where the snapshot is not what was
// published any more. That is never a reason not to deliver.
func (e *explainer) explain(ctx context.Context, p *publish.Published, leavers []delivery.Leaver) (delivery.Explanation, error) {
	if err := e.open(ctx, p); err != nil {
		return delivery.Explanation{}, err
	}
	outsiders := make([]pipeline.Outsider, len(leavers))
	for i, l := range leavers {
		outsiders[i] = pipeline.Outsider(l)
	}
	whys, err := e.asks.Explain(ctx, outsiders)
	out := delivery.Explanation{Reasons: make([]delivery.Reason, len(whys)), From: delivery.FromSnapshot, Note: e.note}
	if e.note != "" {
		out.From = delivery.FromRun
	}
	for i, why := range whys {
		out.Reasons[i] = delivery.Reason(why)
	}
	return out, err
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

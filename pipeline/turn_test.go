package pipeline_test

import (
	"context"
	"errors"
	"testing"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/localrun"
)

// A night that waits for earlier dates has staged its shards and has looked at no
// other date: the baseline may be published by then alone.
func TestNightsWaitBeforeTheyLookBack(t *testing.T) {
	w := newTown(t)
	night := w.night
	w.night.Baseline = night.Date.AddDays(-1)
	w.night.Turn = func(ctx context.Context) error {
		staged, err := night.Output.List(ctx, "runs/")
		if err != nil || len(staged) == 0 || len(w.published()) > 0 {
			t.Errorf("staged %v, published %v: %v", staged, w.published(), err)
		}
		earlier := w.night
		earlier.Turn, earlier.Date = nil, w.night.Baseline
		w.put("dt=2026-11-21/a.parquet", users(t, 0, 599))
		w.put("dt=2026-11-21/_SUCCESS", nil)
		_, err = pipeline.Run(ctx, earlier, localrun.Engine{Workers: 2, Memory: 64 << 20})
		return err
	}
	out, err := w.run(t.Context())
	if err != nil || out.Status != pipeline.Published || len(out.Manifest.Gates) == 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// A turn that does not come publishes nothing.
func TestATurnThatDoesNotCome(t *testing.T) {
	w := newTown(t)
	stopped := errors.New("stopped")
	w.night.Turn = func(context.Context) error { return stopped }
	if out, err := w.run(t.Context()); out != nil || !errors.Is(err, stopped) || len(w.published()) > 0 {
		t.Errorf("%+v, %v; published %v", out, err, w.published())
	}
}

package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/filter"
)

// Select counts whom a range of scores, 0 to 100 with both ends included, and a
// condition ("" for none) would take of the snapshot of a date.
func Select(ctx context.Context, cfg *config.Config, o Options, engine pipeline.Engine, where string, low, high float64) (*pipeline.Selected, error) {
	if !(low >= 0 && low <= high && high <= 100) {
		return nil, fmt.Errorf("%w: --min %v --max %v: want 0 <= min <= max <= 100", ErrUsage, low, high)
	}
	if where != "" {
		if _, err := filter.Parse(where); errors.Is(err, filter.ErrSyntax) {
			return nil, fmt.Errorf("%w: --where: %w", ErrUsage, err)
		}
	}
	n, err := newNight(ctx, cfg, o)
	if err != nil {
		return nil, err
	}
	return pipeline.Select(ctx, n, engine, where, hundredths(low), hundredths(high))
}

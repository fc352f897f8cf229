package jobs

import (
	"context"
	"errors"
	"path"
	"time"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// notPreviewed gives the dates that are due at now and have no preview, oldest first.
func notPreviewed(ctx context.Context, cfg *config.Config, ledger *publish.Ledger, now time.Time) ([]Due, error) {
	var left []Due
	for _, d := range DueDates(cfg, now, nil) {
		if d.State == NotYet {
			continue
		}
		there, err := hasPreview(ctx, ledger.Bucket(), d.Date)
		if err != nil {
			return nil, err
		}
		if !there {
			left = append(left, d)
		}
	}
	return left, nil
}

func hasPreview(ctx context.Context, output *objstore.Bucket, d date.Date) (bool, error) {
	runs, err := output.Folders(ctx, path.Dir(publish.PreviewPrefix(d, "run")))
	if err != nil {
		return false, err
	}
	for _, run := range runs {
		_, err := output.Stat(ctx, publish.PreviewPrefix(d, run)+"/"+publish.ManifestName)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, objstore.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}

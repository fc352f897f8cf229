package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/objstore/dry"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// latest names the newest date on a command line.
const latest = "latest"

// Options are what the command line adds to a config for one run.
type Options struct {
	Date     string // YYYY-MM-DD, or "latest"
	DryRun   bool
	Probe    bool // Check proves that the store keeps two runs apart
	Force    bool
	Accept   map[string]string // gate to reason
	Temp     string            // an existing folder
	NewRun   func() string
	Started  time.Time // the age of lists is counted from here
	Version  string
	Progress pipeline.Progress
}

// Nightly runs one night of a prediction. With a schedule the latest night is
// snapshot.ErrNotReady while a newer date is due, and may have an outcome all the
// same: that of an older date which was due as well.
func Nightly(ctx context.Context, cfg *config.Config, o Options, engine pipeline.Engine) (date.Date, *pipeline.Outcome, error) {
	if cfg.Mode == string(pipeline.Archived) {
		out, err := pipeline.Run(ctx, pipeline.Night{Mode: pipeline.Archived}, engine)
		return date.Date{}, out, err
	}
	n, err := newNight(ctx, cfg, o)
	if err != nil {
		return n.Date, nil, err
	}
	if o.Date == latest && cfg.Schedule != nil {
		return runLatest(ctx, cfg, n, engine)
	}
	out, err := pipeline.Run(ctx, n, engine)
	return n.Date, out, err
}

// Check reads the footers of a snapshot and checks it against the config. Nothing
// else is read and nothing is written, except for a probe where it is asked for.
func Check(ctx context.Context, cfg *config.Config, o Options) (*pipeline.Checked, error) {
	n, err := newNight(ctx, cfg, o)
	if err != nil {
		return nil, err
	}
	checked, err := pipeline.Check(ctx, n)
	if err != nil || !o.Probe {
		return checked, err
	}
	replaced, err := publish.Probe(ctx, n.Output)
	if err != nil {
		return nil, fmt.Errorf("publish.url: %w", err)
	}
	checked.Probed = "create"
	if replaced {
		checked.Probed = "create and replace"
	}
	return checked, nil
}

// newNight is openNight with the date fixed.
func newNight(ctx context.Context, cfg *config.Config, o Options) (pipeline.Night, error) {
	n, err := openNight(ctx, cfg, o)
	if err != nil {
		return n, err
	}
	n.Date, err = dateOf(ctx, n.Snapshot, o.Date)
	return n, err
}

// openNight opens the stores and the model that a config names.
func openNight(ctx context.Context, cfg *config.Config, o Options) (pipeline.Night, error) {
	n := pipeline.Night{
		Prediction: cfg.Prediction, Mode: pipeline.Mode(cfg.Mode), Verify: snapshot.Verify(cfg.Snapshot.Verify),
		Limits: snapshot.DefaultLimits(), SplitRows: snapshot.SplitRows, Zone: cfg.Timezone, Gates: gatesOf(cfg.Gates), Baseline: cfg.Gates.PSI.Baseline,
		Accept: o.Accept, Force: o.Force, DryRun: o.DryRun, NewRun: o.NewRun, Started: o.Started, Version: o.Version, Temp: o.Temp, Progress: o.Progress,
	}
	if err := gate.CheckAccept(slices.Sorted(maps.Keys(o.Accept))); err != nil {
		return n, fmt.Errorf("%w: --accept: %w", ErrUsage, err)
	}
	var err error
	n.Rules = rulesOf(cfg)
	if err = addScore(ctx, cfg.Score, &n.Rules); err != nil {
		return n, err
	}
	if n.Snapshot, err = sourceOf(ctx, cfg.Snapshot); err != nil {
		return n, err
	}
	if err = openLists(ctx, cfg, &n); err != nil {
		return n, err
	}
	output := dial.Options{Output: true}
	if o.DryRun {
		output.Wrap = func(d objstore.Driver) objstore.Driver { return dry.New(d) }
	}
	if n.Output, err = dial.Open(ctx, cfg.Publish.URL, output); err != nil {
		err = fmt.Errorf("publish.url: %w", err)
	}
	return n, err
}

// dateOf reads the --date flag; latest is the newest date with a ready snapshot.
func dateOf(ctx context.Context, s snapshot.Source, flag string) (date.Date, error) {
	if flag == latest {
		return s.Newest(ctx)
	}
	d, err := date.Parse(flag)
	if err != nil {
		return d, fmt.Errorf("%w: --date: %w", ErrUsage, err)
	}
	return d, nil
}

func sourceOf(ctx context.Context, c config.Snapshot) (snapshot.Source, error) {
	b, err := dial.Open(ctx, c.URL, dial.Options{})
	if err != nil {
		return snapshot.Source{}, fmt.Errorf("snapshot.url: %w", err)
	}
	return snapshot.Source{Bucket: b, Partition: c.Partition, Files: c.Files, Ready: c.Ready}, nil
}

// rulesOf gives the rules of a config but for what scores.
func rulesOf(cfg *config.Config) pipeline.Rules {
	r := pipeline.Rules{
		ID: cfg.Snapshot.ID, Contact: cfg.Snapshot.Contact, Duplicates: identity.Policy(cfg.Snapshot.Duplicates), OrderBy: cfg.Snapshot.OrderBy, AsOf: cfg.Snapshot.AsOf,
		Eligible: cfg.Eligible, Suppress: conditionsOf(cfg.Suppress), Exclusive: cfg.Exclusive, Holdout: holdoutOf(cfg.Holdout), Zone: zoneOf(cfg),
		Scores: cfg.Publish.Scores, Passthrough: cfg.Publish.Passthrough, Compression: cfg.Publish.Compression,
	}
	for _, c := range cfg.Categories {
		rule := distribution.Rule{Name: c.Name}
		if c.From != nil {
			rule.From = *c.From
		}
		if c.TopShare != nil {
			rule.TopShare = *c.TopShare
		}
		r.Categories = append(r.Categories, rule)
	}
	r.Audiences = audiencesOf(cfg)
	if c := cfg.Score.Column; c != nil {
		r.Column = &pipeline.ColumnScore{Name: c.Name, Low: c.Low, High: c.High}
	} else {
		r.ModelUse = modelUse(cfg)
	}
	return r
}

// addScore adds what scores to rules.
func addScore(ctx context.Context, c config.Score, r *pipeline.Rules) (err error) {
	if r.Column != nil {
		r.Scorer, err = score.FromColumn(r.Column.Name, r.Column.Low, r.Column.High)
		return err
	}
	r.Scorer, r.Model, err = readModel(ctx, c.Model, modelOptions(c))
	return err
}

// modelLimit bounds the size of a model file.
const modelLimit = 256 << 20

func readModel(ctx context.Context, url string, o score.Options) (*score.Scorer, *pipeline.Model, error) {
	data, err := readFile(ctx, url, modelLimit)
	if errors.Is(err, objstore.ErrNotExist) || errors.Is(err, objstore.ErrNoBucket) || errors.Is(err, objstore.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("score.model: %w", err)
	}
	name := path.Base(url)
	s, err := score.ReadModel(name, data, o)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(data)
	return s, &pipeline.Model{Name: name, SHA256: hex.EncodeToString(sum[:]), Kind: s.Kind()}, nil
}

// readFile reads one small object, or a file of this machine.
func readFile(ctx context.Context, url string, limit int64) ([]byte, error) {
	folder, name := path.Split(url)
	if folder == "" {
		folder = "."
	}
	b, err := dial.Open(ctx, folder, dial.Options{})
	if err != nil {
		return nil, err
	}
	data, _, err := b.Read(ctx, name, limit)
	return data, err
}

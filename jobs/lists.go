package jobs

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/objstore/dial"
)

// openLists opens the places of the lists that a config names.
func openLists(ctx context.Context, cfg *config.Config, n *pipeline.Night) error {
	for _, l := range cfg.Exclude {
		list, err := listIn(ctx, l.URL)
		if err != nil {
			return fmt.Errorf("exclude: %w", err)
		}
		list.ID = l.ID
		n.Exclude = append(n.Exclude, list)
	}
	for _, s := range cfg.Suppress {
		list, err := suppressionOf(ctx, s)
		if err != nil {
			return fmt.Errorf("suppress: %w", err)
		}
		if s.Where == "" {
			n.Suppress = append(n.Suppress, list)
		}
	}
	return nil
}

func suppressionOf(ctx context.Context, s config.Suppress) (list pipeline.List, err error) {
	switch {
	case s.URL != "":
		list, err = listIn(ctx, s.URL)
		list.Contact, list.MaxAge, list.MinRatio = s.Contact, s.MaxAge, s.MinRatio
	case s.Publication != "":
		list.URL, list.Audience = s.Publication+", audience "+s.Audience, s.Audience
		list.Bucket, err = dial.Open(ctx, s.Publication, dial.Options{})
	}
	list.ID = s.ID
	return list, err
}

// listIn opens the folder of a list; the last element of its URL is a glob.
func listIn(ctx context.Context, url string) (pipeline.List, error) {
	folder, glob := path.Split(url)
	b, err := dial.Open(ctx, folder, dial.Options{})
	return pipeline.List{URL: url, Bucket: b, Files: glob}, err
}

// conditionsOf gives the suppression rules that are expressions.
func conditionsOf(all []config.Suppress) []string {
	var conditions []string
	for _, s := range all {
		if s.Where != "" {
			conditions = append(conditions, s.Where)
		}
	}
	return conditions
}

func holdoutOf(h *config.Holdout) *pipeline.Holdout {
	if h == nil {
		return nil
	}
	return &pipeline.Holdout{Share: h.Share, Salt: h.Salt, ByContact: h.Key == config.HoldoutByContact}
}

// zoneOf gives the zone that decides bytes: where an expression speaks of now, or
// may.
func zoneOf(cfg *config.Config) string {
	texts := append(conditionsOf(cfg.Suppress), cfg.Eligible)
	for _, text := range cfg.Score.Features {
		texts = append(texts, text)
	}
	for _, a := range cfg.Audiences {
		texts = append(texts, a.Where)
		for _, f := range a.Files {
			for _, c := range f.Columns {
				if _, x := filter.Resolve(c.From, nil); x != nil {
					texts = append(texts, c.From)
				}
			}
		}
	}
	if strings.Contains(strings.Join(texts, " "), "now") {
		return cfg.Timezone.String()
	}
	return ""
}

package jobs

import (
	"context"
	"fmt"
	"math"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/publish"
)

// Shown is one publication with those before it.
type Shown struct {
	Prediction string            `json:"prediction"`
	Date       date.Date         `json:"date"`
	Run        string            `json:"run"`
	Seq        int               `json:"seq"`
	Manifest   *publish.Manifest `json:"manifest"`
	History    []PastNight       `json:"history"` // newest first, the shown date included
}

// PastNight is one line of the history.
type PastNight struct {
	Date date.Date    `json:"date"`
	Seq  int          `json:"seq"`
	Rows publish.Rows `json:"rows"`
}

// historyNights is how many publications Show lists.
const historyNights = 14

// newest is after every date.
var newest = date.FromDays(math.MaxInt32 / 2)

// Show reads the publication of a date, or of the newest date, and its history.
func Show(ctx context.Context, cfg *config.Config, flag string) (*Shown, error) {
	_, past, err := published(ctx, cfg, flag, historyNights)
	if err != nil {
		return nil, err
	}
	p := past[0]
	s := &Shown{Prediction: cfg.Prediction, Date: p.Date, Run: p.Run, Seq: p.Seq, Manifest: p.Manifest}
	for _, p := range past {
		s.History = append(s.History, PastNight{Date: p.Date, Seq: p.Seq, Rows: p.Manifest.Rows})
	}
	return s, nil
}

// Files lists the URLs of the published files of a date, or of the newest date,
// of one audience or table when it is named.
func Files(ctx context.Context, cfg *config.Config, flag, audience, table string) ([]string, error) {
	ledger, past, err := published(ctx, cfg, flag, 1)
	if err != nil {
		return nil, err
	}
	var urls []string
	found := audience == "" && table == ""
	add := func(files []publish.File) {
		for _, f := range files {
			urls = append(urls, ledger.Bucket().URL(f.Key))
		}
	}
	for _, a := range past[0].Manifest.Audiences {
		if a.Name == audience || audience == "" && table == "" {
			add(a.Files)
			found = true
		}
	}
	for _, t := range past[0].Manifest.Tables {
		if t.Name == table || audience == "" && table == "" {
			add(t.Files)
			found = true
		}
	}
	if !found {
		return nil, fmt.Errorf("%w: %s has no audience %q or table %q; churntier show lists them", ErrUsage, past[0].Date, audience, table)
	}
	return urls, nil
}

// published reads the publications up to a date, newest first; the first is the
// date's own.
func published(ctx context.Context, cfg *config.Config, flag string, n int) (*publish.Ledger, []publish.Published, error) {
	b, err := dial.Open(ctx, cfg.Publish.URL, dial.Options{Output: true})
	if err != nil {
		return nil, nil, fmt.Errorf("publish.url: %w", err)
	}
	ledger, err := publish.Open(ctx, b, cfg.Prediction)
	if err != nil {
		return nil, nil, err
	}
	until := newest
	if flag != "latest" {
		if until, err = date.Parse(flag); err != nil {
			return nil, nil, fmt.Errorf("%w: --date: %w", ErrUsage, err)
		}
	}
	past, err := ledger.Past(ctx, until.AddDays(1), n)
	if err != nil {
		return nil, nil, err
	}
	if len(past) == 0 || flag != "latest" && past[0].Date != until {
		return nil, nil, fmt.Errorf("%w: nothing is published for %s under %s", ErrUsage, flag, b.URL(""))
	}
	return ledger, past, nil
}

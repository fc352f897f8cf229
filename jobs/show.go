package jobs

import (
	"context"
	"fmt"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// Shown is one publication with those before it.
type Shown struct {
	Prediction string            `json:"prediction"`
	Date       date.Date         `json:"date"`
	Run        string            `json:"run"`
	Seq        int               `json:"seq"`
	Expired    bool              `json:"expired"` // only manifest and distribution are left
	Log        []publish.Entry   `json:"log"`     // of the date
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

// Show reads the publication of a date, or of the newest date, and its history.
func Show(ctx context.Context, cfg *config.Config, flag string) (*Shown, error) {
	ledger, past, err := published(ctx, cfg, flag, historyNights)
	if err != nil {
		return nil, err
	}
	p := past[0]
	log, err := ledger.Log(ctx, p.Date)
	if err != nil {
		return nil, err
	}
	s := &Shown{Prediction: cfg.Prediction, Date: p.Date, Run: p.Run, Seq: p.Seq, Expired: p.Expired, Log: log.Entries, Manifest: p.Manifest}
	for _, p := range past {
		s.History = append(s.History, PastNight{Date: p.Date, Seq: p.Seq, Rows: p.Manifest.Rows})
	}
	return s, nil
}

// Files lists the URLs of the published files of a date, or of the newest date,
// of one audience or table when it is named. The control arms of audiences, which
// must not be mailed, are left out.
func Files(ctx context.Context, cfg *config.Config, flag, audience, table string) ([]string, error) {
	ledger, past, err := published(ctx, cfg, flag, 1)
	if err != nil {
		return nil, err
	}
	if past[0].Expired {
		return nil, fmt.Errorf("%w: %s: %w; its manifest and distribution are left", ErrUsage, past[0].Date, publish.ErrExpired)
	}
	m, all := past[0].Manifest, audience == "" && table == ""
	var files []publish.File
	for _, a := range m.Audiences {
		if all || a.Name == audience {
			files, audience = append(files, a.DeliveredFiles()...), ""
		}
	}
	for _, t := range m.Tables {
		if all || t.Name == table {
			files, table = append(files, t.Files...), ""
		}
	}
	if missing := audience + table; missing != "" {
		return nil, fmt.Errorf("%w: %s has no audience or table %q; churntier show -c CONFIG lists them", ErrUsage, past[0].Date, missing)
	}
	urls := make([]string, len(files))
	for i, f := range files {
		urls[i] = ledger.Bucket().URL(f.Key)
	}
	return urls, nil
}

// published reads the publications up to a date, newest first; the first is the
// date's own.
func published(ctx context.Context, cfg *config.Config, flag string, n int) (*publish.Ledger, []publish.Published, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	day, err := publishedDate(ctx, ledger, flag)
	if err != nil {
		return nil, nil, err
	}
	past, err := ledger.Past(ctx, day.AddDays(1), n)
	if err != nil {
		return nil, nil, err
	}
	if len(past) == 0 || past[0].Date != day {
		return nil, nil, fmt.Errorf("%w: nothing is published for the %s date under %s", ErrUsage, flag, ledger.Bucket().URL(""))
	}
	return ledger, past, nil
}

// publishedDate reads the --date flag; latest is the newest date with a publication
// or a withdrawal, never an older one.
func publishedDate(ctx context.Context, ledger *publish.Ledger, flag string) (date.Date, error) {
	if flag != "latest" {
		d, err := date.Parse(flag)
		if err != nil {
			err = fmt.Errorf("%w: --date: %w", ErrUsage, err)
		}
		return d, err
	}
	newest, err := ledger.Newest(ctx, 1)
	if err != nil || len(newest) == 0 {
		return date.Date{}, err
	}
	return newest[0].Date, nil
}

package jobs

import (
	"context"
	"fmt"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/publish"
)

// Shown is what is published of one date, with the dates before it and the refused
// runs that are newer.
type Shown struct {
	Prediction string            `json:"prediction"`
	Date       date.Date         `json:"date"`
	Status     string            `json:"status"`   // as in the history
	Run        string            `json:"run"`      // "" when nothing is published
	Seq        int               `json:"seq"`      // of the entry that counts
	Expired    bool              `json:"expired"`  // only manifest and distribution are left
	Log        []publish.Entry   `json:"log"`      // of the date
	Manifest   *publish.Manifest `json:"manifest"` // nil when nothing is published
	History    []PastNight       `json:"history"`  // newest first, the shown date included
	Refusals   []Refused         `json:"refusals"` // newest first
	Deliveries []PastDeliveries  `json:"deliveries"`
}

// PastDeliveries is what a tool received, newest first.
type PastDeliveries struct {
	Name string          `json:"name"`
	Past []delivery.Past `json:"past"`
}

// Show reads what is published of a date, or of the newest date, its history, and
// why runs were refused. A date of which runs were refused is shown though nothing
// is published.
func Show(ctx context.Context, cfg *config.Config, flag string) (*Shown, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	refused, err := ledger.RefusedDates(ctx)
	if err != nil {
		return nil, err
	}
	day, err := publishedDate(ctx, ledger, flag)
	if err != nil {
		return nil, err
	}
	if day.IsZero() && len(refused) > 0 {
		day = refused[len(refused)-1]
	}
	nights, err := history(ctx, ledger, refused, day)
	if err != nil {
		return nil, err
	}
	if len(nights) == 0 || nights[0].log.Date != day {
		return nil, nothingPublished(ledger, flag)
	}
	s := nights[0].shown(cfg.Prediction)
	for _, n := range nights {
		s.History = append(s.History, n.line())
	}
	if s.Deliveries, err = pastDeliveries(ctx, cfg, ledger, historyNights); err != nil {
		return nil, err
	}
	s.Refusals, err = refusals(ctx, ledger, refused, s, flag != latest)
	return s, err
}

// pastDeliveries gives the newest n deliveries to each tool.
func pastDeliveries(ctx context.Context, cfg *config.Config, ledger *publish.Ledger, n int) ([]PastDeliveries, error) {
	all := []PastDeliveries{}
	for _, d := range cfg.Deliveries {
		past, err := delivery.Open(ledger.Bucket(), d.Name).History(ctx, n)
		if err != nil {
			return nil, err
		}
		all = append(all, PastDeliveries{d.Name, past})
	}
	return all, nil
}

// Files lists the URLs of the published files of a date, or of the newest date,
// of one audience or table when it is named. The control arms of audiences, which
// must not be mailed, are left out.
func Files(ctx context.Context, cfg *config.Config, flag, audience, table string) ([]string, error) {
	ledger, p, err := published(ctx, cfg, flag)
	if err != nil {
		return nil, err
	}
	if p.Expired {
		return nil, fmt.Errorf("%w: %s: %w; its manifest and distribution are left", ErrUsage, p.Date, publish.ErrExpired)
	}
	m, all := p.Manifest, audience == "" && table == ""
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
		return nil, fmt.Errorf("%w: %s has no audience or table %q; churntier show -c CONFIG lists them", ErrUsage, p.Date, missing)
	}
	urls := make([]string, len(files))
	for i, f := range files {
		urls[i] = ledger.Bucket().URL(f.Key)
	}
	return urls, nil
}

func nothingPublished(ledger *publish.Ledger, flag string) error {
	if flag == latest || flag == "all" {
		return fmt.Errorf("%w: nothing is published under %s yet", ErrUsage, ledger.Bucket().URL(""))
	}
	return fmt.Errorf("%w: nothing is published for %s under %s; churntier show -c CONFIG lists the dates", ErrUsage, flag, ledger.Bucket().URL(""))
}

// withoutFiles says why the date of a log has none.
func withoutFiles(ledger *publish.Ledger, log publish.Log) error {
	if e, found := log.Effective(); found {
		return fmt.Errorf("%w: %s was withdrawn (%s) and has no files", ErrUsage, log.Date, e.Reason)
	}
	return nothingPublished(ledger, log.Date.String())
}

// published reads what is published of a date.
func published(ctx context.Context, cfg *config.Config, flag string) (*publish.Ledger, publish.Published, error) {
	ledger, err := openLedger(ctx, cfg, nil)
	if err != nil {
		return nil, publish.Published{}, err
	}
	day, err := publishedDate(ctx, ledger, flag)
	if err != nil {
		return nil, publish.Published{}, err
	}
	if day.IsZero() {
		return nil, publish.Published{}, nothingPublished(ledger, flag)
	}
	log, err := ledger.Log(ctx, day)
	if err != nil {
		return nil, publish.Published{}, err
	}
	p, found, err := ledger.PublishedBy(ctx, log)
	if err == nil && !found {
		err = withoutFiles(ledger, log)
	}
	return ledger, p, err
}

// publishedDate reads the --date flag; latest is the newest date with a publication
// or a withdrawal, never an older one.
func publishedDate(ctx context.Context, ledger *publish.Ledger, flag string) (date.Date, error) {
	if flag != latest {
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

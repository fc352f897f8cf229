package jobs

import (
	"context"
	"fmt"
	"slices"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// Shown is what is published of one date, with the dates before it and the refused
// runs that are newer.
type Shown struct {
	Prediction string            `json:"prediction"`
	Date       date.Date         `json:"date"`
	Status     string            `json:"status"` // as in the history
	Run        string            `json:"run"`    // "" when nothing is published
	Seq        int               `json:"seq"`
	Expired    bool              `json:"expired"`  // only manifest and distribution are left
	Log        []publish.Entry   `json:"log"`      // of the date
	Manifest   *publish.Manifest `json:"manifest"` // nil when nothing is published
	History    []PastNight       `json:"history"`  // newest first, the shown date included
	Refusals   []Refused         `json:"refusals"` // newest first
}

// PastNight is one line of the history.
type PastNight struct {
	Date   date.Date     `json:"date"`
	Status string        `json:"status"`
	Seq    int           `json:"seq"`
	Rows   *publish.Rows `json:"rows"` // nil when nothing is published
}

// The states of a date.
const (
	isPublished  = "published"
	isRolledBack = "rolled back"
	isWithdrawn  = "withdrawn"
	isRefused    = "refused"
)

// historyNights is how many dates Show lists.
const historyNights = 14

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
	s := &Shown{Prediction: cfg.Prediction, Date: day}
	if s.History, err = history(ctx, ledger, refused, day); err != nil {
		return nil, err
	}
	if len(s.History) == 0 || s.History[0].Date != day {
		return nil, nothingPublished(ledger, flag)
	}
	s.Status = s.History[0].Status
	log, err := ledger.Log(ctx, day)
	if err != nil {
		return nil, err
	}
	s.Log = log.Entries
	p, found, err := ledger.Published(ctx, day)
	if err != nil {
		return nil, err
	}
	if found {
		s.Run, s.Seq, s.Expired, s.Manifest = p.Run, p.Seq, p.Expired, p.Manifest
	}
	s.Refusals, err = refusals(ctx, ledger, refused, s, flag != latest)
	return s, err
}

// history lists the newest dates up to one of which something was published,
// withdrawn or refused.
func history(ctx context.Context, ledger *publish.Ledger, refused []date.Date, upTo date.Date) ([]PastNight, error) {
	dates, err := ledger.Dates(ctx)
	if err != nil {
		return nil, err
	}
	dates = append(dates, refused...)
	slices.SortFunc(dates, date.Date.Compare)
	var nights []PastNight
	for _, d := range slices.Backward(slices.Compact(dates)) {
		if len(nights) == historyNights {
			break
		}
		if d.After(upTo) {
			continue
		}
		n, err := pastNight(ctx, ledger, d)
		if err != nil {
			return nil, err
		}
		if n.Status == "" && slices.Contains(refused, d) {
			n.Status = isRefused
		}
		if n.Status != "" {
			nights = append(nights, n)
		}
	}
	return nights, nil
}

// pastNight has no status where nothing happened to the date.
func pastNight(ctx context.Context, ledger *publish.Ledger, d date.Date) (PastNight, error) {
	n := PastNight{Date: d}
	log, err := ledger.Log(ctx, d)
	if err != nil {
		return n, err
	}
	e, found := log.Effective()
	if !found {
		return n, nil
	}
	n.Seq, n.Status = e.Seq, statusOf(log)
	p, found, err := ledger.Published(ctx, d)
	if found {
		n.Rows = &p.Manifest.Rows
	}
	return n, err
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
	return fmt.Errorf("%w: nothing is published for the %s date under %s", ErrUsage, flag, ledger.Bucket().URL(""))
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
	p, found, err := ledger.Published(ctx, day)
	if err == nil && !found {
		err = nothingPublished(ledger, flag)
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

package jobs

import (
	"context"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// PastNight is one line of the history.
type PastNight struct {
	Date   date.Date     `json:"date"`
	Status string        `json:"status"`
	Seq    int           `json:"seq"`
	Rows   *publish.Rows `json:"rows"` // nil when nothing is published
}

// Decided says whether the date was published, rolled back or withdrawn, so that
// nothing is due for it.
func (p PastNight) Decided() bool { return p.Status != isRefused }

// The states of a date.
const (
	isPublished  = "published"
	isRolledBack = "rolled back"
	isWithdrawn  = "withdrawn"
	isRefused    = "refused"
)

// historyNights is how many dates Show lists.
const historyNights = 14

// history lists the newest dates up to one of which something was published,
// withdrawn or refused.
func history(ctx context.Context, ledger *publish.Ledger, refused []date.Date, upTo date.Date) ([]night, error) {
	dates, err := ledger.Dates(ctx)
	if err != nil {
		return nil, err
	}
	dates = append(dates, refused...)
	slices.SortFunc(dates, date.Date.Compare)
	var nights []night
	for _, d := range slices.Backward(slices.Compact(dates)) {
		if len(nights) == historyNights {
			break
		}
		if d.After(upTo) {
			continue
		}
		n, err := readNight(ctx, ledger, d)
		if err != nil {
			return nil, err
		}
		if n.status == "" && slices.Contains(refused, d) {
			n.status = isRefused
		}
		if n.status != "" {
			nights = append(nights, n)
		}
	}
	return nights, nil
}

// night is what happened to one date.
type night struct {
	log       publish.Log
	status    string             // "" where nothing happened to the date
	seq       int                // of the entry that counts
	published *publish.Published // nil when nothing is
}

func readNight(ctx context.Context, ledger *publish.Ledger, d date.Date) (night, error) {
	log, err := ledger.Log(ctx, d)
	if err != nil {
		return night{}, err
	}
	n := night{log: log}
	if e, found := log.Effective(); found {
		n.seq, n.status = e.Seq, statusOf(log)
	}
	p, found, err := ledger.PublishedBy(ctx, log)
	if found {
		n.published = &p
	}
	return n, err
}

func (n night) line() PastNight {
	p := PastNight{Date: n.log.Date, Status: n.status, Seq: n.seq}
	if n.published != nil {
		p.Rows = &n.published.Manifest.Rows
	}
	return p
}

func (n night) shown(prediction string) *Shown {
	s := &Shown{
		Prediction: prediction, Date: n.log.Date, Status: n.status, Seq: n.seq, Log: append([]publish.Entry{}, n.log.Entries...),
	}
	if p := n.published; p != nil {
		s.Run, s.Expired, s.Manifest = p.Run, p.Expired, p.Manifest
	}
	return s
}

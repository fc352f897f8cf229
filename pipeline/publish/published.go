package publish

import (
	"context"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
)

// Published is what is published of one date: the entry Seq of its log makes Run
// effective, by publishing it or by rolling back to it.
type Published struct {
	Date     date.Date
	Seq      int
	Run      string
	Manifest *Manifest
	Expired  bool // its shards are gone; the manifest and the distribution stay
}

// Published gives what is published of date d; false where nothing is, or where it
// was withdrawn.
func (l *Ledger) Published(ctx context.Context, d date.Date) (Published, bool, error) {
	log, err := l.Log(ctx, d)
	if err != nil {
		return Published{}, false, err
	}
	return l.PublishedBy(ctx, log)
}

// PublishedBy is Published by the log of a date as it was read.
func (l *Ledger) PublishedBy(ctx context.Context, log Log) (Published, bool, error) {
	e, _ := log.Effective()
	source, ok := log.publication(e)
	if !ok {
		return Published{}, false, nil
	}
	m, err := l.Committed(ctx, log.Date, source)
	if err != nil {
		return Published{}, false, err
	}
	return Published{log.Date, e.Seq, source.Run, m, log.Expired(source.Run)}, true, nil
}

// Committed gives the manifest that the entry e of the log of d published, byte for
// byte.
func (l *Ledger) Committed(ctx context.Context, d date.Date, e Entry) (*Manifest, error) {
	m, digest, err := l.manifest(ctx, d, e.Run)
	if err == nil && (digest != e.ManifestSHA256 || m.Fingerprint != e.Fingerprint) {
		err = fmt.Errorf("%w: %s/%s: sha256 %s, fingerprint %s; committed were %s, %s", ErrDamaged,
			l.bucket.URL(m.Prefix()), ManifestName, digest, m.Fingerprint, e.ManifestSHA256, e.Fingerprint)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Past gives what is published of the n newest dates before before, newest first.
// Dates without a publication, or with a withdrawn one, are passed over.
func (l *Ledger) Past(ctx context.Context, before date.Date, n int) ([]Published, error) {
	dates, err := l.Dates(ctx)
	if err != nil {
		return nil, err
	}
	var past []Published
	for _, d := range slices.Backward(dates) {
		if len(past) == n {
			break
		}
		if !d.Before(before) {
			continue
		}
		p, ok, err := l.Published(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("history before %s: %w", before, err)
		}
		if ok {
			past = append(past, p)
		}
	}
	return past, nil
}

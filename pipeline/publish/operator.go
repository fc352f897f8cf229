package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// Rollback makes the run that entry to of the log of d published effective again
// and gives the entry that says so. Where that run is effective already nothing is
// added. ErrTarget when the entry published no run, or one whose shards have
// expired; ErrDamaged when a file of the run is not there any more; ErrSuperseded
// when somebody changed the log at the same time. latest/ follows with Project.
func (l *Ledger) Rollback(ctx context.Context, d date.Date, to int, reason string) (Entry, error) {
	log, err := l.Log(ctx, d)
	if err != nil {
		return Entry{}, err
	}
	target, err := log.target(to)
	if err == nil {
		err = checkReason(reason)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("roll %s back: %w", d, err)
	}
	if now, found := log.Effective(); found {
		if p, ok := log.publication(now); ok && p.Run == target.Run {
			return now, nil
		}
	}
	if err := l.checkThere(ctx, d, target); err != nil {
		return Entry{}, fmt.Errorf("roll %s back: %w", d, err)
	}
	return l.place(ctx, log, Entry{Rollback: target.Run, To: &to, Reason: reason}, Rollback)
}

// Withdraw says that nothing is published for d any more, and gives the entry that
// says so. Where d is withdrawn already nothing is added. ErrTarget when nothing
// was ever published for d; ErrSuperseded when somebody changed the log at the same
// time. latest/ follows with Project.
func (l *Ledger) Withdraw(ctx context.Context, d date.Date, reason string) (Entry, error) {
	log, err := l.Log(ctx, d)
	if err != nil {
		return Entry{}, err
	}
	now, found := log.Effective()
	err = checkReason(reason)
	switch {
	case err != nil:
		return Entry{}, fmt.Errorf("withdraw %s: %w", d, err)
	case !found:
		return Entry{}, fmt.Errorf("withdraw %s: %w: nothing is published for it", d, ErrTarget)
	case now.Kind() == Withdrawal:
		return now, nil
	}
	return l.place(ctx, log, Entry{Withdraw: true, Reason: reason}, Withdrawal)
}

// target gives the publication at place to of the log, which must not have expired.
func (g Log) target(to int) (Entry, error) {
	if to < 0 || to >= g.Next() || g.Entries[to].Kind() != Publication {
		return Entry{}, fmt.Errorf("%w: entry %d published no run; entries that did: %s", ErrTarget, to, g.publications())
	}
	e := g.Entries[to]
	if g.Expired(e.Run) {
		return Entry{}, fmt.Errorf("%w: entry %d: %w", ErrTarget, to, ErrExpired)
	}
	return e, nil
}

// publications lists the places of the runs that can be rolled back to.
func (g Log) publications() string {
	var places []string
	for _, e := range g.Publications() {
		if !g.Expired(e.Run) {
			places = append(places, fmt.Sprint(e.Seq))
		}
	}
	if places == nil {
		return "none"
	}
	return strings.Join(places, ", ")
}

// checkThere makes sure that the run which e published has its manifest and every
// file in its size, so that nothing damaged is made effective.
func (l *Ledger) checkThere(ctx context.Context, d date.Date, e Entry) error {
	m, err := l.Committed(ctx, d, e)
	if err != nil {
		return err
	}
	for _, f := range m.Files() {
		a, err := l.bucket.Stat(ctx, f.Key)
		switch {
		case errors.Is(err, objstore.ErrNotExist):
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		case err != nil:
			return err
		case a.Size != f.Bytes:
			return fmt.Errorf("%w: %s has %d bytes, expected %d", ErrDamaged, l.bucket.URL(f.Key), a.Size, f.Bytes)
		}
	}
	return nil
}

// reasonLimit bounds what an operator may say, in bytes.
const reasonLimit = 1000

func checkReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return fmt.Errorf("%w: a reason is needed", ErrTarget)
	case len(reason) > reasonLimit:
		return fmt.Errorf("%w: the reason has %d bytes, at most %d are allowed", ErrTarget, len(reason), reasonLimit)
	case !utf8.ValidString(reason) || strings.ContainsFunc(reason, unicode.IsControl):
		return fmt.Errorf("%w: the reason must be one line of text", ErrTarget)
	}
	return nil
}

package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

const commitsFolder = "commits/"

// Log is what happened to one date, in order. It is dense: entry i has seq i.
type Log struct {
	Date    date.Date
	Entries []Entry
}

// Next is the seq of the entry that would be added.
func (g Log) Next() int { return len(g.Entries) }

// Effective gives the entry that decides what is published of the date: the last
// one that is not a fence or an expiry; false when there is none.
func (g Log) Effective() (Entry, bool) {
	for _, e := range slices.Backward(g.Entries) {
		if k := e.Kind(); k != Fence && k != Expiry {
			return e, true
		}
	}
	return Entry{}, false
}

// publication gives the entry that published the run which e makes effective;
// false when e withdraws the date or is no entry at all.
func (g Log) publication(e Entry) (Entry, bool) {
	switch e.Kind() {
	case Publication:
		return e, true
	case Rollback:
		return g.Entries[*e.To], true
	}
	return Entry{}, false
}

// Expired says whether an expiry of the log names the run: its shards are gone, or
// will be.
func (g Log) Expired(run string) bool {
	return slices.ContainsFunc(g.Entries, func(e Entry) bool { return slices.Contains(e.Expire, run) })
}

// Publications gives the entries that published a run.
func (g Log) Publications() []Entry {
	return slices.DeleteFunc(slices.Clone(g.Entries), func(e Entry) bool { return e.Kind() != Publication })
}

// published says whether an entry of the log published the run.
func (g Log) published(run string) bool {
	return slices.ContainsFunc(g.Entries, func(e Entry) bool { return e.Kind() == Publication && e.Run == run })
}

// Dates lists the dates that have a log, ascending. A folder that is not named
// by a date holds no log.
func (l *Ledger) Dates(ctx context.Context) ([]date.Date, error) { return l.dates(ctx, commitsFolder) }

// Newest gives the n newest dates that have an effective entry, newest first.
func (l *Ledger) Newest(ctx context.Context, n int) ([]Log, error) {
	dates, err := l.Dates(ctx)
	if err != nil {
		return nil, err
	}
	var logs []Log
	for _, d := range slices.Backward(dates) {
		if len(logs) == n {
			break
		}
		log, err := l.Log(ctx, d)
		if err != nil {
			return nil, err
		}
		if _, found := log.Effective(); found {
			logs = append(logs, log)
		}
	}
	return logs, nil
}

// Log reads the log of date d, which is empty where nothing happened. A gap, or
// an entry that cannot be read, is ErrLog.
func (l *Ledger) Log(ctx context.Context, d date.Date) (Log, error) {
	g := Log{Date: d}
	found, err := l.bucket.List(ctx, commitsFolder+d.String()+"/")
	if err != nil {
		return g, err
	}
	for seq, a := range found {
		if want := entryKey(d, seq); a.Key != want {
			return g, fmt.Errorf("%w of %s: found %s, expected %s", ErrLog, d, l.bucket.URL(a.Key), l.bucket.URL(want))
		}
		e, err := l.entry(ctx, d, seq)
		if err == nil {
			err = g.checkNames(e)
		}
		if err != nil {
			return g, err
		}
		g.Entries = append(g.Entries, e)
	}
	return g, nil
}

// checkNames makes sure that the runs which e names were published before it: a
// rollback those of the place it names.
func (g Log) checkNames(e Entry) error {
	switch e.Kind() {
	case Rollback:
		if g.Entries[*e.To].Run != e.Rollback {
			return fmt.Errorf("%w of %s: entry %d rolls back to run %s at %d, which entry %d did not publish",
				ErrLog, g.Date, e.Seq, e.Rollback, *e.To, *e.To)
		}
	case Expiry:
		for _, run := range e.Expire {
			if !g.published(run) {
				return fmt.Errorf("%w of %s: entry %d lets run %s expire, which no entry before it published", ErrLog, g.Date, e.Seq, run)
			}
		}
	}
	return nil
}

// entry reads one entry; ErrNotExist where there is none.
func (l *Ledger) entry(ctx context.Context, d date.Date, seq int) (Entry, error) {
	key := entryKey(d, seq)
	data, _, err := l.bucket.Read(ctx, key, entryLimit)
	switch {
	case errors.Is(err, objstore.ErrTooLarge):
		return Entry{}, fmt.Errorf("%w: %w", ErrLog, err)
	case err != nil:
		return Entry{}, err
	}
	e, err := decodeEntry(data, seq)
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %s: %w", ErrLog, l.bucket.URL(key), err)
	}
	return e, nil
}

func entryKey(d date.Date, seq int) string {
	return fmt.Sprintf("%s%s/%08d.json", commitsFolder, d, seq)
}

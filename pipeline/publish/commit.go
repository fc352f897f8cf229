package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// Outcome is a commit that succeeded: by our entry, or because another run had
// published the same inputs, whose entry it is then.
type Outcome struct {
	Entry Entry
	Ours  bool
}

// readBackTime is how long add tries to find out what became of its entry, even
// when its context has ended.
const readBackTime = 10 * time.Second

// Commit publishes the run of e at the place after the last entry of log, which
// must have been read before the inputs. It sets e.Seq.
//
// When the store refuses or does not answer, the entry that is there decides: our
// own is success, whatever the answer was; another run of the same inputs is
// success too. One with other inputs, a rollback or a withdrawal is ErrSuperseded;
// a fence or an expiry is ErrRetry. When it stays open whether the run was
// published the error is ErrUnknown; after every other error it was not.
func (l *Ledger) Commit(ctx context.Context, log Log, e Entry) (Outcome, error) {
	e.Seq = log.Next()
	there, err := l.add(ctx, log.Date, e, Publication)
	if err != nil {
		return Outcome{}, fmt.Errorf("commit %s: %w", log.Date, err)
	}
	return resolve(log, e, there)
}

// add creates the entry e, of the given kind, at its place in the log of d, and
// gives the entry that is there then: e, whatever the store answered, or the one
// of another who was first. The error is ErrUnknown when that stays open; after
// every other error e was not added.
func (l *Ledger) add(ctx context.Context, d date.Date, e Entry, kind Kind) (Entry, error) {
	if err := e.check(kind); err != nil {
		return Entry{}, err
	}
	data, err := encode(e)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return Entry{}, fmt.Errorf("not published: %w", err)
	}
	if _, err = l.bucket.CreateBytes(ctx, entryKey(d, e.Seq), data); err == nil {
		return e, nil
	}
	return l.settle(ctx, d, e.Seq, err)
}

// place adds an entry that stands for no run at the end of the log as it was when
// it was decided on. ErrSuperseded when somebody else was first.
func (l *Ledger) place(ctx context.Context, log Log, e Entry, kind Kind) (Entry, error) {
	e.Seq = log.Next()
	there, err := l.add(ctx, log.Date, e, kind)
	switch {
	case err != nil:
		return Entry{}, fmt.Errorf("%s of %s: %w", kind, log.Date, err)
	case !there.equal(e):
		return Entry{}, fmt.Errorf("%s of %s: %w: entry %d is a %s made at the same time; look at the date again",
			kind, log.Date, ErrSuperseded, there.Seq, there.Kind())
	}
	return there, nil
}

// settle finds out what is at the place of an entry whose creation ended with
// failure.
func (l *Ledger) settle(ctx context.Context, d date.Date, seq int, failure error) (Entry, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackTime)
	defer cancel()
	there, err := l.entry(ctx, d, seq)
	switch {
	case err == nil:
		return there, nil
	case errors.Is(err, objstore.ErrNotExist) && isFinal(failure):
		return Entry{}, fmt.Errorf("not published: %w", failure)
	}
	return Entry{}, fmt.Errorf("%w: %w", ErrUnknown, errors.Join(failure, err))
}

// resolve says what it means for our entry that another, or itself, is there.
func resolve(log Log, ours, there Entry) (Outcome, error) {
	kind := there.Kind()
	switch {
	case kind == Fence || kind == Expiry:
		return Outcome{}, fmt.Errorf("commit %s: entry %d is a %s: %w", log.Date, there.Seq, kind, ErrRetry)
	case kind != Publication:
		return Outcome{}, fmt.Errorf("commit %s: %w: entry %d is a %s (%s) made since this run began; nothing was published",
			log.Date, ErrSuperseded, there.Seq, kind, there.Reason)
	case there.Run == ours.Run:
		return Outcome{there, true}, nil
	case there.Fingerprint == ours.Fingerprint:
		return Outcome{there, false}, nil
	}
	return Outcome{}, fmt.Errorf("commit %s: %w: run %s published other inputs since this run began; run again with --force to replace them",
		log.Date, ErrSuperseded, there.Run)
}

// isFinal says whether a write that failed so has not happened and will not: the
// store refused it. Any other failure may be a lost answer.
func isFinal(err error) bool {
	for _, kind := range []error{
		objstore.ErrPermission, objstore.ErrNoBucket, objstore.ErrNoSpace, objstore.ErrChecksum, objstore.ErrKey,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

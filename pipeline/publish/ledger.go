// Package publish is the publication protocol: how a run becomes what everybody
// sees of a date, all at once, whatever crashes or races with it.
//
// Below one URL lie immutable runs, and for each date a log of commits to which
// entries are only ever added, each by one create-if-absent. A run stages its
// files where nobody looks, seals them with a manifest as the last object, and is
// published by its entry in the log. The one path that changes, under latest/,
// follows the log:
//
//	admit    Ledger.Log, then Admit: is there anything to do?
//	stage    files under RunPrefix, by the caller
//	seal     Ledger.Seal writes MANIFEST.json
//	commit   Ledger.Commit adds the entry; from here on the run is published
//	project  Ledger.Project makes latest/ show what the log says
//
// A log also holds entries that no run writes: rollbacks and withdrawals of an
// operator (Rollback, Withdraw), fences and expiries of a clean-up (Prune).
package publish

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Format is the version of everything that this package writes. It reads this
// one only.
const Format = 1

// The kinds of failure that callers tell apart with errors.Is.
var (
	// ErrForeign: the place belongs to another prediction or another program.
	ErrForeign = errors.New("not a place of this prediction")
	// ErrNewer: a newer version of this program wrote it.
	ErrNewer = errors.New("written by a newer version of churntier; upgrade to read it")
	// ErrLog: the log of a date has a gap or an entry that cannot be read.
	ErrLog = errors.New("damaged commit log")
	// ErrDamaged: a manifest is missing, cannot be read or contradicts itself.
	ErrDamaged = errors.New("damaged manifest")
	// ErrSuperseded: another run, with other inputs, or an operator was first.
	ErrSuperseded = errors.New("superseded")
	// ErrRetry: a clean-up was first; start again with a new run.
	ErrRetry = errors.New("a clean-up took the place in the log; start again with a new run")
	// ErrUnknown: an entry of the log may have been added or not.
	ErrUnknown = errors.New("it may have taken effect or not; run again to find out and to finish it")
	// ErrTarget: an operator named what cannot be rolled back to or withdrawn.
	ErrTarget = errors.New("not possible")
	// ErrExpired: the shards of the run are gone.
	ErrExpired = errors.New("the shards of the run have expired")
	// ErrLatest: latest/ does not show what the log says.
	ErrLatest = errors.New("latest/ does not show what the log says")
	// ErrConflict: others kept replacing latest/ while it was to be written.
	ErrConflict = errors.New("others keep replacing it; run again")
)

const (
	ownerKey  = "_CHURNTIER.json"
	latestKey = "latest/_MANIFEST.json"

	ownerLimit = 64 << 10 // bytes
)

// Ledger is what one prediction has published under one URL. It holds no state of
// the store and may be used concurrently.
type Ledger struct {
	bucket     *objstore.Bucket
	prediction string
	claimed    bool
}

// owner is the object that says whose place this is.
type owner struct {
	Format     int    `json:"format"`
	Prediction string `json:"prediction"`
}

// Open gives the ledger of a prediction in b and writes nothing. It returns
// ErrForeign when b belongs to another prediction or has an unknown format.
func Open(ctx context.Context, b *objstore.Bucket, prediction string) (*Ledger, error) {
	l := &Ledger{bucket: b, prediction: prediction}
	err := l.checkOwner(ctx)
	if err != nil && !errors.Is(err, objstore.ErrNotExist) {
		return nil, err
	}
	l.claimed = err == nil
	return l, nil
}

// OpenAny gives the ledger of whichever prediction owns b, to read from. It is
// ErrForeign when none does.
func OpenAny(ctx context.Context, b *objstore.Bucket) (*Ledger, error) {
	data, _, err := b.Read(ctx, ownerKey, ownerLimit)
	if errors.Is(err, objstore.ErrNotExist) || errors.Is(err, objstore.ErrNoBucket) || errors.Is(err, objstore.ErrTooLarge) {
		return nil, fmt.Errorf("%s: %w: nothing is published there", b.URL(""), ErrForeign)
	}
	if err != nil {
		return nil, err
	}
	var o owner
	if err := decode(data, &o); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", b.URL(ownerKey), ErrForeign, err)
	}
	return Open(ctx, b, o.Prediction)
}

// Bucket is the place of publish.url itself.
func (l *Ledger) Bucket() *objstore.Bucket { return l.bucket }

// Probe proves that the store of b refuses a second create and a stale replace,
// as objstore.Probe does, beside the one object that is replaced.
func Probe(ctx context.Context, b *objstore.Bucket) (replaced bool, err error) {
	return objstore.Probe(ctx, probed(b))
}

func probed(b *objstore.Bucket) *objstore.Bucket { return b.Sub(path.Dir(latestKey)) }

// Claim writes the owner object unless it is there, after a Probe. When another
// prediction is first, it returns ErrForeign.
func (l *Ledger) Claim(ctx context.Context) error {
	if l.claimed {
		return nil
	}
	if _, err := Probe(ctx, l.bucket); err != nil {
		return fmt.Errorf("claim %s: %w", l.bucket.URL(""), err)
	}
	data, err := encode(owner{Format, l.prediction})
	if err == nil {
		_, err = l.bucket.CreateBytes(ctx, ownerKey, data)
	}
	if err == nil {
		return nil
	}
	there := l.checkOwner(ctx)
	if errors.Is(there, objstore.ErrNotExist) {
		return fmt.Errorf("claim %s: %w", l.bucket.URL(""), err)
	}
	return there
}

// CheckOwner returns ErrForeign unless the owner object is there, byte for byte as
// Claim writes it.
func (l *Ledger) CheckOwner(ctx context.Context) error {
	data, _, err := l.bucket.Read(ctx, ownerKey, ownerLimit)
	if err != nil {
		return err
	}
	want, err := encode(owner{Format, l.prediction})
	if err == nil && string(want) != string(data) {
		err = fmt.Errorf("%s: %w: it is not as it was written", l.bucket.URL(ownerKey), ErrForeign)
	}
	return err
}

func (l *Ledger) checkOwner(ctx context.Context) error {
	data, _, err := l.bucket.Read(ctx, ownerKey, ownerLimit)
	if err != nil && !errors.Is(err, objstore.ErrTooLarge) {
		return err
	}
	var o owner
	if err == nil {
		err = decode(data, &o)
	}
	url := l.bucket.URL(ownerKey)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w: %w; use another publish.url", url, ErrForeign, err)
	case o.Format != Format:
		return fmt.Errorf("%s: %w: has format %d, expected %d; upgrade churntier or use another publish.url",
			url, ErrForeign, o.Format, Format)
	case o.Prediction != l.prediction:
		return fmt.Errorf("%s: %w: belongs to prediction %q, expected %q; use another publish.url",
			url, ErrForeign, o.Prediction, l.prediction)
	}
	return nil
}

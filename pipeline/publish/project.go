package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// Projected is what latest/_MANIFEST.json shows: the effective entry Seq of Date.
// It is the zero value while nothing was ever published. It is also the JSON form
// of a withdrawn date; that of a published one is its Manifest and "seq".
type Projected struct {
	Format     int        `json:"format"`
	Prediction string     `json:"prediction"`
	Date       date.Date  `json:"date"`
	Run        string     `json:"run,omitempty"` // "" when withdrawn
	Seq        int        `json:"seq"`
	Withdrawn  *Withdrawn `json:"withdrawn,omitempty"`
}

// Withdrawn says why a date has no files.
type Withdrawn struct {
	Reason string `json:"reason"`
}

// after says whether p shows a later state of the log than o.
func (p Projected) after(o Projected) bool {
	if p.Date != o.Date {
		return p.Date.After(o.Date)
	}
	return p.Seq > o.Seq
}

// projectAttempts bounds how often Project starts again because another run
// replaced latest/ at the same time; every time, latest/ came forward.
const projectAttempts = 20

// Project makes latest/_MANIFEST.json show the effective entry of the newest date
// that has one, whoever wrote it, and never replaces a later state by an earlier
// one. It gives what latest/ shows then. A later state that the log does not know
// is damage, and is replaced as well; where there is no log at all it is ErrLatest.
func (l *Ledger) Project(ctx context.Context) (Projected, error) {
	var err error
	for range projectAttempts {
		var shown Projected
		if shown, err = l.projectOnce(ctx); err == nil {
			return shown, nil
		}
		if !errors.Is(err, errAgain) {
			return Projected{}, fmt.Errorf("project: %w", err)
		}
	}
	return Projected{}, fmt.Errorf("project: %w: %w", ErrConflict, err)
}

// errAgain says that the write failed and that the store decides what holds now.
var errAgain = errors.New("read again")

func (l *Ledger) projectOnce(ctx context.Context) (Projected, error) {
	target, data, err := l.target(ctx)
	switch {
	case err != nil:
		return Projected{}, err
	case data == nil:
		return Projected{}, l.CheckLatest(ctx)
	}
	there, now, err := l.latest(ctx)
	if err != nil {
		return Projected{}, err
	}
	if there.after(target) {
		if known, err := l.knows(ctx, there); known || err != nil {
			return there, err
		}
	}
	if bytes.Equal(now.data, data) {
		return target, nil
	}
	switch _, err = l.bucket.Replace(ctx, latestKey, data, now.generation); {
	case err == nil:
		return target, nil
	case isFinal(err):
		return Projected{}, err
	}
	return Projected{}, fmt.Errorf("%w: %w", errAgain, err)
}

// CheckLatest returns ErrLatest unless latest/ shows, byte for byte, what the log
// says.
func (l *Ledger) CheckLatest(ctx context.Context) error {
	target, data, err := l.target(ctx)
	if err != nil {
		return err
	}
	shown, now, err := l.latest(ctx)
	switch {
	case err != nil:
		return err
	case bytes.Equal(now.data, data):
		return nil
	case now.data == nil:
		return fmt.Errorf("%s: %w: it is missing, expected is entry %d of %s", l.bucket.URL(latestKey), ErrLatest, target.Seq, target.Date)
	case data == nil:
		return fmt.Errorf("%s: %w: it shows entry %d of %s, and there is no log: restore commits/ from a backup, or delete latest/",
			l.bucket.URL(latestKey), ErrLatest, shown.Seq, shown.Date)
	case shown.Date == target.Date && shown.Seq == target.Seq:
		return fmt.Errorf("%s: %w: it is not as it was written", l.bucket.URL(latestKey), ErrLatest)
	}
	return fmt.Errorf("%s: %w: it shows entry %d of %s, expected is entry %d of %s",
		l.bucket.URL(latestKey), ErrLatest, shown.Seq, shown.Date, target.Seq, target.Date)
}

// knows says whether the log has the entry that p shows.
func (l *Ledger) knows(ctx context.Context, p Projected) (bool, error) {
	_, err := l.entry(ctx, p.Date, p.Seq)
	if errors.Is(err, objstore.ErrNotExist) {
		return false, nil
	}
	return true, err
}

// target gives what latest/ has to show, and its bytes: nil while nothing was ever
// published.
func (l *Ledger) target(ctx context.Context) (Projected, []byte, error) {
	newest, err := l.Newest(ctx, 1)
	if err != nil || len(newest) == 0 {
		return Projected{}, nil, err
	}
	e, _ := newest[0].Effective()
	return l.projection(ctx, newest[0], e)
}

// projection gives what latest/ has to show for the effective entry e of log.
func (l *Ledger) projection(ctx context.Context, log Log, e Entry) (Projected, []byte, error) {
	shown := Projected{Format: Format, Prediction: l.prediction, Date: log.Date, Seq: e.Seq}
	p, ok, err := l.PublishedBy(ctx, log)
	if err != nil {
		return Projected{}, nil, err
	}
	if !ok {
		shown.Withdrawn = &Withdrawn{e.Reason}
		data, err := encode(shown)
		return shown, data, err
	}
	shown.Run = p.Run
	data, err := encode(struct {
		*Manifest
		Seq int `json:"seq"`
	}{p.Manifest.filled(), e.Seq})
	return shown, data, err
}

// object is the content of latest/ at one moment; the zero value is none.
type object struct {
	data       []byte
	generation string
}

// ifDamaged says what to do about a latest/ that is taken for another's and is not.
const ifDamaged = "if a fault of the store made it so, delete it and run churntier repair"

// latest reads what latest/ shows now. What cannot be read as a projection shows
// nothing, and will be replaced, unless a newer version or another prediction
// wrote it.
func (l *Ledger) latest(ctx context.Context) (Projected, object, error) {
	data, attrs, err := l.bucket.Read(ctx, latestKey, manifestLimit)
	if errors.Is(err, objstore.ErrNotExist) {
		return Projected{}, object{}, nil
	}
	if err != nil {
		return Projected{}, object{}, err
	}
	var shown Projected
	if json.Unmarshal(data, &shown) != nil {
		shown = Projected{}
	}
	url := l.bucket.URL(latestKey)
	switch {
	case shown.Format > Format:
		err = fmt.Errorf("%s: format %d, expected %d: %w; %s", url, shown.Format, Format, ErrNewer, ifDamaged)
	case shown.Prediction != "" && shown.Prediction != l.prediction:
		err = fmt.Errorf("%s: %w: belongs to prediction %q, expected %q; %s", url, ErrForeign, shown.Prediction, l.prediction, ifDamaged)
	}
	return shown, object{data, attrs.Generation}, err
}

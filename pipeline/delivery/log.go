package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"github.com/churntier/churntier/pipeline/objstore"
)

// The kinds of failure that callers tell apart with errors.Is.
var (
	// ErrLog: the log of a delivery has a gap or an object that cannot be read.
	ErrLog = errors.New("damaged delivery log")
	// ErrUnknown: an object of the log may have been written or not.
	ErrUnknown = errors.New("the delivery log may have been written or not; run again to find out")
	// ErrPut: a file could not be put into the place of the tool.
	ErrPut = errors.New("not delivered")
)

// entryLimit bounds the bytes of an object of the log.
const entryLimit = 16 << 20

// Log is the log of one delivery, below publish.url. It holds no state of the store
// and may be used concurrently.
type Log struct {
	bucket *objstore.Bucket
	name   string
}

// Open gives the log of the delivery with this name; b is publish.url.
func Open(b *objstore.Bucket, name string) *Log { return &Log{b, name} }

// Records gives every delivery so far, in order, and how far each one is.
func (l *Log) Records(ctx context.Context) ([]Record, error) {
	objects, err := l.bucket.Objects(ctx, l.folder()+"/")
	if err != nil {
		return nil, err
	}
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = path.Base(o.Key)
	}
	all, err := records(names)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.bucket.URL(l.folder()), err)
	}
	for _, o := range objects {
		if n, _, _, ok := parseName(path.Base(o.Key)); ok && o.Modified.After(all[n].Changed) {
			all[n].Changed = o.Modified
		}
	}
	return all, nil
}

// Intent reads what delivery n sends.
func (l *Log) Intent(ctx context.Context, n int) (*Intent, error) {
	i := &Intent{}
	err := l.read(ctx, l.intentKey(n), i)
	if err == nil && (i.Format < 1 || i.Format > Format || i.N != n) {
		err = fmt.Errorf("%w: %s has format %d and n %d; expected 1 to %d and %d", ErrLog, l.bucket.URL(l.intentKey(n)), i.Format, i.N, Format, n)
	}
	if err == nil && i.Buckets > 0 && (len(i.State) != i.Buckets*i.layers() || i.Buckets != 1<<i.bits()) {
		err = fmt.Errorf("%w: %s has %d files of %d buckets with %d layers", ErrLog, l.bucket.URL(l.intentKey(n)), len(i.State), i.Buckets, i.layers())
	}
	return i, err
}

// Intend writes down what the next delivery sends and gives the intent that is
// there then: i, or that of another process which was first.
func (l *Log) Intend(ctx context.Context, i *Intent) (*Intent, error) {
	there := &Intent{}
	err := l.create(ctx, l.intentKey(i.N), i, there)
	return there, err
}

// Fates gives what became of each file of a delivery, by its K.
func (l *Log) Fates(ctx context.Context, i *Intent, r Record) ([]Fate, error) {
	fates := make([]Fate, len(i.Files))
	for k := range fates {
		fates[k] = Waiting
	}
	for _, k := range r.claimed {
		var c Claim
		if err := l.read(ctx, l.claimKey(r.N, k), &c); err != nil {
			return nil, err
		}
		if k >= len(fates) {
			return nil, fmt.Errorf("%w: delivery %d has %d files, and a claim of number %d", ErrLog, r.N, len(fates), k)
		}
		fates[k] = Uncertain
		if c.Abandoned {
			fates[k] = Abandoned
		}
	}
	for _, k := range r.acked {
		if k < len(fates) {
			fates[k] = Delivered
		}
	}
	return fates, nil
}

// ending reads how delivery n ended.
func (l *Log) ending(ctx context.Context, n int) (e Ending, err error) {
	return e, l.read(ctx, l.doneKey(n), &e)
}

// create creates an object of the log and reads into there what is under its key
// then. What the store answers does not matter, but where that cannot be read.
func (l *Log) create(ctx context.Context, key string, v, there any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if _, failure := l.bucket.CreateBytes(ctx, key, append(data, '\n')); failure != nil {
		if err := l.read(context.WithoutCancel(ctx), key, there); err != nil {
			return fmt.Errorf("%w: %w", ErrUnknown, errors.Join(failure, err))
		}
		return nil
	}
	return json.Unmarshal(data, there)
}

func (l *Log) read(ctx context.Context, key string, v any) error {
	data, _, err := l.bucket.Read(ctx, key, entryLimit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrLog, l.bucket.URL(key), err)
	}
	return nil
}

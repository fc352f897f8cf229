package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Retired counts what a clean-up deleted of one delivery.
type Retired struct {
	Delivery  string `json:"delivery"`
	Delivered int    `json:"delivered"` // files in the place of the tool
	Staged    int    `json:"staged"`    // files and states that nothing needs any more
}

// Retire deletes, of deliveries that ended before a time by the clock of the store,
// the files in the place of the tool to and what was staged for them, and what
// attempts that were never the delivery left. The log stays, so that nothing is sent
// again, and so does the state after the newest delivery.
func (l *Log) Retire(ctx context.Context, to *objstore.Bucket, before time.Time) (*Retired, error) {
	r := &Retired{Delivery: l.name}
	all, err := l.Records(ctx)
	if err != nil || len(all) == 0 {
		return r, err
	}
	newest, err := l.Intent(ctx, len(all)-1)
	if err != nil {
		return r, err
	}
	needed := newest.staged(nil)
	for _, record := range all {
		if err := l.retire(ctx, to, record, needed, before, r); err != nil {
			return r, fmt.Errorf("delivery %s, number %d: %w", l.name, record.N, err)
		}
	}
	return r, nil
}

// staged adds the keys of what is staged for i to a set.
func (i *Intent) staged(keys map[string]bool) map[string]bool {
	all := map[string]bool{}
	maps.Copy(all, keys)
	for _, f := range slices.Concat(i.State, i.UnsendableRows) {
		all[f.Key] = true
	}
	for _, f := range i.Files {
		all[f.Key] = true
	}
	return all
}

func (l *Log) retire(ctx context.Context, to *objstore.Bucket, record Record, needed map[string]bool, before time.Time, r *Retired) error {
	i, err := l.Intent(ctx, record.N)
	if err != nil {
		return err
	}
	if !record.Done || !l.endedBefore(ctx, record.N, before) {
		needed = i.staged(needed)
	} else {
		for _, f := range i.Files {
			n, err := remove(ctx, to, f.Name)
			if err != nil {
				return err
			}
			r.Delivered += n
		}
	}
	staged, err := l.bucket.List(ctx, fmt.Sprintf("%s/%08d/", l.folder(), record.N))
	if err != nil {
		return err
	}
	for _, a := range staged {
		if needed[a.Key] || !a.Modified.Before(before) {
			continue
		}
		n, err := remove(ctx, l.bucket, a.Key)
		if err != nil {
			return err
		}
		r.Staged += n
	}
	return nil
}

// endedBefore says whether the delivery was ended before a time.
func (l *Log) endedBefore(ctx context.Context, n int, before time.Time) bool {
	a, err := l.bucket.Stat(ctx, l.doneKey(n))
	return err == nil && a.Modified.Before(before)
}

// remove deletes an object if it is there, and counts it.
func remove(ctx context.Context, b *objstore.Bucket, key string) (int, error) {
	err := b.Delete(ctx, key, objstore.Any)
	if errors.Is(err, objstore.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

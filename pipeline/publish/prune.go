package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// Pruning says what a clean-up may delete.
type Pruning struct {
	Name    string    // of its fences, never given twice
	Orphans time.Time // a run that no log names goes when all of it was written before, by the clock of the store
	Kept    time.Time // refusals and previews go when all of them was written before
	Expire  date.Date // published runs of the dates before it expire
}

// Pruned is what a clean-up deleted.
type Pruned struct {
	Orphans   []Deleted   `json:"orphans"`   // runs that no log names
	Expired   []Deleted   `json:"expired"`   // published runs; manifest and distribution stay
	Refusals  []Deleted   `json:"refusals"`  // evidence of refused runs
	Previews  []Deleted   `json:"previews"`  // runs in preview mode
	Temporary int         `json:"temporary"` // files of writers that died
	Skipped   []date.Date `json:"skipped"`   // their log changed meanwhile; the next clean-up sees to them
}

// Deleted is one run of which objects were deleted.
type Deleted struct {
	Date    date.Date `json:"date"`
	Run     string    `json:"run"`
	Objects int       `json:"objects"`
	Bytes   int64     `json:"bytes"`
}

// Prune deletes what nothing published needs: runs that were never published, the
// shards of old publications, old evidence and previews, and temporary files. What
// was deleted before an error is given with it; the next clean-up goes on.
//
// An orphan is deleted only after a fence took the place in the log of its date at
// which it would be committed, so that it can never be published afterwards. A
// published run loses its shards only after an expiry named it. Where somebody
// else changes the log of a date at the same time, that date is skipped.
func (l *Ledger) Prune(ctx context.Context, p Pruning) (*Pruned, error) {
	c := &cleanup{l, p, &Pruned{
		Orphans: []Deleted{}, Expired: []Deleted{}, Refusals: []Deleted{}, Previews: []Deleted{}, Skipped: []date.Date{},
	}}
	err := c.runs(ctx)
	if err == nil {
		err = c.unlogged(ctx, refusalsFolder, &c.done.Refusals)
	}
	if err == nil {
		err = c.unlogged(ctx, previewFolder, &c.done.Previews)
	}
	if err == nil {
		err = c.sweep(ctx)
	}
	if err != nil {
		err = fmt.Errorf("prune: %w", err)
	}
	return c.done, err
}

// cleanup is one Prune on its way.
type cleanup struct {
	*Ledger
	Pruning
	done *Pruned
}

// sweep deletes the temporary objects of writers and probes that died.
func (c *cleanup) sweep(ctx context.Context) (err error) {
	if c.done.Temporary, err = c.bucket.Sweep(ctx, c.Orphans); err != nil {
		return err
	}
	probes, err := objstore.SweepProbes(ctx, probed(c.bucket), c.Orphans)
	c.done.Temporary += probes
	return err
}

func (c *cleanup) runs(ctx context.Context) error {
	dates, err := c.dates(ctx, runsFolder)
	if err != nil {
		return err
	}
	for _, d := range dates {
		err := c.date(ctx, d)
		switch {
		case errors.Is(err, ErrSuperseded):
			c.done.Skipped = append(c.done.Skipped, d)
		case err != nil:
			return err
		}
	}
	return nil
}

// date deletes what can go of one date. What is there is listed before the log is
// read: a run that begins later is not in the list, and one that began before
// finds its place in the log taken.
func (c *cleanup) date(ctx context.Context, d date.Date) error {
	there, err := c.list(ctx, runsFolder, d)
	if err != nil {
		return err
	}
	log, err := c.Log(ctx, d)
	if err != nil {
		return err
	}
	if log, err = c.expire(ctx, log); err != nil {
		return err
	}
	for _, r := range there {
		if log.Expired(r.name) {
			if err := c.delete(ctx, d, r.shards(), &c.done.Expired); err != nil {
				return err
			}
		}
	}
	return c.orphans(ctx, log, there)
}

// expire adds an expiry that names the published runs which may go, where there are
// any, and gives the log with it. Before, latest/ follows the log: what shows an
// earlier entry never comes back, so latest/ never shows a run that has expired.
func (c *cleanup) expire(ctx context.Context, log Log) (Log, error) {
	if !log.Date.Before(c.Expire) {
		return log, nil
	}
	var due []string
	for _, e := range log.Publications() {
		if !log.Expired(e.Run) {
			due = append(due, e.Run)
		}
	}
	due, err := c.withoutNeeded(ctx, log, due)
	if err != nil || len(due) == 0 {
		return log, err
	}
	if _, err := c.Project(ctx); err != nil {
		return log, err
	}
	return c.extend(ctx, log, Entry{Expire: due}, Expiry)
}

// neverExpire is of how many of the newest dates the effective run keeps its
// shards, however old they are.
const neverExpire = 8

// withoutNeeded takes the effective run of log away from the runs that are due,
// where the date is one of the newest.
func (c *cleanup) withoutNeeded(ctx context.Context, log Log, due []string) ([]string, error) {
	e, _ := log.Effective()
	effective, published := log.publication(e)
	if !published || !slices.Contains(due, effective.Run) {
		return due, nil
	}
	newest, err := c.Newest(ctx, neverExpire)
	if err != nil || !slices.ContainsFunc(newest, func(g Log) bool { return g.Date == log.Date }) {
		return due, err
	}
	return slices.DeleteFunc(due, func(run string) bool { return run == effective.Run }), nil
}

// orphans deletes the runs that no log names and that are old enough, behind a
// fence.
func (c *cleanup) orphans(ctx context.Context, log Log, there []folder) error {
	there = slices.DeleteFunc(there, func(r folder) bool { return log.published(r.name) || !r.before(c.Orphans) })
	if len(there) == 0 {
		return nil
	}
	if _, err := c.extend(ctx, log, Entry{Fence: c.Name}, Fence); err != nil {
		return err
	}
	for _, r := range there {
		if err := c.delete(ctx, log.Date, r, &c.done.Orphans); err != nil {
			return err
		}
	}
	return nil
}

// extend adds an entry of the clean-up and gives the log with it. ErrSuperseded when
// somebody else added to the log of the date meanwhile. Where the log names a run
// that has not the manifest which was committed, it was not read as it was written,
// and nothing is deleted by it.
func (c *cleanup) extend(ctx context.Context, log Log, e Entry, kind Kind) (Log, error) {
	for _, p := range log.Publications() {
		if _, err := c.Committed(ctx, log.Date, p); err != nil {
			return log, fmt.Errorf("%s of %s: entry %d: %w", kind, log.Date, p.Seq, err)
		}
	}
	e, err := c.place(ctx, log, e, kind)
	if err != nil {
		return log, err
	}
	log.Entries = append(slices.Clip(log.Entries), e)
	return log, nil
}

// unlogged deletes the runs below a folder that has no logs, where all of a run is
// old enough.
func (c *cleanup) unlogged(ctx context.Context, below string, deleted *[]Deleted) error {
	dates, err := c.dates(ctx, below)
	if err != nil {
		return err
	}
	for _, d := range dates {
		there, err := c.list(ctx, below, d)
		if err != nil {
			return err
		}
		for _, r := range there {
			if !r.before(c.Kept) {
				continue
			}
			if err := c.delete(ctx, d, r, deleted); err != nil {
				return err
			}
		}
	}
	return nil
}

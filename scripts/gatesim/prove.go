package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline"
)

// leastCaught is the share of faults that must be caught.
const leastCaught = 0.95

// outcome is what became of one fault.
type outcome struct {
	fault
	err error // nil when the night was published
}

func (o outcome) caught() bool { return errors.Is(o.err, pipeline.ErrRefused) }

var refusedBy = regexp.MustCompile(`refused by a gate \(([a-z_, ]+)\)`)

// by names what caught the fault.
func (o outcome) by() string {
	if found := refusedBy.FindStringSubmatch(o.err.Error()); found != nil {
		return found[1]
	}
	return "input"
}

// lanes is how many faults are run side by side: most of the time a run waits for
// the disk.
const lanes = 4

// prove runs every fault after the same seven ordinary nights. An error that is no
// refusal is given back.
func prove(ctx context.Context, folder string, faults []fault) ([]outcome, error) {
	outcomes := make([]outcome, len(faults))
	g, ctx := errgroup.WithContext(ctx)
	for lane := range lanes {
		g.Go(func() error {
			warehouses := map[bool]*warehouse{} // by fault.byColumn
			for i := lane; i < len(faults); i += lanes {
				f := faults[i]
				w := warehouses[f.byColumn]
				if w == nil {
					var err error
					if w, err = ordinary(ctx, filepath.Join(folder, fmt.Sprint(lane, f.byColumn)), f.byColumn); err != nil {
						return err
					}
					warehouses[f.byColumn] = w
				}
				var err error
				if outcomes[i], err = w.prove(ctx, f, uint64(i)); err != nil {
					return fmt.Errorf("%s: %w", f.name, err)
				}
			}
			return nil
		})
	}
	return outcomes, g.Wait()
}

// prove runs one fault and restores the warehouse.
func (w *warehouse) prove(ctx context.Context, f fault, stream uint64) (outcome, error) {
	n := nightOf(newNights(), stream)
	f.do(n)
	if err := w.write(n); err != nil {
		return outcome{}, err
	}
	_, err := w.run(ctx, n)
	if err != nil && !errors.Is(err, pipeline.ErrRefused) {
		return outcome{}, err
	}
	return outcome{f, err}, w.restore()
}

// newNights gives the snapshots of eight ordinary nights, tonight's last.
func newNights() []*table {
	c := newCompany(tonight.AddDays(-30))
	for day := tonight.AddDays(-29); day.Before(tonight.AddDays(-7)); day = day.AddDays(1) {
		c.sleep(day)
	}
	var all []*table
	for day := tonight.AddDays(-7); !day.After(tonight); day = day.AddDays(1) {
		c.sleep(day)
		all = append(all, c.snapshot(day))
	}
	return all
}

// nightOf gives the last of the nights as it should be.
func nightOf(nights []*table, stream uint64) *night {
	last := len(nights) - 1
	n := &night{
		table: nights[last], yesterday: nights[last], lastWeek: nights[0], chance: chanceOf(seed, stream),
		model: modelFile(), listColumn: "user_id", rename: map[string]string{}, unsubscribed: unsubscribed(nights[0]),
	}
	if last > 0 {
		n.yesterday = nights[last-1]
	}
	return n
}

// unsubscribed is one user in forty.
func unsubscribed(t *table) []string {
	var ids []string
	for i, id := range t.texts["user_id"] {
		if i%40 == 0 {
			ids = append(ids, *id)
		}
	}
	return ids
}

// ordinary publishes seven nights.
func ordinary(ctx context.Context, folder string, byColumns bool) (*warehouse, error) {
	w := &warehouse{folder: folder}
	text := byModel
	if byColumns {
		text = byColumn
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "churntier.yaml"), []byte(fmt.Sprintf(commonConfig, 600, 1000, 150)+text), 0o600); err != nil {
		return nil, err
	}
	nights := newNights()
	for i := range len(nights) - 1 {
		n := nightOf(nights[:i+1], 0)
		if err := w.write(n); err != nil {
			return nil, err
		}
		out, err := w.run(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("an ordinary night: %s: %w", n.day, err)
		}
		if len(out.Warnings) > 0 {
			return nil, fmt.Errorf("an ordinary night: %s: %q", n.day, out.Warnings)
		}
	}
	return w, os.CopyFS(filepath.Join(folder, "kept"), os.DirFS(filepath.Join(folder, "out")))
}

func printFaults(w io.Writer, outcomes []outcome) {
	caught := 0
	for _, o := range outcomes {
		if o.caught() {
			caught++
			_, _ = fmt.Fprintf(w, "| %s | %s |\n", o.name, o.by())
		} else {
			_, _ = fmt.Fprintf(w, "| %s | **missed**: %s |\n", o.name, o.excuse)
		}
	}
	_, _ = fmt.Fprintf(w, "\n%d of %d faults were caught: %.1f %%\n", caught, len(outcomes), 100*float64(caught)/float64(len(outcomes)))
}

// enoughCaught returns an error when too many faults were missed, or one that is
// not known to be.
func enoughCaught(outcomes []outcome) error {
	missed := slices.DeleteFunc(slices.Clone(outcomes), outcome.caught)
	for _, o := range missed {
		if o.excuse == "" {
			return fmt.Errorf("missed: %s", o.name)
		}
	}
	if float64(len(missed)) > (1-leastCaught)*float64(len(outcomes)) {
		return fmt.Errorf("%d of %d faults were missed", len(missed), len(outcomes))
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// report prints the figures.
func report(l lives, samples []sample, after, fresh int) {
	fmt.Printf("servers ended: %d by SIGKILL, %d by SIGTERM while idle, %d by SIGTERM during a run\n", l.killed, l.idle, l.cut)
	fmt.Printf("the server left alone, %d samples:\n", len(samples))
	third := max(1, len(samples)/3)
	for i, part := range [][]sample{samples[:third], samples[len(samples)-third:]} {
		rss := func(a, b sample) int { return a.rss - b.rss }
		files := func(a, b sample) int { return a.files - b.files }
		fmt.Printf("  %s third: memory at most %d KiB, files at least %d and at most %d\n", []string{"first", "last"}[i],
			slices.MaxFunc(part, rss).rss, slices.MinFunc(part, files).files, slices.MaxFunc(part, files).files)
	}
	fmt.Printf("  goroutines at the end: %d; of a server that has just begun: %d\n", after, fresh)
}

// judge looks at what is published and delivered, and has it read again.
func judge(ctx context.Context, fleets ...*fleet) error {
	for _, f := range fleets {
		published, uncertain, slowest := 0, 0, time.Duration(0)
		for _, p := range f.all {
			runs, err := p.published()
			if err != nil {
				return fmt.Errorf("%s: %w", p.folder, err)
			}
			published += len(runs)
			newest := runs[len(runs)-1]
			slowest = max(slowest, newest.at.Sub(later(p.due, p.arrives)))
			if out, err := exec.CommandContext(ctx, f.program, "verify", "-c", p.config(), "--date", "all", "--quiet").CombinedOutput(); err != nil {
				return fmt.Errorf("%s: verify: %w: %s", p.folder, err, out)
			}
			certain, err := p.delivered()
			if err != nil {
				return fmt.Errorf("%s: %w", p.folder, err)
			}
			if !certain {
				uncertain++
			}
		}
		fmt.Printf("%s: %d predictions, %d dates published once and in order, verify clean; the newest dates delivered once, %d of them uncertain; at most %s from due and there to published\n",
			f.name, len(f.all), published, uncertain, slowest.Round(time.Second))
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// publication is the one entry of a date.
type publication struct {
	run string
	at  time.Time
}

// published gives the entries of all dates, and fails where a date has none or more
// than one, or was published before an older one: the names of runs sort by time.
func (p *prediction) published() ([]publication, error) {
	var all []publication
	for _, d := range p.dates {
		entries, err := filepath.Glob(filepath.Join(p.folder, "out", "commits", d, "*"))
		if err != nil || len(entries) != 1 {
			return nil, fmt.Errorf("%s has %d entries, want 1: %w", d, len(entries), err)
		}
		data, err := os.ReadFile(entries[0])
		if err != nil {
			return nil, err
		}
		var entry struct{ Run string }
		if err := json.Unmarshal(data, &entry); err != nil {
			return nil, err
		}
		if n := len(all); n > 0 && all[n-1].run > entry.Run {
			return nil, fmt.Errorf("%s was published before the date before it", d)
		}
		info, err := os.Stat(entries[0])
		if err != nil {
			return nil, err
		}
		all = append(all, publication{entry.Run, info.ModTime()})
	}
	if dates, err := os.ReadDir(filepath.Join(p.folder, "out", "commits")); err != nil || len(dates) != len(p.dates) {
		return nil, fmt.Errorf("%d dates are published, want %d: %w", len(dates), len(p.dates), err)
	}
	return all, nil
}

// delivered fails where a date was delivered twice, or the newest was not. It says
// whether that is certain: where a server was killed between the claim of a file and
// the file, nobody sends it again.
func (p *prediction) delivered() (certain bool, err error) {
	for _, d := range p.dates {
		files, err := filepath.Glob(filepath.Join(p.folder, "tool", "high", "high_"+d+"_*.csv"))
		if err != nil || len(files) > 1 {
			return false, fmt.Errorf("%s was delivered %d times: %w", d, len(files), err)
		}
		certain = len(files) == 1 // of the newest, at last
	}
	claims, err := filepath.Glob(filepath.Join(p.folder, "out", "deliveries", "tool", "*.claim.json"))
	if !certain && len(claims) == 0 {
		return false, fmt.Errorf("the newest date was not delivered: %w", err)
	}
	return certain, err
}

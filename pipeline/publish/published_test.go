package publish_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// names tells which publications were found, as date/seq/run number.
func names(past []publish.Published) string {
	var all []string
	for _, p := range past {
		all = append(all, fmt.Sprintf("%s/%d/%s", p.Date, p.Seq, strings.TrimLeft(p.Run[3:], "0")))
		if p.Manifest.Run != p.Run || p.Manifest.Date != p.Date {
			all = append(all, "with the manifest of "+p.Manifest.Run)
		}
	}
	return strings.Join(all, " ")
}

func TestPast(t *testing.T) {
	b, l := newStore(t)
	for i := range 6 {
		mustPublish(t, l, day.AddDays(-i), 10+i, false) // runs 10..15, newest first
	}
	mustPublish(t, l, day.AddDays(-1), 21, true)
	put(t, b, commitKey(day.AddDays(-2), 1), withdrawal(1))
	mustPublish(t, l, day.AddDays(-3), 23, true)
	put(t, b, commitKey(day.AddDays(-3), 2), rollback(2, runNamed(13), 0))
	put(t, b, commitKey(day.AddDays(-3), 3), fence(3))
	put(t, b, commitKey(day.AddDays(-4), 1), expiry(1, runNamed(14)))
	put(t, b, commitKey(day.AddDays(-9), 0), fence(0))

	for name, c := range map[string]struct {
		before string
		n      int
		want   string
	}{
		"all":         {"2026-11-23", 99, "2026-11-22/0/10 2026-11-21/1/21 2026-11-19/2/13 2026-11-18/0/14 2026-11-17/0/15"},
		"not the day": {"2026-11-22", 2, "2026-11-21/1/21 2026-11-19/2/13"},
		"none":        {"2026-11-22", 0, ""},
		"too early":   {"2026-11-17", 7, ""},
	} {
		past, err := l.Past(ctx, on(c.before), c.n)
		if err != nil || names(past) != c.want {
			t.Errorf("%s: got %q, %v; expected %q", name, names(past), err, c.want)
		}
	}
}

func TestPublished(t *testing.T) {
	b, l := newStore(t)
	mustPublish(t, l, day, 1, false)
	p, ok, err := l.Published(ctx, day)
	if err != nil || !ok || names([]publish.Published{p}) != "2026-11-22/0/1" {
		t.Fatalf("got %+v, %t, %v", p, ok, err)
	}
	if _, ok, err := l.Published(ctx, day.AddDays(1)); ok || err != nil {
		t.Errorf("a date without a log: %t, %v", ok, err)
	}
	put(t, b, commitKey(day, 1), withdrawal(1))
	if _, ok, err := l.Published(ctx, day); ok || err != nil {
		t.Errorf("a withdrawn date: %t, %v", ok, err)
	}
}

func TestPublishedChecksTheManifestThatWasCommitted(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *objstore.Bucket, *publish.Ledger, string){
		"missing": func(*testing.T, *objstore.Bucket, *publish.Ledger, string) {},
		"exchanged": func(t *testing.T, _ *objstore.Bucket, l *publish.Ledger, run string) {
			if _, err := l.Seal(ctx, nightOf(day, run, hexOf("other inputs"))); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newStore(t)
			mustPublish(t, l, day, 1, false)
			if err := b.Delete(ctx, publish.RunPrefix(day, runNamed(1))+"/MANIFEST.json", objstore.Any); err != nil {
				t.Fatal(err)
			}
			spoil(t, b, l, runNamed(1))
			if _, _, err := l.Published(ctx, day); !errors.Is(err, publish.ErrDamaged) {
				t.Errorf("Published: got %v", err)
			}
			if _, err := l.Past(ctx, day.AddDays(1), 7); !errors.Is(err, publish.ErrDamaged) {
				t.Errorf("Past: got %v", err)
			}
			if _, err := l.Project(ctx); !errors.Is(err, publish.ErrDamaged) {
				t.Errorf("Project: got %v", err)
			}
		})
	}
}

func TestPastReportsAStoreThatFails(t *testing.T) {
	d := mem.New()
	mustPublish(t, open(t, bucket(d)), day, 1, false)
	for _, prefix := range []string{"commits/", "commits/2026-11-22/", "runs/"} {
		if _, err := open(t, failing(d, faulty.List, prefix, faulty.Error)).Past(ctx, day.AddDays(1), 7); !errors.Is(err, faulty.ErrReset) {
			t.Errorf("list %s: got %v", prefix, err)
		}
	}
	if _, _, err := open(t, failing(d, faulty.List, "commits/", faulty.Error)).Published(ctx, day); !errors.Is(err, faulty.ErrReset) {
		t.Errorf("got %v", err)
	}
}

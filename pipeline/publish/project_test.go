package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

const latest = "latest/_MANIFEST.json"

// shown is what a consumer reads from latest/.
type shown struct {
	Date      string
	Run       string
	Seq       int
	Withdrawn *struct{ Reason string }
}

func latestOf(t testing.TB, b *objstore.Bucket) shown {
	t.Helper()
	var s shown
	if err := json.Unmarshal([]byte(read(t, b, latest)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func project(t testing.TB, l *publish.Ledger) publish.Projected {
	t.Helper()
	p, err := l.Project(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLatestIsTheManifestAndItsSeq(t *testing.T) {
	b, l := newStore(t)
	mustPublish(t, l, day, 1, false)
	manifest := read(t, b, publish.RunPrefix(day, runNamed(1))+"/MANIFEST.json")
	want := strings.TrimSuffix(manifest, "\n}\n") + ",\n  \"seq\": 0\n}\n"
	if diff := cmp.Diff(want, read(t, b, latest)); diff != "" {
		t.Error(diff)
	}
	if key := "runs/2026-11-22/" + runNamed(1) + "/audiences/high/part-00000.parquet"; !strings.Contains(want, key) {
		t.Errorf("latest does not name %s", key)
	}
}

func TestNothingToProject(t *testing.T) {
	b, l := newStore(t)
	put(t, b, commitKey(day, 0), fence(0))
	if p := project(t, l); p != (publish.Projected{}) {
		t.Errorf("got %+v", p)
	}
	if _, err := b.Stat(ctx, latest); !errors.Is(err, objstore.ErrNotExist) {
		t.Errorf("latest: %v", err)
	}
}

func TestProjectFollowsTheNewestDate(t *testing.T) {
	b, l := newStore(t)
	older, newer := day.AddDays(-1), day.AddDays(1)
	step := func(what string, want shown) {
		t.Helper()
		p := project(t, l)
		if got := latestOf(t, b); !cmp.Equal(got, want) || p.Date.String() != want.Date || p.Seq != want.Seq || p.Run != want.Run {
			t.Errorf("%s: latest shows %+v, Project said %+v; expected %+v", what, got, p, want)
		}
	}
	mustPublish(t, l, day, 1, false)
	mustPublish(t, l, older, 2, false) // a backfill
	step("a backfill", shown{Date: "2026-11-22", Run: runNamed(1)})
	put(t, b, commitKey(newer, 0), fence(0))
	step("a fence", shown{Date: "2026-11-22", Run: runNamed(1)})
	mustPublish(t, l, day, 3, true)
	step("a forced run", shown{Date: "2026-11-22", Run: runNamed(3), Seq: 1})
	put(t, b, commitKey(day, 2), rollback(2, runNamed(1), 0))
	put(t, b, commitKey(day, 3), expiry(3, runNamed(3)))
	step("a rollback", shown{Date: "2026-11-22", Run: runNamed(1), Seq: 2})
	put(t, b, commitKey(day, 4), withdrawal(4))
	step("a withdrawal", shown{Date: "2026-11-22", Seq: 4, Withdrawn: &struct{ Reason string }{"complaint"}})
	mustPublish(t, l, newer, 4, false)
	step("the next night", shown{Date: "2026-11-23", Run: runNamed(4), Seq: 1})
	put(t, b, commitKey(older, 1), withdrawal(1))
	step("an older date withdrawn", shown{Date: "2026-11-23", Run: runNamed(4), Seq: 1})
}

func TestProjectionOfAWithdrawnDate(t *testing.T) {
	b, l := newStore(t)
	mustPublish(t, l, day, 1, false)
	put(t, b, commitKey(day, 1), withdrawal(1))
	project(t, l)
	want := `{
  "format": 1,
  "prediction": "churn-14d",
  "date": "2026-11-22",
  "seq": 1,
  "withdrawn": {
    "reason": "complaint"
  }
}
`
	if diff := cmp.Diff(want, read(t, b, latest)); diff != "" {
		t.Error(diff)
	}
}

// old is a store whose lists of folders do not show yet what begins with hidden.
type old struct {
	objstore.Driver
	hidden string
}

func (o *old) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	return o.Driver.List(ctx, prefix, folders, func(a objstore.Attrs) error {
		if strings.HasSuffix(prefix, "/") && strings.HasPrefix(a.Key, o.hidden) {
			return nil
		}
		return yield(a)
	})
}

// I5: latest never goes backwards, here before a projector whose log is old.
func TestAStaleProjectorChangesNothing(t *testing.T) {
	d := mem.New()
	b := bucket(d)
	l := open(t, b)
	mustPublish(t, l, day, 1, false)
	mustPublish(t, l, day, 2, true)
	staysBefore := func(hidden string) {
		before := read(t, b, latest)
		if p := project(t, open(t, bucket(&old{d, hidden}))); !strings.Contains(before, p.Run) {
			t.Errorf("%s hidden: Project said %+v", hidden, p)
		}
		if got := read(t, b, latest); got != before {
			t.Errorf("%s hidden: latest went back to %s", hidden, got)
		}
	}
	staysBefore("commits/2026-11-22/00000001")
	mustPublish(t, l, day.AddDays(1), 3, false)
	staysBefore("commits/2026-11-23/")
}

// What latest shows of a later state is only believed when the log has it.
func TestALaterStateThatNobodyCommittedIsReplaced(t *testing.T) {
	b, l := newStore(t)
	mustPublish(t, l, day, 1, false)
	right := read(t, b, latest)
	for _, wrong := range []string{
		strings.Replace(right, `"date": "2026-11-22"`, `"date": "2036-11-22"`, 1),
		strings.Replace(right, `"seq": 0`, `"seq": 4`, 1),
	} {
		replaceLatest(t, b, wrong)
		if project(t, l); read(t, b, latest) != right {
			t.Errorf("latest shows %s", read(t, b, latest))
		}
	}
}

func replaceLatest(t *testing.T, b *objstore.Bucket, text string) {
	t.Helper()
	a, err := b.Stat(ctx, latest)
	if err == nil {
		_, err = b.Replace(ctx, latest, []byte(text), a.Generation)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestProjectRepairsWhatItCannotRead(t *testing.T) {
	for _, broken := range []string{"", "{", `{"format":1,"prediction":"churn-14d","date":"2026-11-22","seq":0}`} {
		b, l := newStore(t)
		mustPublish(t, l, day, 1, false)
		whole := read(t, b, latest)
		replaceLatest(t, b, broken)
		project(t, l)
		if diff := cmp.Diff(whole, read(t, b, latest)); diff != "" {
			t.Errorf("after %q: %s", broken, diff)
		}
	}
}

func TestProjectLeavesWhatOthersWrote(t *testing.T) {
	for text, want := range map[string]error{
		`{"format":2,"prediction":"churn-14d"}`: publish.ErrNewer,
		`{"format":1,"prediction":"upsell"}`:    publish.ErrForeign,
		strings.Repeat(" ", 65<<20):             objstore.ErrTooLarge,
	} {
		b, l := newStore(t)
		mustPublish(t, l, day, 1, false)
		replaceLatest(t, b, text)
		if _, err := l.Project(ctx); !errors.Is(err, want) {
			t.Errorf("got %v, expected %v", err, want)
		}
	}
}

func TestProjectUnderFaults(t *testing.T) {
	for name, c := range map[string]struct {
		what faulty.Fault
		err  error
	}{
		"reply lost":   {faulty.Lost, nil},
		"error before": {faulty.Error, nil},
		"conflict":     {faulty.Refused, nil},
		"forbidden":    {forbidden, objstore.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			d := mem.New()
			log, l := publish.Log{Date: day}, open(t, bucket(d))
			sum, err := l.Seal(ctx, nightOf(day, runNamed(1), hexOf("a")))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Commit(ctx, log, publish.Entry{Run: runNamed(1), Fingerprint: hexOf("a"), ManifestSHA256: sum}); err != nil {
				t.Fatal(err)
			}
			_, err = open(t, failing(d, faulty.Put, "latest/", c.what)).Project(ctx)
			if !errors.Is(err, c.err) {
				t.Fatalf("got %v, expected %v", err, c.err)
			}
			if err == nil && latestOf(t, bucket(d)).Run != runNamed(1) {
				t.Error("latest does not show the run")
			}
		})
	}
}

// I5 again: a newer date is projected after the log and latest/ were read.
func TestProjectOvertaken(t *testing.T) {
	d := mem.New()
	mustPublish(t, open(t, bucket(d)), day.AddDays(-1), 0, false)
	overtaken := false
	l := open(t, deciding(d, func(o faulty.Operation) faulty.Fault {
		if o.Kind == faulty.Put && strings.HasPrefix(o.Key, "latest/") && !overtaken {
			overtaken = true
			mustPublish(t, open(t, bucket(d)), day.AddDays(1), 2, false)
		}
		return faulty.None
	}))
	mustPublish(t, l, day, 1, false)
	if got := latestOf(t, bucket(d)); got.Run != runNamed(2) || !overtaken {
		t.Errorf("latest shows %+v, expected the newest date", got)
	}
}

func TestProjectGivesUp(t *testing.T) {
	d := mem.New()
	l := open(t, deciding(d, func(o faulty.Operation) faulty.Fault {
		if o.Kind == faulty.Put && o.Key == "latest/_MANIFEST.json" {
			return faulty.Refused
		}
		return faulty.None
	}))
	out, err := publishNight(l, day, runNamed(1), hexOf("a"), false)
	if !errors.Is(err, publish.ErrConflict) || !out.Ours {
		t.Errorf("got %+v, %v; expected it published with ErrConflict", out, err)
	}
}

func TestProjectReportsAStoreThatFails(t *testing.T) {
	d := mem.New()
	mustPublish(t, open(t, bucket(d)), day, 1, false)
	for _, prefix := range []string{"commits/", "commits/2026-11-22/", "latest/"} {
		if _, err := open(t, failing(d, faulty.List, prefix, faulty.Error)).Project(ctx); !errors.Is(err, faulty.ErrReset) {
			t.Errorf("list %s: got %v", prefix, err)
		}
	}
}

func TestRacingProjectorsOnlyGoForward(t *testing.T) {
	const racers = 24
	b := bucket(mem.New())
	stop, watching := make(chan struct{}), sync.WaitGroup{}
	watching.Go(func() {
		last := date.Date{}
		for {
			select {
			case <-stop:
				return
			default:
			}
			if data, _, err := b.Read(ctx, latest, 1<<20); err == nil {
				var s struct{ Date date.Date }
				if err := json.Unmarshal(data, &s); err != nil || s.Date.Before(last) {
					t.Errorf("latest went from %s to %s (%v)", last, s.Date, err)
				}
				last = s.Date
			}
		}
	})
	var wg sync.WaitGroup
	for i := range racers {
		l := open(t, b)
		wg.Go(func() {
			if out, err := publishNight(l, day.AddDays(i), runNamed(i), hexOf("a"), false); err != nil || !out.Ours {
				t.Errorf("racer %d: %+v, %v", i, out, err)
			}
		})
	}
	wg.Wait()
	close(stop)
	watching.Wait()
	if got, want := latestOf(t, b).Run, runNamed(racers-1); got != want {
		t.Errorf("latest shows run %s, expected that of the newest date, %s", got, want)
	}
}

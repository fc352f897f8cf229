package publish_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

var (
	endOfTime = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	fenceName = runNamed(99)
)

// everything lets all go that may ever go, however young it is.
func everything() publish.Pruning {
	return publish.Pruning{Name: fenceName, Orphans: endOfTime, Kept: endOfTime, Expire: on("2100-01-01")}
}

// orphansOnly lets nothing expire.
func orphansOnly() publish.Pruning {
	return publish.Pruning{Name: fenceName, Orphans: endOfTime, Expire: on("2000-01-01")}
}

func prune(t *testing.T, b *objstore.Bucket, p publish.Pruning) *publish.Pruned {
	t.Helper()
	done, err := open(t, b).Prune(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func keys(t *testing.T, b *objstore.Bucket, prefix string) []string {
	t.Helper()
	all, err := b.List(ctx, prefix)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range all {
		names = append(names, strings.TrimPrefix(a.Key, prefix))
	}
	return names
}

func TestPruneDeletesOrphansBehindAFence(t *testing.T) {
	_, b, l := twoRuns(t)
	committed := keys(t, b, "runs/")
	stage(t, b, 3)
	put(t, b, publish.RunPrefix(day, runNamed(3))+"/MANIFEST.json", "sealed, never committed")
	put(t, b, publish.RunPrefix(day.AddDays(-1), runNamed(4))+"/scores/part", "of a date without a log")
	done := prune(t, b, orphansOnly())
	want := []publish.Deleted{{Date: day.AddDays(-1), Run: runNamed(4), Objects: 1, Bytes: 23}, {Date: day, Run: runNamed(3), Objects: 2, Bytes: 122}}
	if diff := cmp.Diff(want, done.Orphans, cmp.AllowUnexported(date.Date{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(committed, keys(t, b, "runs/")); diff != "" {
		t.Error(diff)
	}
	for d, seq := range map[date.Date]int{day: 2, day.AddDays(-1): 0} {
		log, err := l.Log(ctx, d)
		if err != nil || log.Next() != seq+1 || log.Entries[seq].Fence != fenceName {
			t.Errorf("the log of %s is %+v, %v", d, log, err)
		}
	}
	if done := prune(t, b, orphansOnly()); len(done.Orphans) > 0 {
		t.Errorf("a second time: %+v", done)
	}
	if log, _ := l.Log(ctx, day); log.Next() != 3 {
		t.Errorf("a clean-up with nothing to do added to the log: %+v", log)
	}
}

// A run that is still at work can change what the store says of an object after it was
// listed: it goes all the same, since it can never be published.
func TestPruneDeletesWhatChangedSinceItWasListed(t *testing.T) {
	d, b, _ := twoRuns(t)
	committed := keys(t, b, "runs/")
	stage(t, b, 3)
	done := prune(t, failing(d, faulty.Delete, "runs/", faulty.Refused), orphansOnly())
	if len(done.Orphans) != 1 || done.Orphans[0].Objects != 1 {
		t.Errorf("deleted %+v, want the one object of the orphan", done.Orphans)
	}
	if diff := cmp.Diff(committed, keys(t, b, "runs/")); diff != "" {
		t.Error(diff)
	}
}

func TestPruneLeavesWhatIsYoung(t *testing.T) {
	_, b, l := twoRuns(t)
	stage(t, b, 3)
	put(t, b, publish.RunPrefix(day, runNamed(3))+"/scores/part", "young")
	young, err := b.Stat(ctx, publish.RunPrefix(day, runNamed(3))+"/scores/part")
	if err != nil {
		t.Fatal(err)
	}
	p := orphansOnly()
	p.Orphans = young.Modified // the other object of the run is older
	if done := prune(t, b, p); len(done.Orphans) > 0 {
		t.Errorf("deleted %+v", done.Orphans)
	}
	if log, _ := l.Log(ctx, day); log.Next() != 2 {
		t.Errorf("a fence for nothing: %+v", log)
	}
}

// A run that began before the clean-up starts again under a new name; one that
// staged an orphan is never published.
func TestAFencedRunStartsAgain(t *testing.T) {
	b, l := newStore(t)
	log, err := l.Log(ctx, day)
	if err != nil {
		t.Fatal(err)
	}
	stage(t, b, 1)
	sum, err := l.Seal(ctx, nightOf(day, runNamed(1), hexOf("a")))
	if err != nil {
		t.Fatal(err)
	}
	prune(t, b, orphansOnly())
	_, err = l.Commit(ctx, log, publish.Entry{Run: runNamed(1), Fingerprint: hexOf("a"), ManifestSHA256: sum})
	if !errors.Is(err, publish.ErrRetry) {
		t.Errorf("got %v, expected ErrRetry", err)
	}
}

// A run that is committed between the listing and the fence keeps everything.
func TestPruneGivesUpWhereTheLogMoves(t *testing.T) {
	d := mem.New()
	b := bucket(d)
	stage(t, b, 1)
	racing := deciding(d, func(o faulty.Operation) faulty.Fault {
		if o.Kind == faulty.Put && strings.HasPrefix(o.Key, "commits/") {
			mustPublish(t, open(t, b), day, 1, false)
		}
		return faulty.None
	})
	done := prune(t, racing, orphansOnly())
	if len(done.Orphans) > 0 || len(done.Skipped) != 1 || done.Skipped[0] != day {
		t.Errorf("%+v", done)
	}
	if got := keys(t, b, "runs/"); len(got) != 2 {
		t.Errorf("left are %q", got)
	}
}

func TestPruneNeverTakesTheEffectiveRunsOfTheNewestDates(t *testing.T) {
	d := mem.New()
	b := bucket(d)
	l := open(t, b)
	for i := range 10 { // runs 10 to 19, the newest date first
		put(t, b, nightOf(day.AddDays(-i), runNamed(10+i), hexOf("x")).Files()[0].Key, strings.Repeat("x", 99))
		mustPublish(t, l, day.AddDays(-i), 10+i, false)
	}
	put(t, b, nightOf(day, runNamed(20), hexOf("x")).Files()[0].Key, strings.Repeat("x", 99))
	mustPublish(t, l, day, 20, true)
	if _, err := l.Rollback(ctx, day, 0, "wrong model"); err != nil { // run 10 is effective
		t.Fatal(err)
	}
	done := prune(t, b, everything())
	var runs []string
	for _, e := range done.Expired {
		runs = append(runs, strings.TrimLeft(e.Run[3:], "0"))
	}
	if diff := cmp.Diff([]string{"19", "18", "20"}, runs); diff != "" {
		t.Error(diff)
	}
	if got := keys(t, b, publish.RunPrefix(day, runNamed(20))+"/"); len(got) != 1 || got[0] != "MANIFEST.json" {
		t.Errorf("of the expired run is left %q", got)
	}
	log, err := l.Log(ctx, day)
	if err != nil || !log.Expired(runNamed(20)) || log.Expired(runNamed(10)) {
		t.Errorf("%+v, %v", log, err)
	}
	if p, ok, err := l.Published(ctx, day.AddDays(-9)); !ok || err != nil || !p.Expired {
		t.Errorf("an expired date: %+v, %v, %v", p, ok, err)
	}
	if again := prune(t, b, everything()); len(again.Expired) > 0 {
		t.Errorf("a second time: %+v", again)
	}
}

// What an interrupted clean-up left of an expired run goes with the next one.
func TestPruneCompletesAnExpiry(t *testing.T) {
	d, b, l := twoRuns(t)
	fails := failing(d, faulty.Delete, "", faulty.Error)
	p := everything()
	if done, err := open(t, fails).Prune(ctx, p); err == nil || len(done.Expired) > 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if log, _ := l.Log(ctx, day); !log.Expired(runNamed(1)) || log.Expired(runNamed(2)) {
		t.Errorf("%+v", log)
	}
	done := prune(t, b, orphansOnly())
	if len(done.Expired) != 1 || done.Expired[0].Run != runNamed(1) || done.Expired[0].Objects != 1 {
		t.Errorf("%+v", done)
	}
	if _, err := b.Stat(ctx, highOf(2)); err != nil {
		t.Error(err)
	}
}

// A run that is killed while it proves the store leaves a temporary object there,
// which no List shows.
func TestPruneDeletesWhatAProbeLeft(t *testing.T) {
	d, b, _ := twoRuns(t)
	const key = "latest/.tmp-probe-OFADEADRUN"
	u, err := d.Put(ctx, key, objstore.Absent)
	if err == nil {
		_, err = u.Commit(objstore.Checksum{})
	}
	if err != nil {
		t.Fatal(err)
	}
	young := orphansOnly()
	young.Orphans = time.Time{}
	if done := prune(t, b, young); done.Temporary != 0 {
		t.Errorf("of a living run: %+v", done)
	}
	if done := prune(t, b, orphansOnly()); done.Temporary != 1 {
		t.Errorf("of a dead run: %+v", done)
	}
	if err := d.Delete(ctx, key, objstore.Any); !errors.Is(err, objstore.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	for _, kind := range []string{faulty.List, faulty.Delete} {
		if u, err = d.Put(ctx, key, objstore.Any); err == nil {
			_, err = u.Commit(objstore.Checksum{})
		}
		if err != nil {
			t.Fatal(err)
		}
		fails := open(t, failing(d, kind, "latest/", faulty.Error))
		if _, err := fails.Prune(ctx, orphansOnly()); !errors.Is(err, faulty.ErrReset) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

func TestPruneDeletesOldEvidenceAndPreviews(t *testing.T) {
	_, b, _ := twoRuns(t)
	put(t, b, publish.RefusalPrefix(day, runNamed(5))+"/REFUSAL.json", "{}")
	put(t, b, publish.PreviewPrefix(day, runNamed(6))+"/scores/part-00000.parquet", "scores")
	put(t, b, "preview/notes.txt", "not ours")
	put(t, b, "runs/2026-11-22/notes/readme.txt", "not ours")
	p := orphansOnly()
	if done := prune(t, b, p); len(done.Refusals)+len(done.Previews)+len(done.Orphans) > 0 {
		t.Errorf("%+v", done)
	}
	p.Kept = endOfTime
	done := prune(t, b, p)
	if len(done.Refusals) != 1 || len(done.Previews) != 1 || done.Refusals[0].Run != runNamed(5) || done.Previews[0].Run != runNamed(6) {
		t.Errorf("%+v", done)
	}
	if left := append(keys(t, b, "preview/"), keys(t, b, "runs/2026-11-22/notes/")...); len(left) != 2 {
		t.Errorf("left are %q", left)
	}
}

func TestPruneStopsAtADamagedLog(t *testing.T) {
	_, b, _ := twoRuns(t)
	stage(t, b, 3)
	remove(t, b, commitKey(day, 0))
	if _, err := open(t, b).Prune(ctx, everything()); !errors.Is(err, publish.ErrLog) {
		t.Errorf("got %v, expected ErrLog", err)
	}
	if _, err := b.Stat(ctx, highOf(1)); err != nil {
		t.Error(err)
	}
}

package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

func entryOf(run, inputs string) publish.Entry {
	return publish.Entry{Run: run, Fingerprint: hexOf(inputs), ManifestSHA256: hexOf("manifest of " + run)}
}

func TestCommitWritesTheEntry(t *testing.T) {
	b, l := newStore(t)
	log := publish.Log{Date: day, Entries: []publish.Entry{{Fence: "x"}}}
	out, err := l.Commit(ctx, log, entryOf(runNamed(1), "a"))
	if err != nil || !out.Ours || out.Entry.Seq != 1 {
		t.Fatalf("got %+v, %v", out, err)
	}
	want := fmt.Sprintf("{\n  \"seq\": 1,\n  \"run\": %q,\n  \"fingerprint\": %q,\n  \"manifest_sha256\": %q\n}\n",
		runNamed(1), hexOf("a"), hexOf("manifest of "+runNamed(1)))
	if diff := cmp.Diff(want, read(t, b, "commits/2026-11-22/00000001.json")); diff != "" {
		t.Error(diff)
	}
}

// What a runner is told when somebody else's entry is at its place.
func TestCommitWhenThePlaceIsTaken(t *testing.T) {
	ours, m := entryOf(runNamed(1), "a"), hexOf("m")
	for name, c := range map[string]struct {
		there string
		err   error
		says  string
	}{
		"our own":              {publication(1, ours.Run, ours.Fingerprint, ours.ManifestSHA256), nil, ""},
		"same inputs":          {publication(1, runNamed(2), ours.Fingerprint, m), nil, ""},
		"other inputs":         {publication(1, runNamed(2), hexOf("b"), m), publish.ErrSuperseded, runNamed(2)},
		"fence":                {fence(1), publish.ErrRetry, "fence"},
		"expiry":               {expiry(1, runNamed(0)), publish.ErrRetry, "expiry"},
		"rollback":             {rollback(1, runNamed(0), 0), publish.ErrSuperseded, "wrong model"},
		"withdrawal":           {withdrawal(1), publish.ErrSuperseded, "complaint"},
		"unreadable":           {"{", publish.ErrUnknown, "run again"},
		"of a newer version":   {`{"seq":1,"merge":"x"}`, publish.ErrUnknown, "upgrade"},
		"a publication cut in": {publication(0, runNamed(2), hexOf("b"), m), publish.ErrUnknown, "run again"},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newStore(t)
			put(t, b, commitKey(day, 0), publication(0, runNamed(0), hexOf("old"), m))
			log, err := l.Log(ctx, day)
			if err != nil {
				t.Fatal(err)
			}
			put(t, b, commitKey(day, 1), c.there)
			out, err := l.Commit(ctx, log, ours)
			if !errors.Is(err, c.err) {
				t.Fatalf("got %v, expected %v", err, c.err)
			}
			if err != nil {
				if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "2026-11-22") {
					t.Errorf("%q does not say %q and the date", err, c.says)
				}
				return
			}
			if wantOurs := name == "our own"; out.Ours != wantOurs || out.Entry.Seq != 1 {
				t.Errorf("got %+v, expected ours: %t", out, wantOurs)
			}
		})
	}
}

// I8: a runner never says unpublished of what took effect through its own commit.
func TestCommitUnderFaults(t *testing.T) {
	for name, c := range map[string]struct {
		what      faulty.Fault
		err       error
		published bool
	}{
		"reply lost":       {faulty.Lost, nil, true},
		"error before":     {faulty.Error, publish.ErrUnknown, false},
		"said to be there": {faulty.Refused, publish.ErrUnknown, false},
		"forbidden":        {forbidden, objstore.ErrPermission, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := mem.New()
			l := open(t, failing(d, faulty.Put, "commits/", c.what))
			out, err := l.Commit(ctx, publish.Log{Date: day}, entryOf(runNamed(1), "a"))
			if !errors.Is(err, c.err) || out.Ours != c.published {
				t.Errorf("got %+v, %v; expected %v", out, err, c.err)
			}
			if errors.Is(c.err, objstore.ErrPermission) && (errors.Is(err, publish.ErrUnknown) || !strings.Contains(err.Error(), "not published")) {
				t.Errorf("%v leaves open what is certain", err)
			}
			log, err := open(t, bucket(d)).Log(ctx, day)
			if err != nil || (log.Next() == 1) != c.published {
				t.Errorf("log: %+v, %v", log, err)
			}
		})
	}
}

func TestCommitThatCannotReadBack(t *testing.T) {
	d := mem.New()
	l := open(t, deciding(d, func(o faulty.Operation) faulty.Fault {
		switch {
		case o.Kind == faulty.Put:
			return faulty.Lost
		case strings.HasPrefix(o.Key, "commits/"):
			return faulty.Error
		}
		return faulty.None
	}))
	_, err := l.Commit(ctx, publish.Log{Date: day}, entryOf(runNamed(1), "a"))
	if !errors.Is(err, publish.ErrUnknown) || !strings.Contains(err.Error(), "may have taken effect or not; run again") {
		t.Errorf("got %v, expected ErrUnknown", err)
	}
}

// An interrupt while the commit is under way does not make its outcome unknown.
func TestCommitInterrupted(t *testing.T) {
	interrupted, interrupt := context.WithCancel(ctx)
	l := open(t, failing(mem.New(), faulty.Put, "", faulty.Lost.Then(interrupt)))
	out, err := l.Commit(interrupted, publish.Log{Date: day}, entryOf(runNamed(1), "a"))
	if err != nil || !out.Ours {
		t.Errorf("got %+v, %v; expected it published", out, err)
	}
}

func TestCommitAfterAnInterruptDoesNotBegin(t *testing.T) {
	b, l := newStore(t)
	interrupted, interrupt := context.WithCancel(ctx)
	interrupt()
	_, err := l.Commit(interrupted, publish.Log{Date: day}, entryOf(runNamed(1), "a"))
	if !errors.Is(err, context.Canceled) || errors.Is(err, publish.ErrUnknown) || !strings.Contains(err.Error(), "not published") {
		t.Errorf("got %v", err)
	}
	if found, _ := b.List(ctx, ""); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

func TestCommitRefusesAnEntryThatNobodyCouldRead(t *testing.T) {
	for _, e := range []publish.Entry{
		{}, {Fence: "x"}, entryOf("../x", "a"),
		{Run: runNamed(1), Fingerprint: "short", ManifestSHA256: hexOf("m")},
		{Run: runNamed(1), Fingerprint: hexOf("a")},
	} {
		b, l := newStore(t)
		if _, err := l.Commit(ctx, publish.Log{Date: day}, e); err == nil {
			t.Errorf("%+v was committed", e)
		}
		if found, _ := b.List(ctx, ""); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	}
}

func race(t *testing.T, inputs func(i int) string) (*objstore.Bucket, []publish.Outcome, []error) {
	t.Helper()
	const racers = 24
	b := bucket(mem.New())
	outs, errs := make([]publish.Outcome, racers), make([]error, racers)
	var wg sync.WaitGroup
	for i := range racers {
		l := open(t, b)
		wg.Go(func() { outs[i], errs[i] = publishNight(l, day, runNamed(i), hexOf(inputs(i)), false) })
	}
	wg.Wait()
	return b, outs, errs
}

// I3: without force a date is published at most once.
func TestRacersWithTheSameInputs(t *testing.T) {
	b, outs, errs := race(t, func(int) string { return "same" })
	winners := 0
	for i, err := range errs {
		if err != nil {
			t.Errorf("racer %d: %v", i, err)
		}
		if outs[i].Ours {
			winners++
		}
		if outs[i].Entry.Run != outs[0].Entry.Run {
			t.Errorf("racer %d says run %s is published, racer 0 run %s", i, outs[i].Entry.Run, outs[0].Entry.Run)
		}
	}
	if log, err := open(t, b).Log(ctx, day); err != nil || log.Next() != 1 || winners != 1 {
		t.Errorf("%d winners, log %+v, %v; expected one publication", winners, log, err)
	}
}

func TestRacersWithOtherInputs(t *testing.T) {
	b, outs, errs := race(t, func(i int) string { return fmt.Sprint("inputs ", i) })
	log, err := open(t, b).Log(ctx, day)
	if err != nil || log.Next() != 1 {
		t.Fatalf("log %+v, %v; expected one publication", log, err)
	}
	for i, err := range errs {
		switch ours := log.Entries[0].Run == runNamed(i); {
		case ours && (err != nil || !outs[i].Ours):
			t.Errorf("racer %d is published and was told %+v, %v", i, outs[i], err)
		case !ours && outs[i].Ours, err != nil && !errors.Is(err, publish.ErrSuperseded):
			t.Errorf("racer %d is not published and was told %+v, %v", i, outs[i], err)
		}
	}
}

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

// stage writes the one file that the manifest of nightOf lists.
func stage(t testing.TB, b *objstore.Bucket, n int) {
	t.Helper()
	put(t, b, nightOf(day, runNamed(n), hexOf("x")).Files()[0].Key, strings.Repeat("x", 99))
}

// twoRuns gives a date that was published by run 1 and forced by run 2.
func twoRuns(t testing.TB) (*mem.Driver, *objstore.Bucket, *publish.Ledger) {
	t.Helper()
	d := mem.New()
	b := bucket(d)
	l := open(t, b)
	stage(t, b, 1)
	stage(t, b, 2)
	mustPublish(t, l, day, 1, false)
	mustPublish(t, l, day, 2, true)
	return d, b, l
}

func TestRollback(t *testing.T) {
	_, b, l := twoRuns(t)
	e, err := l.Rollback(ctx, day, 0, "wrong model")
	if err != nil || e.Seq != 2 || e.Rollback != runNamed(1) || *e.To != 0 {
		t.Fatalf("got %+v, %v", e, err)
	}
	want := "{\n  \"seq\": 2,\n  \"rollback\": \"" + runNamed(1) + "\",\n  \"to\": 0,\n  \"reason\": \"wrong model\"\n}\n"
	if got := read(t, b, commitKey(day, 2)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if project(t, l); latestOf(t, b).Run != runNamed(1) {
		t.Errorf("latest shows %+v", latestOf(t, b))
	}
	again, err := l.Rollback(ctx, day, 0, "again")
	if err != nil || again.Seq != 2 {
		t.Errorf("a second time: %+v, %v; expected the entry that is there", again, err)
	}
	forth, err := l.Rollback(ctx, day, 1, "it was right")
	if err != nil || forth.Seq != 3 {
		t.Errorf("forth: %+v, %v", forth, err)
	}
	if project(t, l); latestOf(t, b).Run != runNamed(2) {
		t.Errorf("latest shows %+v", latestOf(t, b))
	}
}

func TestRollbackThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(b *objstore.Bucket)
		to      int
		reason  string
		kind    error
		said    string
	}{
		"no such entry":     {nil, 9, "why", publish.ErrTarget, "entries that did: 0, 1"},
		"a negative entry":  {nil, -1, "why", publish.ErrTarget, "entries that did: 0, 1"},
		"no publication":    {func(b *objstore.Bucket) { put(t, b, commitKey(day, 2), withdrawal(2)) }, 2, "why", publish.ErrTarget, "entries that did: 0, 1"},
		"an expired run":    {func(b *objstore.Bucket) { put(t, b, commitKey(day, 2), expiry(2, runNamed(1))) }, 0, "why", publish.ErrExpired, "have expired"},
		"no reason":         {nil, 0, " ", publish.ErrTarget, "a reason is needed"},
		"two lines":         {nil, 0, "a\nb", publish.ErrTarget, "one line of text"},
		"a long story":      {nil, 0, strings.Repeat("a", 1001), publish.ErrTarget, "1001 bytes"},
		"a missing shard":   {func(b *objstore.Bucket) { remove(t, b, highOf(1)) }, 0, "why", publish.ErrDamaged, "high/part-00000.parquet"},
		"a short shard":     {func(b *objstore.Bucket) { remove(t, b, highOf(1)); put(t, b, highOf(1), "x") }, 0, "why", publish.ErrDamaged, "has 1 bytes, expected 99"},
		"no manifest":       {func(b *objstore.Bucket) { remove(t, b, publish.RunPrefix(day, runNamed(1))+"/MANIFEST.json") }, 0, "why", publish.ErrDamaged, "MANIFEST.json"},
		"a damaged log":     {func(b *objstore.Bucket) { remove(t, b, commitKey(day, 0)) }, 0, "why", publish.ErrLog, "commits/2026-11-22"},
		"an unknown expiry": {func(b *objstore.Bucket) { put(t, b, commitKey(day, 2), expiry(2, runNamed(7))) }, 0, "why", publish.ErrLog, runNamed(7)},
	} {
		_, b, l := twoRuns(t)
		if c.prepare != nil {
			c.prepare(b)
		}
		log, _ := l.Log(ctx, day)
		_, err := l.Rollback(ctx, day, c.to, c.reason)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.said) {
			t.Errorf("%s: got %v, expected %v that says %q", name, err, c.kind, c.said)
		}
		if now, _ := l.Log(ctx, day); now.Next() != log.Next() {
			t.Errorf("%s: the log grew", name)
		}
	}
}

func highOf(n int) string { return nightOf(day, runNamed(n), hexOf("x")).Files()[0].Key }

func remove(t testing.TB, b *objstore.Bucket, key string) {
	t.Helper()
	if err := b.Delete(ctx, key, objstore.Any); err != nil {
		t.Fatal(err)
	}
}

func TestWithdraw(t *testing.T) {
	_, b, l := twoRuns(t)
	e, err := l.Withdraw(ctx, day, "complaint")
	if err != nil || e.Seq != 2 || e.Kind() != publish.Withdrawal {
		t.Fatalf("got %+v, %v", e, err)
	}
	if project(t, l); latestOf(t, b).Withdrawn == nil {
		t.Errorf("latest shows %+v", latestOf(t, b))
	}
	if again, err := l.Withdraw(ctx, day, "again"); err != nil || again.Seq != 2 {
		t.Errorf("a second time: %+v, %v; expected the entry that is there", again, err)
	}
	if back, err := l.Rollback(ctx, day, 1, "it was right"); err != nil || back.Seq != 3 {
		t.Errorf("a rollback after it: %+v, %v", back, err)
	}
	if _, err := l.Withdraw(ctx, day.AddDays(1), "typing error"); !errors.Is(err, publish.ErrTarget) {
		t.Errorf("a date that was never published: %v", err)
	}
	if _, err := l.Withdraw(ctx, day, ""); !errors.Is(err, publish.ErrTarget) {
		t.Errorf("without a reason: %v", err)
	}
}

// What another did at the same moment stands, and the operator is told.
func TestAnOperatorWhoIsSecond(t *testing.T) {
	d, b, _ := twoRuns(t)
	first := true
	racing := deciding(d, func(o faulty.Operation) faulty.Fault {
		if o.Kind == faulty.Put && strings.HasPrefix(o.Key, "commits/") && first {
			first = false
			put(t, b, commitKey(day, 2), withdrawal(2))
		}
		return faulty.None
	})
	_, err := open(t, racing).Rollback(ctx, day, 0, "wrong model")
	if !errors.Is(err, publish.ErrSuperseded) || !strings.Contains(err.Error(), "withdrawal") {
		t.Errorf("got %v, expected ErrSuperseded", err)
	}
}

// Whatever becomes of the write, what the operator is told is so.
func TestAnOperatorIsToldTheTruth(t *testing.T) {
	for what, want := range map[*faulty.Fault]string{
		&faulty.Error: "unknown", &faulty.Lost: "done", &faulty.Refused: "unknown", &forbidden: "not done",
	} {
		d, b, l := twoRuns(t)
		_, err := open(t, failing(d, faulty.Put, "commits/", *what)).Withdraw(ctx, day, "complaint")
		log, _ := l.Log(ctx, day)
		got := fmt.Sprint(map[bool]string{true: "done", false: "not done"}[err == nil])
		if errors.Is(err, publish.ErrUnknown) {
			got = "unknown"
		}
		if got != want || (got == "done") != (log.Next() == 3) {
			t.Errorf("%s: told %s (%v), the log has %d entries; expected %s", what, got, err, log.Next(), want)
		}
		if e, err := open(t, b).Withdraw(ctx, day, "complaint"); err != nil || e.Seq != 2 {
			t.Errorf("%s: again: %+v, %v", what, e, err)
		}
	}
}

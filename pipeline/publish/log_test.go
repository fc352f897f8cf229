package publish_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// The entries as other commands will write them.
func publication(seq int, run, fingerprint, manifest string) string {
	return fmt.Sprintf(`{"seq":%d,"run":%q,"fingerprint":%q,"manifest_sha256":%q}`, seq, run, fingerprint, manifest)
}

func rollback(seq int, run string, to int) string {
	return fmt.Sprintf(`{"seq":%d,"rollback":%q,"to":%d,"reason":"wrong model"}`, seq, run, to)
}

func withdrawal(seq int) string {
	return fmt.Sprintf(`{"seq":%d,"withdraw":true,"reason":"complaint"}`, seq)
}

func fence(seq int) string { return fmt.Sprintf(`{"seq":%d,"fence":"01JPRUNE"}`, seq) }

func expiry(seq int, run string) string { return fmt.Sprintf(`{"seq":%d,"expire":[%q]}`, seq, run) }

func commitKey(d date.Date, seq int) string { return fmt.Sprintf("commits/%s/%08d.json", d, seq) }

func TestLogKnowsEveryKindOfEntry(t *testing.T) {
	b, l := newStore(t)
	r0, f, m := runNamed(0), hexOf("f"), hexOf("m")
	to := 0
	want := []publish.Entry{
		{Seq: 0, Run: r0, Fingerprint: f, ManifestSHA256: m},
		{Seq: 1, Fence: "01JPRUNE"},
		{Seq: 2, Rollback: r0, To: &to, Reason: "wrong model"},
		{Seq: 3, Withdraw: true, Reason: "complaint"},
		{Seq: 4, Expire: []string{r0}},
	}
	for seq, text := range []string{publication(0, r0, f, m), fence(1), rollback(2, r0, 0), withdrawal(3), expiry(4, r0)} {
		put(t, b, commitKey(day, seq), text)
	}
	log, err := l.Log(ctx, day)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, log.Entries); diff != "" {
		t.Error(diff)
	}
	if log.Next() != 5 {
		t.Errorf("next is %d, expected 5", log.Next())
	}
	kinds := []publish.Kind{publish.Publication, publish.Fence, publish.Rollback, publish.Withdrawal, publish.Expiry}
	for i, e := range log.Entries {
		if e.Kind() != kinds[i] {
			t.Errorf("entry %d is a %s, expected a %s", i, e.Kind(), kinds[i])
		}
	}
}

func TestLogOfADateWithoutEntries(t *testing.T) {
	_, l := newStore(t)
	log, err := l.Log(ctx, day)
	if err != nil || log.Next() != 0 || log.Date != day {
		t.Fatalf("got %+v, %v", log, err)
	}
	if e, ok := log.Effective(); ok {
		t.Errorf("effective: %+v, expected none", e)
	}
}

func TestEffectiveEntry(t *testing.T) {
	r, f, m := runNamed(0), hexOf("f"), hexOf("m")
	for name, c := range map[string]struct {
		entries []string
		seq     int // -1: none
	}{
		"only a fence":         {[]string{fence(0)}, -1},
		"publication, fence":   {[]string{publication(0, r, f, m), fence(1)}, 0},
		"publication, expiry":  {[]string{publication(0, r, f, m), expiry(1, r)}, 0},
		"two publications":     {[]string{publication(0, r, f, m), publication(1, runNamed(1), f, m)}, 1},
		"rollback, fence":      {[]string{publication(0, r, f, m), rollback(1, r, 0), fence(2)}, 1},
		"withdrawal, expiry":   {[]string{publication(0, r, f, m), withdrawal(1), expiry(2, r)}, 1},
		"withdrawn, published": {[]string{withdrawal(0), publication(1, r, f, m)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newStore(t)
			for seq, text := range c.entries {
				put(t, b, commitKey(day, seq), text)
			}
			log, err := l.Log(ctx, day)
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := log.Effective(); ok != (c.seq >= 0) || ok && e.Seq != c.seq {
				t.Errorf("got %+v, %t; expected seq %d", e, ok, c.seq)
			}
		})
	}
}

func TestDamagedLog(t *testing.T) {
	r, f, m := runNamed(0), hexOf("f"), hexOf("m")
	good := publication(0, r, f, m)
	for name, objects := range map[string]map[string]string{
		"gap":                   {commitKey(day, 0): good, commitKey(day, 2): fence(2)},
		"no first":              {commitKey(day, 1): fence(1)},
		"foreign object":        {commitKey(day, 0): good, "commits/2026-11-22/notes.txt": "x"},
		"not JSON":              {commitKey(day, 0): "{"},
		"empty":                 {commitKey(day, 0): ""},
		"null":                  {commitKey(day, 0): "null"},
		"a list":                {commitKey(day, 0): "[]"},
		"two values":            {commitKey(day, 0): good + good},
		"wrong seq":             {commitKey(day, 0): publication(1, r, f, m)},
		"unknown key":           {commitKey(day, 0): `{"seq":0,"fence":"x","why":"y"}`},
		"key in capitals":       {commitKey(day, 0): `{"SEQ":0,"fence":"x"}`},
		"missing key":           {commitKey(day, 0): fmt.Sprintf(`{"seq":0,"run":%q}`, r)},
		"two kinds":             {commitKey(day, 0): `{"seq":0,"fence":"x","withdraw":true,"reason":""}`},
		"wrong type":            {commitKey(day, 0): `{"seq":0,"fence":7}`},
		"run that climbs":       {commitKey(day, 0): publication(0, "../../elsewhere", f, m)},
		"short fingerprint":     {commitKey(day, 0): publication(0, r, "abc", m)},
		"short sha256":          {commitKey(day, 0): publication(0, r, f, "abc")},
		"empty fence":           {commitKey(day, 0): `{"seq":0,"fence":""}`},
		"withdrawal that isn't": {commitKey(day, 0): `{"seq":0,"withdraw":false,"reason":""}`},
		"expiry of nothing":     {commitKey(day, 0): `{"seq":0,"expire":[]}`},
		"expiry of no run":      {commitKey(day, 0): `{"seq":0,"expire":["x"]}`},
		"rollback to itself":    {commitKey(day, 0): rollback(0, r, 0)},
		"rollback before all":   {commitKey(day, 0): good, commitKey(day, 1): rollback(1, r, -1)},
		"rollback to null":      {commitKey(day, 0): good, commitKey(day, 1): fmt.Sprintf(`{"seq":1,"rollback":%q,"to":null,"reason":""}`, r)},
		"rollback to a fence":   {commitKey(day, 0): fence(0), commitKey(day, 1): rollback(1, r, 0)},
		"rollback to another":   {commitKey(day, 0): good, commitKey(day, 1): rollback(1, runNamed(5), 0)},
		"too large":             {commitKey(day, 0): strings.Repeat(" ", 2<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newStore(t)
			for key, text := range objects {
				put(t, b, key, text)
			}
			log, err := l.Log(ctx, day)
			if !errors.Is(err, publish.ErrLog) || !strings.Contains(err.Error(), day.String()) {
				t.Errorf("got %+v, %v; expected ErrLog that names the date", log, err)
			}
		})
	}
}

func TestDatesAreThoseWithALog(t *testing.T) {
	b, l := newStore(t)
	for _, d := range []string{"2026-11-22", "2025-01-31", "2026-02-01"} {
		put(t, b, commitKey(on(d), 0), fence(0))
	}
	put(t, b, "commits/notes/00000000.json", "x")
	put(t, b, "runs/2020-01-01/x", "x")
	got, err := l.Dates(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "[2025-01-31 2026-02-01 2026-11-22]" {
		t.Errorf("got %v", got)
	}
}

func TestReadingALogFromAFailingStore(t *testing.T) {
	d := mem.New()
	put(t, bucket(d), commitKey(day, 0), fence(0))
	if _, err := open(t, failing(d, faulty.List, "commits", faulty.Error)).Log(ctx, day); !errors.Is(err, faulty.ErrReset) {
		t.Errorf("list: got %v", err)
	}
	if _, err := open(t, failing(d, faulty.Open, "commits", forbidden)).Log(ctx, day); !errors.Is(err, objstore.ErrPermission) {
		t.Errorf("open: got %v", err)
	}
	if _, err := open(t, failing(d, faulty.List, "commits", faulty.Error)).Dates(ctx); !errors.Is(err, faulty.ErrReset) {
		t.Errorf("dates: got %v", err)
	}
}

func TestAdmit(t *testing.T) {
	r, m := runNamed(0), hexOf("m")
	same, other := hexOf("same"), hexOf("other")
	for name, c := range map[string]struct {
		entries []string
		force   bool
		want    publish.Decision
		says    string
	}{
		"nothing yet":        {nil, false, publish.Fresh, ""},
		"only a fence":       {[]string{fence(0)}, false, publish.Fresh, ""},
		"same":               {[]string{publication(0, r, same, m)}, false, publish.AlreadyPublished, ""},
		"same, fenced":       {[]string{publication(0, r, same, m), fence(1)}, false, publish.AlreadyPublished, ""},
		"same, forced":       {[]string{publication(0, r, same, m)}, true, publish.Fresh, ""},
		"other":              {[]string{publication(0, r, other, m)}, false, publish.OtherInputs, "--force"},
		"other, forced":      {[]string{publication(0, r, other, m)}, true, publish.Fresh, ""},
		"same, then other":   {[]string{publication(0, r, same, m), publication(1, r, other, m)}, false, publish.OtherInputs, "other inputs"},
		"rolled back":        {[]string{publication(0, r, same, m), rollback(1, r, 0)}, false, publish.OtherInputs, "wrong model"},
		"withdrawn":          {[]string{publication(0, r, same, m), withdrawal(1)}, false, publish.OtherInputs, "complaint"},
		"withdrawn, forced":  {[]string{publication(0, r, same, m), withdrawal(1)}, true, publish.Fresh, ""},
		"withdrawn and back": {[]string{withdrawal(0), publication(1, r, same, m), expiry(2, r)}, false, publish.AlreadyPublished, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newStore(t)
			for seq, text := range c.entries {
				put(t, b, commitKey(day, seq), text)
			}
			log, err := l.Log(ctx, day)
			if err != nil {
				t.Fatal(err)
			}
			a := publish.Admit(log, same, c.force)
			if a.Decision != c.want || a.Fresh() != (c.want == publish.Fresh) || !strings.Contains(a.Why, c.says) {
				t.Errorf("got %+v, expected decision %d that says %q", a, c.want, c.says)
			}
		})
	}
}

func FuzzLogNeverPanics(f *testing.F) {
	for _, text := range []string{publication(0, runNamed(0), hexOf("f"), hexOf("m")), fence(0), rollback(0, runNamed(0), 0), withdrawal(0), expiry(0, runNamed(0)), "null", "[{}]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, l := newStore(t)
		put(t, b, commitKey(day, 0), text)
		log, err := l.Log(ctx, day)
		if err == nil && log.Entries[0].Kind().String() == "unknown" {
			t.Errorf("accepted %q as %+v", text, log)
		}
		if err != nil && !errors.Is(err, publish.ErrLog) {
			t.Errorf("got %v, expected ErrLog", err)
		}
	})
}

package publish_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

func TestRefusalKeepsTheEvidence(t *testing.T) {
	b, l := newStore(t)
	limit := 0.001
	err := l.Refuse(ctx, publish.Refusal{
		Prediction: prediction, Date: day, Run: runNamed(1), Kind: "gate", Fingerprint: "f", Message: "too many rejected",
		Rows: &publish.Rows{Read: 2, Rejected: 2}, RejectedReasons: map[string]int64{"score_nan": 1, "id_null": 1},
		Gates:  []publish.Gate{{Name: "rejected", Value: 1, Refuse: &limit, Status: "refuse", Message: "2 of 2"}},
		Advice: "another model",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "format": 1,
  "prediction": "churn-14d",
  "date": "2026-11-22",
  "run": "` + runNamed(1) + `",
  "kind": "gate",
  "fingerprint": "f",
  "message": "too many rejected",
  "rows": {
    "read": 2,
    "rejected": 2,
    "excluded": 0,
    "duplicates": 0,
    "ineligible": 0,
    "scored": 0,
    "suppressed": 0
  },
  "rejected_reasons": {
    "id_null": 1,
    "score_nan": 1
  },
  "gates": [
    {
      "name": "rejected",
      "value": 1,
      "warn": null,
      "refuse": 0.001,
      "status": "refuse",
      "message": "2 of 2"
    }
  ],
  "advice": "another model",
  "rejected": []
}
`
	if diff := cmp.Diff(want, read(t, b, "refusals/2026-11-22/"+runNamed(1)+"/REFUSAL.json")); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalBeforeAnythingWasCounted(t *testing.T) {
	b, l := newStore(t)
	if err := l.Refuse(ctx, publish.Refusal{Prediction: prediction, Date: day, Run: runNamed(1), Kind: "input", Message: "no column"}); err != nil {
		t.Fatal(err)
	}
	want := `{
  "format": 1,
  "prediction": "churn-14d",
  "date": "2026-11-22",
  "run": "` + runNamed(1) + `",
  "kind": "input",
  "fingerprint": "",
  "message": "no column",
  "rows": null,
  "rejected_reasons": {},
  "gates": [],
  "advice": "",
  "rejected": []
}
`
	if diff := cmp.Diff(want, read(t, b, publish.RefusalPrefix(day, runNamed(1))+"/REFUSAL.json")); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalThatCannotBeKept(t *testing.T) {
	l := open(t, failing(mem.New(), faulty.Put, "refusals/", forbidden))
	if err := l.Refuse(ctx, publish.Refusal{Date: day, Run: runNamed(1)}); !errors.Is(err, objstore.ErrPermission) {
		t.Errorf("got %v", err)
	}
	if err := l.Refuse(ctx, publish.Refusal{Date: day, Run: runNamed(1), Gates: []publish.Gate{{Value: math.Inf(1)}}}); err == nil {
		t.Error("a number that JSON cannot hold was kept")
	}
}

func TestRefusalsAreReadNewestFirst(t *testing.T) {
	b, l := newStore(t)
	for i, message := range []string{"first", "second"} {
		r := publish.Refusal{Prediction: prediction, Date: day, Run: runNamed(i + 1), Kind: "gate", Message: message,
			Rows: &publish.Rows{Read: 2}, Gates: []publish.Gate{{Name: "rows", Value: 0.4, Status: "refuse"}}}
		if err := l.Refuse(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	put(t, b, "refusals/2026-11-22/not-a-run/REFUSAL.json", "{}")
	put(t, b, "refusals/2026-11-22/"+runNamed(3)+"/rejected/part-00000.parquet", "rows without evidence")
	put(t, b, "refusals/yesterday/"+runNamed(4)+"/REFUSAL.json", "{}")
	put(t, b, "refusals/2026-11-20/"+runNamed(5)+"/REFUSAL.json", "{}")
	got, err := l.Refusals(ctx, day)
	if err != nil || len(got) != 2 || got[0].Message != "second" || got[1].Message != "first" || got[1].Rows.Read != 2 || got[1].Gates[0].Value != 0.4 {
		t.Errorf("got %+v, %v", got, err)
	}
	dates, err := l.RefusedDates(ctx)
	if want := []date.Date{day.AddDays(-2), day}; err != nil || !slices.Equal(dates, want) {
		t.Errorf("got %v, %v; want %v", dates, err, want)
	}
	if got, err := l.Refusals(ctx, day.AddDays(5)); err != nil || len(got) != 0 {
		t.Errorf("a date without refusals: got %v, %v", got, err)
	}
}

// Evidence that is junk is told, and hides no other.
func TestEvidenceThatCannotBeRead(t *testing.T) {
	b, l := newStore(t)
	for run, text := range map[string]string{
		runNamed(1): "{", runNamed(2): `{"format":7}`,
		runNamed(3): `{"format":1,"prediction":"other","date":"2026-11-22","run":"` + runNamed(3) + `"}`,
		runNamed(4): strings.Repeat(" ", 2<<20),
	} {
		put(t, b, "refusals/2026-11-22/"+run+"/REFUSAL.json", text)
	}
	got, err := l.Refusals(ctx, day)
	if err != nil || len(got) != 4 {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i, said := range []string{"too large", `prediction "other"`, "format 7", "unexpected EOF"} {
		if r := got[i]; r.Kind != "" || r.Run != runNamed(4-i) || !strings.Contains(r.Message, "cannot be read") || !strings.Contains(r.Message, said) {
			t.Errorf("got %+v, expected %q to be said", r, said)
		}
	}
}

func TestRefusalsThatMayNotBeRead(t *testing.T) {
	driver := mem.New()
	if err := open(t, bucket(driver)).Refuse(ctx, publish.Refusal{Prediction: prediction, Date: day, Run: runNamed(1)}); err != nil {
		t.Fatal(err)
	}
	for _, operation := range []string{"list", "open"} {
		l := open(t, failing(driver, operation, "refusals/", forbidden))
		if _, err := l.Refusals(ctx, day); !errors.Is(err, objstore.ErrPermission) {
			t.Errorf("%s: got %v", operation, err)
		}
	}
	l := open(t, failing(driver, "list", "refusals/", forbidden))
	if _, err := l.RefusedDates(ctx); !errors.Is(err, objstore.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

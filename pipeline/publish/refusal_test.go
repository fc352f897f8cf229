package publish_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		Gates: []publish.Gate{{Name: "rejected", Value: 1, Refuse: &limit, Status: "refuse", Message: "2 of 2"}},
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

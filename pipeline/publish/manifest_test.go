package publish_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

const golden = `{
  "format": 1,
  "prediction": "churn-14d",
  "date": "2026-11-22",
  "run": "01JD8XGQ2V7T4N6P8R0S2T4V6W",
  "mode": "live",
  "engine": "local",
  "version": "v0.1.0",
  "fingerprint": "1111111111111111111111111111111111111111111111111111111111111111",
  "inputs": [
    {
      "name": "part-0.parquet",
      "size": 9007199254740993,
      "generation": "1732300000000001",
      "crc32c": "0000beef",
      "rows": 1002
    }
  ],
  "lists": [
    {
      "url": "gs://privacy/erased/a&b.parquet",
      "size": 10,
      "crc32c": "ffffffff",
      "rows": 3
    }
  ],
  "model": {
    "name": "churn.json",
    "sha256": "2222222222222222222222222222222222222222222222222222222222222222",
    "kind": "logistic"
  },
  "rows": {
    "read": 1002,
    "rejected": 1,
    "excluded": 0,
    "duplicates": 0,
    "ineligible": 0,
    "scored": 1001,
    "suppressed": 0
  },
  "rejected_reasons": {
    "id_null": 0,
    "score_nan": 1
  },
  "categories": [
    {
      "name": "high",
      "from": 49.99,
      "to": 100,
      "count": 1
    },
    {
      "name": "low",
      "from": 0,
      "to": 49.99,
      "count": 1000
    }
  ],
  "distribution": [
    1000,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1
  ],
  "audiences": [
    {
      "name": "high",
      "members": 1,
      "control": 0,
      "files": [
        {
          "key": "runs/2026-11-22/01JD8XGQ2V7T4N6P8R0S2T4V6W/audiences/high/part-00000.parquet",
          "format": "parquet",
          "rows": 1,
          "bytes": 512,
          "sha256": "3333333333333333333333333333333333333333333333333333333333333333",
          "crc32c": "01020304"
        }
      ]
    }
  ],
  "tables": [
    {
      "name": "rejected",
      "files": []
    }
  ],
  "gates": [
    {
      "name": "rejected",
      "value": 0.000998003992015968,
      "warn": null,
      "refuse": 0.001,
      "status": "pass",
      "message": "1 of 1,002 rows"
    }
  ],
  "accepted": [
    {
      "gate": "psi",
      "reason": "new <model>"
    }
  ]
}
`

var sameDate = cmpopts.EquateComparable(date.Date{})

const goldenRun = "01JD8XGQ2V7T4N6P8R0S2T4V6W"

func goldenManifest() *publish.Manifest {
	refuse := 0.001
	return &publish.Manifest{
		Format: publish.Format, Prediction: prediction, Date: day, Run: goldenRun, Mode: "live", Engine: "local",
		Version: "v0.1.0", Fingerprint: strings.Repeat("1", 64),
		Inputs:          []publish.Input{{Name: "part-0.parquet", Size: 1<<53 + 1, Generation: "1732300000000001", CRC32C: 0xbeef, Rows: 1002}},
		Lists:           []publish.List{{URL: "gs://privacy/erased/a&b.parquet", Size: 10, CRC32C: math.MaxUint32, Rows: 3}},
		Model:           &publish.Model{Name: "churn.json", SHA256: strings.Repeat("2", 64), Kind: "logistic"},
		Rows:            publish.Rows{Read: 1002, Rejected: 1, Scored: 1001},
		RejectedReasons: map[string]int64{"score_nan": 1, "id_null": 0},
		Categories: []publish.Category{
			{Name: "high", From: 4999, To: 10000, Count: 1}, {Name: "low", From: 0, To: 4999, Count: 1000},
		},
		Distribution: append([]int64{1000, 18: 0}, 1),
		Audiences: []publish.Audience{{Name: "high", Members: 1, Files: []publish.File{{
			Key:    "runs/2026-11-22/" + goldenRun + "/audiences/high/part-00000.parquet",
			Format: "parquet", Rows: 1, Bytes: 512, SHA256: strings.Repeat("3", 64), CRC32C: 0x01020304,
		}}}},
		Tables:   []publish.Table{{Name: "rejected"}},
		Gates:    []publish.Gate{{Name: "rejected", Value: 1.0 / 1002, Refuse: &refuse, Status: "pass", Message: "1 of 1,002 rows"}},
		Accepted: []publish.Accepted{{Gate: "psi", Reason: "new <model>"}},
	}
}

func TestManifestBytes(t *testing.T) {
	b, l := newStore(t)
	sum, err := l.Seal(ctx, goldenManifest())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(golden, read(t, b, "runs/2026-11-22/"+goldenRun+"/MANIFEST.json")); diff != "" {
		t.Error(diff)
	}
	if sum != hexOf(golden) {
		t.Errorf("sha256 %s, expected %s", sum, hexOf(golden))
	}
	got, err := l.Manifest(ctx, day, goldenRun)
	if err != nil {
		t.Fatal(err)
	}
	want := goldenManifest()
	want.Tables[0].Files = []publish.File{}
	if diff := cmp.Diff(want, got, sameDate); diff != "" {
		t.Error(diff)
	}
}

// Every key is there, with [] and {} and null where nothing is, and no key besides.
func TestManifestOfAnEmptyNight(t *testing.T) {
	b, l := newStore(t)
	m := &publish.Manifest{
		Format: 1, Prediction: prediction, Date: day, Run: goldenRun, Mode: "preview",
		Fingerprint: strings.Repeat("1", 64), Distribution: make([]int64, 20),
	}
	if _, err := l.Seal(ctx, m); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(read(t, b, "preview/2026-11-22/"+goldenRun+"/MANIFEST.json")), "")
	for _, part := range []string{
		`"inputs":[],"lists":[],"model":null,"rows":{"read":0,`,
		`"rejected_reasons":{},"categories":[],"distribution":[0,0,`,
		`"audiences":[],"tables":[],"gates":[],"accepted":[]}`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%s\nlacks %s", text, part)
		}
	}
	if m.Inputs != nil || m.RejectedReasons != nil {
		t.Error("Seal changed the manifest it was given")
	}
}

func TestSealAgain(t *testing.T) {
	_, l := newStore(t)
	if _, err := l.Seal(ctx, goldenManifest()); err != nil {
		t.Fatal(err)
	}
	if sum, err := l.Seal(ctx, goldenManifest()); err != nil || sum != hexOf(golden) {
		t.Errorf("the same manifest: %s, %v", sum, err)
	}
	other := goldenManifest()
	other.Version = "v2"
	if _, err := l.Seal(ctx, other); !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("another manifest of the same run: %v", err)
	}
}

func TestSealUnderFaults(t *testing.T) {
	for what, want := range map[*faulty.Fault]error{&faulty.Lost: nil, &faulty.Error: faulty.ErrReset, &forbidden: objstore.ErrPermission} {
		l := open(t, failing(mem.New(), faulty.Put, "runs/", *what))
		if _, err := l.Seal(ctx, goldenManifest()); !errors.Is(err, want) {
			t.Errorf("%s: got %v, expected %v", what, err, want)
		}
	}
}

func TestSealRefusesWhatJSONCannotHold(t *testing.T) {
	_, l := newStore(t)
	m := goldenManifest()
	m.Gates[0].Value = math.NaN()
	if _, err := l.Seal(ctx, m); err == nil || !strings.Contains(err.Error(), "seal runs/2026-11-22") {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	if err := goldenManifest().Check(); err != nil {
		t.Fatal(err)
	}
	file := func(m *publish.Manifest) *publish.File { return &m.Audiences[0].Files[0] }
	for name, c := range map[string]struct {
		spoil func(*publish.Manifest)
		says  string
	}{
		"format":             {func(m *publish.Manifest) { m.Format = 0 }, "format 0"},
		"prediction":         {func(m *publish.Manifest) { m.Prediction = "" }, "no prediction"},
		"date":               {func(m *publish.Manifest) { m.Date = on("2026-11-22").AddDays(1) }, "not below runs/2026-11-23/"},
		"no date":            {func(m *publish.Manifest) { m.Date = (publish.Manifest{}).Date }, "no date"},
		"run":                {func(m *publish.Manifest) { m.Run = "7" }, "ULID"},
		"mode":               {func(m *publish.Manifest) { m.Mode = "archived" }, `mode "archived"`},
		"fingerprint":        {func(m *publish.Manifest) { m.Fingerprint = "" }, "fingerprint"},
		"inputs":             {func(m *publish.Manifest) { m.Inputs[0].Rows-- }, "rows of the inputs: 1001, rows read: 1002"},
		"fates":              {func(m *publish.Manifest) { m.Rows.Excluded++ }, "rows with a fate: 1003"},
		"negative fates":     {func(m *publish.Manifest) { m.Rows.Excluded, m.Rows.Ineligible = -1, 1 }, "negative"},
		"categories":         {func(m *publish.Manifest) { m.Categories[0].Count++ }, "users in categories: 1002, scored: 1001"},
		"negative category":  {func(m *publish.Manifest) { m.Categories[0].Count, m.Categories[1].Count = -1, 1002 }, "negative"},
		"distribution":       {func(m *publish.Manifest) { m.Distribution[3]++ }, "users in the distribution: 1002"},
		"negative bucket":    {func(m *publish.Manifest) { m.Distribution[0], m.Distribution[1] = 1001, -1 }, "negative"},
		"buckets":            {func(m *publish.Manifest) { m.Distribution = m.Distribution[:19] }, "19 buckets"},
		"members":            {func(m *publish.Manifest) { m.Audiences[0].Members++ }, "audience high: rows of part-*.parquet: 1, members: 2"},
		"negative members":   {func(m *publish.Manifest) { m.Audiences[0].Members = -1 }, "members: -1"},
		"control":            {func(m *publish.Manifest) { file(m).Key += "/control-00000.parquet" }, "rows of control-*.parquet: 1, control: 0"},
		"preview audience":   {func(m *publish.Manifest) { m.Mode = "preview" }, "a preview has no audiences"},
		"key of another run": {func(m *publish.Manifest) { file(m).Key = "runs/2026-11-22/x/part-0.parquet" }, "not below"},
		"key that climbs":    {func(m *publish.Manifest) { file(m).Key = m.Prefix() + "/../part-0.parquet" }, "not below"},
		"key twice":          {func(m *publish.Manifest) { m.Tables[0].Files = m.Audiences[0].Files }, "twice"},
		"negative rows":      {func(m *publish.Manifest) { m.Tables[0].Files = []publish.File{{Key: m.Prefix() + "/x", Rows: -1}} }, "-1 rows"},
		"sha256":             {func(m *publish.Manifest) { file(m).SHA256 = strings.Repeat("A", 64) }, "sha256"},
	} {
		t.Run(name, func(t *testing.T) {
			m := goldenManifest()
			c.spoil(m)
			if err := m.Check(); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected %q", err, c.says)
			}
			b, l := newStore(t)
			if _, err := l.Seal(ctx, m); !errors.Is(err, publish.ErrDamaged) {
				t.Errorf("Seal: %v", err)
			}
			if found, _ := b.List(ctx, ""); len(found) > 0 {
				t.Errorf("Seal wrote %v", found)
			}
		})
	}
}

func TestTextOnlyAudienceHasNoPartsToCompare(t *testing.T) {
	m := goldenManifest()
	m.Audiences[0].Members, m.Audiences[0].Files[0].Format = 7, "csv"
	if err := m.Check(); err != nil {
		t.Error(err)
	}
}

func TestFilesOfAManifest(t *testing.T) {
	m := goldenManifest()
	scores := publish.File{Key: m.Prefix() + "/scores/part-00000.parquet", SHA256: strings.Repeat("4", 64)}
	m.Tables = append(m.Tables, publish.Table{Name: "scores", Files: []publish.File{scores}})
	if diff := cmp.Diff([]publish.File{m.Audiences[0].Files[0], scores}, m.Files()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]publish.File{scores}, m.Table("scores")); diff != "" {
		t.Error(diff)
	}
	if m.Table("high") != nil {
		t.Error("an audience was given as a table")
	}
}

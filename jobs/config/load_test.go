package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
)

// everything gives each supported key a value that is not its default.
const everything = `
prediction: churn-14d
mode: preview
timezone: Europe/Paris
schedule: "*/15 4-6 1,15 JAN-Dec/2 mon-5"
lag_days: 0
deadline: 23:59
catch_up: 366
snapshot:
  url: gs://warehouse/user_snapshots/
  partition: "y={yyyy}/m={mm}/d={dd}"
  files: "part-[0-9]*.parquet"
  ready: ""
  id: user_id
  contact: e-mail
  as_of: updated_at
  duplicates: keep_latest
  order_by: updated_at
  verify: read
score:
  column: {name: churn_score, range: [-1, 1e3]}
categories:
  - {name: all, from: 33.33}
  - {name: none, from: 0}
exclude: [{url: "lists/erased/*.parquet", id: uid}, {url: gs://privacy/gone.parquet, id: user_id}]
eligible: days_since_last_session <= 30 && !employee
suppress:
  - {url: "gs://${BUCKET}/unsubscribed/*.parquet", contact: email, max_age: 36h, min_ratio: 0.9}
  - {url: lists/complaints.parquet, id: uid, max_age: 7d}
  - {where: 'email_opt_out || score < 5.0 && category == "none"'}
  - {publication: "gs://${BUCKET}/upsell/", audience: vip}
  - {publication: ../paused, audience: all, id: customer}
holdout: {share: 0.05, salt: winter 2026 ❄, key: id}
exclusive: [2nd_all, winback]
audiences:
  - name: winback
    where: 'category == "all" && country in ["FR", "BE"]'
    score: [60, 99.99]
    limit: 100000
    expect: {min: 1000, max: 200000}
    empty: skip
    files:
      - {format: csv, formula: quote, columns: {risk: category, external_id: user_id, p: probability, day: snapshot_date, "a b": Call  Failure,
          mail: {from: email, hash: sha256-lower-trim}, tel: {normalise: e164, from: phone, hash: sha256-lower-trim}, raw_tel: {from: phone, normalise: e164}, c: {from: category},
          arm: held_out, both: a - b, spend: 'ltv / double(visits)', big: "score > 80.0", full: {from: 'first + " " + last', hash: sha256-lower-trim}}}
      - {format: parquet, columns: {id: user_id, id_hash: {from: user_id, hash: sha256-lower-trim}}}
      - {format: jsonl, gzip: true}
      - {format: jsonl}
      - {format: csv, gzip: true}
  - {name: 2nd_all, where: wants_mail}
gates:
  rows: {min_ratio: 0.25, max_ratio: 4}
  rejected: {max_share: 0.002}
  duplicates: {max_share: 0}
  category_shift: {warn: .3, refuse: 5.}
  psi: {warn: 0.2, refuse: 0.3, baseline: 2026-10-01}
  constant: {max_share: 1}
  features: {null_shift: 0.2, unseen_share: 0}
publish:
  url: ../published
  compression: snappy
  scores: false
  passthrough: [country, plan]
`

const shares = `
categories:
  - {name: high, top_share: 0.10}
  - {name: medium, top_share: 0.30}
  - {name: low, from: 0}
`

const modelled = `
score:
  model: models/churn.ubj
  missing: [-999, 1e9]
  iterations: all
  one_hot: {columns: [contract, plan], separator: "="}
  features:
    is_monthly: 'contract == "Month-to-month"'
    tenure: 'col("Tenure (months)")'
    share: visits / 2
    recency: days-idle
`

func pointer[T any](v T) *T { return &v }

var defaultGates = Gates{
	Rows:          RatioGate{MinRatio: 0.5, MaxRatio: 2},
	Rejected:      ShareGate{MaxShare: 0.001},
	Duplicates:    ShareGate{MaxShare: 0.001},
	CategoryShift: LevelGate{Warn: 0.2, Refuse: 0.5},
	PSI:           PSIGate{LevelGate: LevelGate{Warn: 0.1, Refuse: 0.25}},
	Constant:      ShareGate{MaxShare: 0.99},
	Features:      FeaturesGate{NullShift: 0.1, UnseenShare: 0.01},
}

// sameZone compares locations by name, and dates.
var sameZone = cmp.Options{
	cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b date.Date) bool { return a == b }),
}

func load(t *testing.T, text string, set ...string) (c *Config, folder string) {
	t.Helper()
	c, err := loadText(t, text, set...)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	folder, err = os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return c, folder
}

func TestDefaults(t *testing.T) {
	got, folder := load(t, complete(""))
	want := &Config{
		Path:       "churntier.yaml",
		Prediction: "churn-14d",
		Mode:       ModeLive,
		Timezone:   time.UTC,
		LagDays:    1,
		CatchUp:    7,
		Snapshot: Snapshot{
			URL: filepath.Join(folder, "in"), Partition: "dt={date}", Files: "*.parquet", Ready: "_SUCCESS",
			ID: "user_id", Duplicates: DuplicatesReject, Verify: VerifyWhole,
		},
		Score: Score{Model: filepath.Join(folder, "churn.json")},
		Categories: []Category{
			{Name: "high", From: pointer(75.0)}, {Name: "medium", From: pointer(50.0)}, {Name: "low", From: pointer(0.0)},
		},
		Gates:   defaultGates,
		Publish: Publish{URL: filepath.Join(folder, "out"), Compression: CompressionZstd, Scores: true, KeepDays: 30},
	}
	if diff := cmp.Diff(want, got, sameZone); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestModelKeys(t *testing.T) {
	got, folder := load(t, complete(modelled))
	want := Score{
		Model: filepath.Join(folder, "models/churn.ubj"), Missing: []float64{-999, 1e9}, Iterations: IterationsAll,
		OneHot: OneHot{Columns: []string{"contract", "plan"}, Separator: "="},
		Features: map[string]string{
			"is_monthly": `contract == "Month-to-month"`, "tenure": `col("Tenure (months)")`, "share": "visits / 2", "recency": "days-idle",
		},
	}
	if diff := cmp.Diff(want, got.Score); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got, folder = load(t, complete("score: {model: m.json, missing: -1, iterations: 12, one_hot: {columns: [a]}}\n"))
	want = Score{Model: filepath.Join(folder, "m.json"), Missing: []float64{-1}, Iterations: 12, OneHot: OneHot{Columns: []string{"a"}, Separator: "_"}}
	if diff := cmp.Diff(want, got.Score); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEveryKey(t *testing.T) {
	got, folder := load(t, everything)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := date.Parse("2026-10-01")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Path:       "churntier.yaml",
		Prediction: "churn-14d",
		Mode:       ModePreview,
		Timezone:   paris,
		Schedule:   got.Schedule, // see TestSchedule
		Deadline:   pointer(23*time.Hour + 59*time.Minute),
		CatchUp:    366,
		Snapshot: Snapshot{
			URL: "gs://warehouse/user_snapshots", Partition: "y={yyyy}/m={mm}/d={dd}", Files: "part-[0-9]*.parquet",
			ID: "user_id", Contact: "e-mail", AsOf: "updated_at", Duplicates: DuplicatesKeepLatest, OrderBy: "updated_at", Verify: VerifyRead,
		},
		Score:      Score{Column: &ScoreColumn{Name: "churn_score", Low: -1, High: 1000}},
		Categories: []Category{{Name: "all", From: pointer(33.33)}, {Name: "none", From: pointer(0.0)}},
		Exclude: []List{
			{URL: filepath.Join(folder, "lists/erased/*.parquet"), ID: "uid"}, {URL: "gs://privacy/gone.parquet", ID: "user_id"},
		},
		Eligible: "days_since_last_session <= 30 && !employee",
		Suppress: []Suppress{
			{URL: "gs://audiences/unsubscribed/*.parquet", Contact: "email", MaxAge: 36 * time.Hour, MinRatio: 0.9},
			{URL: filepath.Join(folder, "lists/complaints.parquet"), ID: "uid", MaxAge: 7 * 24 * time.Hour},
			{Where: `email_opt_out || score < 5.0 && category == "none"`},
			{Publication: "gs://audiences/upsell", Audience: "vip", ID: "user_id"},
			{Publication: filepath.Join(filepath.Dir(folder), "paused"), Audience: "all", ID: "customer"},
		},
		Holdout:   &Holdout{Share: 0.05, Salt: "winter 2026 ❄", Key: HoldoutByID},
		Exclusive: []string{"2nd_all", "winback"},
		Audiences: []Audience{
			{
				Name: "winback", Where: `category == "all" && country in ["FR", "BE"]`, Score: &[2]float64{60, 99.99}, Limit: 100_000,
				Expect: &Expect{Min: pointer(int64(1000)), Max: pointer(int64(200000))}, Empty: EmptySkip,
				Files: []File{
					{Format: FormatCSV, Formula: FormulaQuote, Columns: []OutColumn{
						{Name: "risk", From: FromCategory}, {Name: "external_id", From: "user_id"}, {Name: "p", From: FromProbability}, {Name: "day", From: FromSnapshotDate},
						{Name: "a b", From: "Call  Failure"}, {Name: "mail", From: "email", Hash: HashSHA256LowerTrim},
						{Name: "tel", From: "phone", Hash: HashSHA256LowerTrim, Normalise: NormaliseE164},
						{Name: "raw_tel", From: "phone", Normalise: NormaliseE164}, {Name: "c", From: FromCategory},
						{Name: "arm", From: FromHeldOut}, {Name: "both", From: "a - b"}, {Name: "spend", From: "ltv / double(visits)"},
						{Name: "big", From: "score > 80.0"}, {Name: "full", From: `first + " " + last`, Hash: HashSHA256LowerTrim},
					}},
					{Format: FormatParquet, Formula: FormulaRefuse, Columns: []OutColumn{{Name: "id", From: "user_id"}, {Name: "id_hash", From: "user_id", Hash: HashSHA256LowerTrim}}},
					{Format: FormatJSONL, Formula: FormulaRefuse, Gzip: true},
					{Format: FormatJSONL, Formula: FormulaRefuse},
					{Format: FormatCSV, Formula: FormulaRefuse, Gzip: true},
				},
			},
			{Name: "2nd_all", Where: "wants_mail", Empty: EmptyHeader, Files: []File{{Format: FormatParquet, Formula: FormulaRefuse}}},
		},
		Gates: Gates{
			Rows:          RatioGate{MinRatio: 0.25, MaxRatio: 4},
			Rejected:      ShareGate{MaxShare: 0.002},
			CategoryShift: LevelGate{Warn: 0.3, Refuse: 5},
			PSI:           PSIGate{LevelGate{Warn: 0.2, Refuse: 0.3}, pinned},
			Constant:      ShareGate{MaxShare: 1},
			Features:      FeaturesGate{NullShift: 0.2},
		},
		Publish: Publish{
			URL: filepath.Join(filepath.Dir(folder), "published"), Compression: CompressionSnappy,
			Passthrough: []string{"country", "plan"}, KeepDays: 30,
		},
	}
	if diff := cmp.Diff(want, got, sameZone); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestShareCategories(t *testing.T) {
	got, _ := load(t, complete(shares))
	want := []Category{
		{Name: "high", TopShare: pointer(0.1)}, {Name: "medium", TopShare: pointer(0.3)}, {Name: "low", From: pointer(0.0)},
	}
	if diff := cmp.Diff(want, got.Categories); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPartialGatesKeepTheOtherDefaults(t *testing.T) {
	want := defaultGates
	want.Rows.MaxRatio = 3
	want.PSI.Refuse = 0.5
	got, _ := load(t, complete("gates:\n  rows: {max_ratio: 3}\n  psi: {refuse: 0.5}\n  constant: {}\n"))
	if diff := cmp.Diff(want, got.Gates, sameZone); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWarnings(t *testing.T) {
	got, _ := load(t, complete("gates:\n  psi:\n    warn: 0.3\n"))
	want := []string{"churntier.yaml:3: gates.psi: warn 0.3 is above refuse 0.25, so it refuses without a warning\n    3 |     warn: 0.3"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDestinationThatReadsS3Alone(t *testing.T) {
	got, _ := load(t, complete("deliveries:\n  - name: a\n    to: gs://crm/x\n    destination: braze-cdi\n    audiences: [high]\n    columns: {external_id: user_id, risk: category}\n"))
	want := []string{"churntier.yaml:3: deliveries[0].to: is not on S3, from where alone braze-cdi takes files by event notifications\n    3 |     to: gs://crm/x"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLocations(t *testing.T) {
	for _, c := range []struct{ written, want string }{
		{"out", "FOLDER/out"},
		{"./a/../out/", "FOLDER/out"},
		{"/srv/out/", "/srv/out"},
		{"file:///srv/my%20out/", "/srv/my out"},
		{"file://out", "FOLDER/out"},
		{"gs://bucket", "gs://bucket"},
		{"s3://bucket/a/", "s3://bucket/a"},
		{"azblob://container/a", "azblob://container/a"},
		{"gs://bucket/", "gs://bucket"},
		{"gs://bucket/a b/", "gs://bucket/a b"},
		{"gs://${BUCKET}/x-${BUCKET}", "gs://audiences/x-audiences"},
		{"$BUCKET/a$$", "FOLDER/$BUCKET/a$$"},
	} {
		got, folder := load(t, complete("publish:\n  url: "+c.written+"\n"))
		if want := strings.Replace(c.want, "FOLDER", folder, 1); got.Publish.URL != want {
			t.Errorf("%s: got %s, want %s", c.written, got.Publish.URL, want)
		}
	}
}

// Locations do not depend on the folder in which the program runs.
func TestLocationsFollowTheFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "churntier.yaml")
	if err := os.WriteFile(path, []byte(complete("")), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	got, err := Load(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(folder, "churn.json"); got.Score.Model != want || got.Path != path {
		t.Errorf("got model %s, path %s, want %s, %s", got.Score.Model, got.Path, want, path)
	}
}

func TestVariablesComeFromTheEnvironmentByDefault(t *testing.T) {
	t.Setenv("CHURNTIER_TEST_BUCKET", "b")
	path := filepath.Join(t.TempDir(), "churntier.yaml")
	if err := os.WriteFile(path, []byte(complete("publish: {url: 'gs://${CHURNTIER_TEST_BUCKET}'}\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path, Options{})
	if err != nil || got.Publish.URL != "gs://b" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSecretsStayOutOfFaults(t *testing.T) {
	_, err := loadText(t, complete("publish: {url: '${SECRET}', scores: maybe}\n"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestSet(t *testing.T) {
	got, _ := load(t, complete("audiences:\n  - {name: vip, score: [80, 100]}\n  - {name: rest}\ngates: {psi:}\n"),
		"mode=preview", "audiences.0.score=[60,100]", "audiences.1={name: others}", "gates.psi.refuse=0.4",
		`snapshot.ready=""`, "publish.url=gs://${BUCKET}/x", "publish.scores=true", "publish.scores=false",
		"categories=[{name: one, from: 0}]", "audiences.0.files=[{format: csv}]", "audiences.0.files.0.columns.uid=user_id")
	check := func(what string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got, sameZone); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("mode", got.Mode, ModePreview)
	check("score", got.Audiences[0].Score, &[2]float64{60, 100})
	check("name", got.Audiences[1].Name, "others")
	check("psi", got.Gates.PSI, PSIGate{LevelGate: LevelGate{Warn: 0.1, Refuse: 0.4}})
	check("ready", got.Snapshot.Ready, "")
	check("url", got.Publish.URL, "gs://audiences/x")
	check("the last flag wins", got.Publish.Scores, false)
	check("categories", got.Categories, []Category{{Name: "one", From: pointer(0.0)}})
	check("files", got.Audiences[0].Files, []File{{Format: FormatCSV, Formula: FormulaRefuse, Columns: []OutColumn{{Name: "uid", From: "user_id"}}}})
}

// A flag that goes through a mapping of the file leaves its other faults where
// they stand.
func TestSetKeepsTheLinesOfOthers(t *testing.T) {
	_, err := loadText(t, complete("publis: {url: out}\n"), "publis.scores=true")
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Line != 1 || faults[0].Flag != "" {
		t.Errorf("got %v", err)
	}
}

// A webhook is told everything unless the config says less, and its variables are
// those of the environment.
func TestNotify(t *testing.T) {
	all := []string{"refused", "failed", "late", "recovered"}
	for text, want := range map[string]Notify{
		"mode: live\n": {},
		"notify: {webhook: 'https://hooks.example/${BUCKET}?a=b'}\n":                             {Webhook: "https://hooks.example/audiences?a=b", On: all},
		"notify: {webhook: http://127.0.0.1:9/x, on: [late], heartbeat: https://hc.example/u}\n": {Webhook: "http://127.0.0.1:9/x", On: []string{"late"}, Heartbeat: "https://hc.example/u"},
		"notify: {webhook: '', on: [late], heartbeat: ''}\n":                                     {On: []string{"late"}},
	} {
		c, err := loadText(t, complete(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, c.Notify); diff != "" {
			t.Errorf("%s: -want +got:\n%s", text, diff)
		}
	}
}

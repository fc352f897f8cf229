package metrics_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/jobs/metrics"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/publish"
)

var (
	cfg     = &config.Config{Prediction: "churn-14d", Timezone: time.UTC}
	started = time.Date(2026, 11, 23, 4, 30, 0, 0, time.UTC)
	half    = 0.5
)

// run is a ULID of 2026-11-23 04:30:00 UTC: 1795408200000 ms since 1970.
const run = "01M83AP0A00000000000000000"

func night(day string) *publish.Manifest {
	d, err := date.Parse(day)
	if err != nil {
		panic(err)
	}
	return &publish.Manifest{
		Date: d, Run: run, Mode: "live",
		Inputs:     []publish.Input{{Size: 1000}, {Size: 24}},
		Rows:       publish.Rows{Read: 10, Rejected: 1, Duplicates: 2, Scored: 7, Suppressed: 3},
		Categories: []publish.Category{{Name: "high", Count: 4}, {Name: "low", Count: 3}},
		Audiences:  []publish.Audience{{Name: "high", Members: 3, Control: 1}},
		Gates:      []publish.Gate{{Name: "rows", Value: 1.5, Refuse: &half, Status: "pass"}},
	}
}

func published(day string) jobs.Attempt {
	m := night(day)
	return jobs.Attempt{
		Prediction: "churn-14d", Date: m.Date, Started: started, Seconds: 2.5,
		Outcome:    &pipeline.Outcome{Status: pipeline.Published, Run: run, Manifest: m},
		Deliveries: []*delivery.Outcome{{Delivery: "mailer", Did: delivery.DidDeliver}},
	}
}

// families reads a text as Prometheus does.
func families(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	all, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
	return all
}

// value gives the one sample of a family with these labels, such as a=b,c=d.
func value(t *testing.T, all map[string]*dto.MetricFamily, name, labels string) float64 {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		var has []string
		for _, l := range m.GetLabel() {
			if l.GetName() != "prediction" {
				has = append(has, l.GetName()+"="+l.GetValue())
			}
		}
		if strings.Join(has, ",") == labels {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Errorf("%s{%s} is not there: %v", name, labels, all[name])
	return 0
}

func scrape(t *testing.T, m *metrics.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return families(t, w.Body.String())
}

func TestWhatIsCounted(t *testing.T) {
	m := metrics.New()
	m.Serving("v1")
	stages := m.Watch("churn-14d", quiet{})
	stages.Stage("measure", 1, 1)
	stages.Add(5)
	if err := stages.Close(); err != nil {
		t.Fatal(err)
	}
	past := delivery.Past{Intent: &delivery.Intent{Counts: delivery.Counts{Entered: 3, Left: 1, Moved: 2, Stayed: 5}}, Done: true, Changed: started.Add(time.Minute)}
	pending := delivery.Past{Intent: &delivery.Intent{}, Uncertain: []string{"a"}}
	m.Observe(cfg, published("2026-11-22"), jobs.Around{Deliveries: []jobs.PastDeliveries{{Name: "mailer", Past: []delivery.Past{pending, past}}}})
	m.Observe(cfg, published("2026-11-20"), jobs.Around{}) // as a backfill publishes it: it is not the newest
	all := scrape(t, m)
	for _, c := range []struct {
		name, labels string
		want         float64
	}{
		{"churntier_attempts_total", "status=published", 2},
		{"churntier_last_attempt_timestamp_seconds", "status=published", 1795408202.5},
		{"churntier_attempt_duration_seconds", "status=published", 2.5},
		{"churntier_rows", "fate=rejected", 1},
		{"churntier_rows", "fate=excluded", 0},
		{"churntier_rows", "fate=duplicate", 2},
		{"churntier_rows", "fate=ineligible", 0},
		{"churntier_rows", "fate=scored", 7},
		{"churntier_store_retries_total", "", 0},
		{"churntier_suppressed_users", "", 3},
		{"churntier_snapshot_bytes", "", 1024},
		{"churntier_category_users", "category=high", 4},
		{"churntier_audience_users", "arm=members,audience=high", 3},
		{"churntier_audience_users", "arm=held_out,audience=high", 1},
		{"churntier_gate_value", "gate=rows,status=pass", 1.5},
		{"churntier_gate_limit", "gate=rows,level=refuse", 0.5},
		{"churntier_last_publication_timestamp_seconds", "", 1795408200},
		{"churntier_published_date_timestamp_seconds", "", 1795392000}, // 2026-11-23 00:00 UTC
		{"churntier_deliveries_total", "delivery=mailer,did=delivered", 2},
		{"churntier_last_delivery_timestamp_seconds", "delivery=mailer", 1795408260},
		{"churntier_delivery_users", "change=entered,delivery=mailer", 3},
		{"churntier_delivery_uncertain_files", "delivery=mailer", 1},
		{"churntier_build_info", "version=v1", 1},
	} {
		if got := value(t, all, c.name, c.labels); got != c.want {
			t.Errorf("%s{%s} is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	if len(all["churntier_gate_limit"].GetMetric()) != 1 {
		t.Errorf("a limit that there is not is shown: %v", all["churntier_gate_limit"])
	}
	for _, stage := range []string{"prepare", "measure"} {
		value(t, all, "churntier_stage_duration_seconds", "stage="+stage)
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if all[name] == nil {
			t.Errorf("%s is not there", name)
		}
	}
}

// What is gone from the config is gone from the metrics, and a refused night shows what its gates said,
// beside the numbers of the one that is published.
func TestTheNextNight(t *testing.T) {
	m := metrics.New()
	m.Observe(cfg, published("2026-11-21"), jobs.Around{})
	next := published("2026-11-22")
	next.Outcome.Manifest.Categories = []publish.Category{{Name: "all", Count: 7}}
	m.Observe(cfg, next, jobs.Around{})
	refused := jobs.Attempt{Prediction: "churn-14d", Started: started, Err: pipeline.ErrGate}
	m.Observe(cfg, refused, jobs.Around{
		Before:   &publish.Published{Run: run, Manifest: next.Outcome.Manifest},
		Evidence: &publish.Refusal{Gates: []publish.Gate{{Name: "rows", Value: 0.25, Status: "refuse"}}},
	})
	all := scrape(t, m)
	if n := len(all["churntier_category_users"].GetMetric()); n != 1 {
		t.Errorf("%d categories, want the one that there is", n)
	}
	if n := len(all["churntier_gate_value"].GetMetric()); n != 1 {
		t.Errorf("%d gates, want 1", n)
	}
	if got := value(t, all, "churntier_gate_value", "gate=rows,status=refuse"); got != 0.25 {
		t.Errorf("rows is %v", got)
	}
	if got := value(t, all, "churntier_rows", "fate=scored"); got != 7 {
		t.Errorf("%v scored", got)
	}
	if got := value(t, all, "churntier_attempts_total", "status=refused"); got != 1 {
		t.Errorf("%v refused", got)
	}
}

// A night that was only looked at, and one that failed before anything was published, are no
// publications.
func TestWhatIsNoPublication(t *testing.T) {
	m := metrics.New()
	looked := published("2026-11-22")
	looked.Outcome.Status = pipeline.DryRun
	m.Observe(cfg, looked, jobs.Around{})
	m.Observe(cfg, jobs.Attempt{Prediction: "churn-14d", Started: started, Err: errors.New("the disk is on fire")}, jobs.Around{})
	all := scrape(t, m)
	if there := all["churntier_last_publication_timestamp_seconds"]; there != nil {
		t.Errorf("got %v", there)
	}
	value(t, all, "churntier_attempts_total", "status=dry-run")
	value(t, all, "churntier_attempts_total", "status=failed")
}

// The textfiles of two predictions are read side by side: none has a sample that the
// other may have too.
func TestTextfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "churntier.prom")
	for range 2 { // the second replaces the first
		m := metrics.New()
		m.Observe(cfg, published("2026-11-22"), jobs.Around{})
		if err := m.WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range families(t, string(text)) {
		for _, sample := range f.GetMetric() {
			if !strings.Contains(sample.String(), `"prediction"`) || !strings.HasPrefix(name, "churntier_") {
				t.Errorf("%s %v says not whose it is", name, sample)
			}
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v: the exporter, another user, has to read it", info.Mode(), err)
	}
	if left, err := filepath.Glob(path + "?*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if err := metrics.New().WriteFile(filepath.Join(t.TempDir(), "none", "churntier.prom")); err == nil {
		t.Error("a folder was made up")
	}
}

type quiet struct{}

func (quiet) Stage(string, int64, int64) {}
func (quiet) Add(int64)                  {}
func (quiet) Close() error               { return nil }

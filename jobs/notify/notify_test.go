package notify_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/jobs/notify"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// hook gives the URL of a webhook and what it heard, in order.
func hook(t *testing.T) (url string, heard *[]string) {
	t.Helper()
	heard = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v: %v", r.Header, err)
		}
		*heard = append(*heard, m.Text)
	}))
	t.Cleanup(s.Close)
	return s.URL, heard
}

func day(n int) date.Date { return date.FromDays(20779).AddDays(n) } // from 2026-11-22

func of(d date.Date, err error) jobs.Attempt {
	a := jobs.Attempt{Prediction: "churn", Date: d, Started: time.Now(), Err: err}
	if err == nil {
		a.Outcome = &pipeline.Outcome{Status: pipeline.Published, Manifest: &publish.Manifest{Date: d, Mode: "live", Run: "R"}}
	}
	return a
}

// While the store cannot be asked, a process goes by what it told itself: each state
// once, until the date or a later one is published.
func TestOncePerIncidentWithoutAStore(t *testing.T) {
	url, heard := hook(t)
	cfg := &config.Config{Prediction: "churn", Publish: config.Publish{URL: "gs://out"}, Notify: config.Notify{Webhook: url, On: []string{"refused", "failed", "late", "recovered"}}}
	n := &notify.Notifier{}
	late := of(day(0), snapshot.ErrNotReady)
	late.Late = true
	fails := of(day(0), errors.New("no route to the store"))
	for _, step := range []struct {
		attempt jobs.Attempt
		want    string // of what is heard; "" = nothing
	}{
		{of(day(-1), nil), ""},
		{of(day(0), snapshot.ErrNotReady), ""},
		{late, "churn 2026-11-22: late: "},
		{late, ""},
		{fails, "failed: no route"},
		{late, ""},
		{fails, ""},
		{of(day(-1), nil), ""}, // of an earlier date
		{of(day(1), pipeline.ErrGate), "2026-11-23: refused by a gate"},
		{of(day(1), nil), "2026-11-23: recovered: published, after 2026-11-22 was late, it was refused"},
		{of(day(1), nil), ""},
		{of(day(0), publish.ErrSuperseded), ""},
		{fails, "failed"}, // another incident
	} {
		*heard = nil
		if err := n.Tell(t.Context(), cfg, step.attempt, jobs.Around{}); err != nil {
			t.Error(err)
		}
		got := strings.Join(*heard, "\n---\n")
		if (step.want == "") != (got == "") || !strings.Contains(got, step.want) {
			t.Errorf("%s %v: heard %q, want %q", step.attempt.Date, step.attempt.Err, got, step.want)
		}
	}
}

// What names and errors hold is text to Slack, on one line, and not endless.
func TestHostileTexts(t *testing.T) {
	url, heard := hook(t)
	cfg := &config.Config{Prediction: "churn", Publish: config.Publish{URL: "gs://out"}, Notify: config.Notify{Webhook: url, On: []string{"failed"}}}
	n := &notify.Notifier{Hint: func(error) string { return "ask <@U1>" }}
	err := n.Tell(t.Context(), cfg, of(day(0), errors.New("column <!channel> & \"<https://evil.example|click>\"\n"+strings.Repeat("é", 5000))), jobs.Around{
		Before: &publish.Published{Date: day(-1), Manifest: &publish.Manifest{Categories: []publish.Category{{Name: "<low>", Count: 1234567}}}},
	})
	if err != nil || len(*heard) != 1 {
		t.Fatalf("%v: %q", err, *heard)
	}
	text := (*heard)[0]
	if strings.ContainsAny(text, "<>") || strings.Contains(strings.NewReplacer("&lt;", "", "&gt;", "", "&amp;", "").Replace(text), "&") {
		t.Errorf("markup in %q", text)
	}
	for _, want := range []string{"column &lt;!channel&gt; &amp; \"", "&lt;low&gt; 1,234,567", "Next: ask &lt;@U1&gt;", "\ngs://out"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	if lines := strings.Split(text, "\n"); len(lines) != 4 || len([]rune(text)) > 1000 {
		t.Errorf("%d lines, %d characters: %q", len(lines), len([]rune(text)), text)
	}
}

// The signs of a heartbeat: /fail goes to the end of the path, before a query.
func TestHeartbeat(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.Method+" "+r.URL.String()) }))
	t.Cleanup(s.Close)
	cfg := &config.Config{Prediction: "churn", Notify: config.Notify{Heartbeat: s.URL + "/ping/uuid?x=1"}}
	n := &notify.Notifier{}
	for _, a := range []jobs.Attempt{of(day(0), nil), of(day(0), pipeline.ErrGate), of(day(0), snapshot.ErrNotReady), {Prediction: "churn"}} {
		if err := n.Tell(t.Context(), cfg, a, jobs.Around{}); err != nil {
			t.Error(err)
		}
	}
	if got, want := strings.Join(asked, ", "), "GET /ping/uuid?x=1, GET /ping/uuid/fail?x=1"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

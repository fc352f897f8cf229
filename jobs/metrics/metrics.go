// Package metrics counts what attempts did, in the form of Prometheus: for a scraper
// of a long-running process, or as the textfile of a one-shot run. No metric holds
// anything of one user.
package metrics

import (
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore/retry"
	"github.com/churntier/churntier/pipeline/publish"
)

// Metrics are the metrics of one process, in a registry of their own. They may be
// used concurrently.
type Metrics struct {
	registry *prometheus.Registry
	families
	newest newest
}

// New gives metrics without a value.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), newest: newest{dates: map[string]date.Date{}}}
	m.families = newFamilies(m.registry)
	return m
}

// Serving adds what a scraper wants to know of the process itself: its version, and
// what it takes of the machine. The textfiles of several runs are read side by side,
// so that they must not hold it.
func (m *Metrics) Serving(version string) {
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "churntier_build_info", Help: "Always 1; the label is the version.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 }))
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "churntier_store_retries_total",
		Help: "Operations of clouds that were tried again since the process began; what the client of a cloud repeats itself is not counted.",
	}, func() float64 { return float64(retry.Retries()) }))
}

// Handler answers a scraper.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// WriteFile writes the metrics for the textfile collector of the node exporter: all at
// once, by renaming, and readable by everyone (0644), since the exporter runs as another user
// and there is nothing of any user in them. The folder has to be there.
func (m *Metrics) WriteFile(path string) error { return prometheus.WriteToTextfile(path, m.registry) }

// Observe counts an attempt that ended, and what the store says around it.
func (m *Metrics) Observe(cfg *config.Config, a jobs.Attempt, around jobs.Around) {
	name, status := a.Prediction, a.Status()
	m.attempts.WithLabelValues(name, status).Inc()
	ended := a.Started.Add(time.Duration(a.Seconds * float64(time.Second)))
	m.lastAttempt.WithLabelValues(name, status).Set(seconds(ended))
	m.duration.WithLabelValues(name, status).Set(a.Seconds)
	switch {
	case a.Outcome != nil && a.Outcome.Manifest != nil:
		m.Night(cfg, a.Outcome.Manifest, publishedRun(a.Outcome))
	case around.Before != nil:
		m.Night(cfg, around.Before.Manifest, around.Before.Run)
	}
	if around.Evidence != nil {
		m.judged(name, around.Evidence.Gates)
	}
	for _, o := range a.Deliveries {
		m.deliveries.WithLabelValues(name, o.Delivery, o.Did).Inc()
	}
	m.Delivered(cfg, around.Deliveries)
}

// publishedRun names the run that is published; "" where the outcome is another.
func publishedRun(o *pipeline.Outcome) string {
	if o.Status == pipeline.Published || o.Status == pipeline.AlreadyPublished {
		return o.Run
	}
	return ""
}

// Night shows a night that was counted, unless a newer one is shown already; run is
// the one that is published of it, "" where none is.
func (m *Metrics) Night(cfg *config.Config, night *publish.Manifest, run string) {
	if !m.newest.is(cfg.Prediction, night.Date) {
		return
	}
	name := cfg.Prediction
	for fate, n := range map[string]int64{
		"rejected": night.Rows.Rejected, "excluded": night.Rows.Excluded, "duplicate": night.Rows.Duplicates,
		"ineligible": night.Rows.Ineligible, "scored": night.Rows.Scored,
	} {
		m.rows.WithLabelValues(name, fate).Set(float64(n))
	}
	m.suppressed.WithLabelValues(name).Set(float64(night.Rows.Suppressed))
	bytes := int64(0)
	for _, in := range night.Inputs {
		bytes += in.Size
	}
	m.bytes.WithLabelValues(name).Set(float64(bytes))
	m.categories.DeletePartialMatch(prometheus.Labels{"prediction": name})
	for _, c := range night.Categories {
		m.categories.WithLabelValues(name, c.Name).Set(float64(c.Count))
	}
	m.audiences.DeletePartialMatch(prometheus.Labels{"prediction": name})
	for _, a := range night.Audiences {
		m.audiences.WithLabelValues(name, a.Name, "members").Set(float64(a.Members))
		m.audiences.WithLabelValues(name, a.Name, "held_out").Set(float64(a.Control))
	}
	m.judged(name, night.Gates)
	if begun, err := ulid.ParseStrict(run); err == nil {
		m.publication.WithLabelValues(name).Set(seconds(begun.Timestamp()))
		m.publishedDate.WithLabelValues(name).Set(seconds(night.Date.End(cfg.Timezone)))
	}
}

// judged shows the verdicts of the gates on a night, published or refused.
func (m *Metrics) judged(name string, gates []publish.Gate) {
	m.gates.DeletePartialMatch(prometheus.Labels{"prediction": name})
	m.limits.DeletePartialMatch(prometheus.Labels{"prediction": name})
	for _, g := range gates {
		m.gates.WithLabelValues(name, g.Name, g.Status).Set(g.Value)
		for level, limit := range map[string]*float64{"warn": g.Warn, "refuse": g.Refuse} {
			if limit != nil {
				m.limits.WithLabelValues(name, g.Name, level).Set(*limit)
			}
		}
	}
}

// Delivered shows the newest delivery to each tool that has ended.
func (m *Metrics) Delivered(cfg *config.Config, all []jobs.PastDeliveries) {
	for _, d := range all {
		ended := false
		uncertain := 0
		for _, p := range d.Past {
			uncertain += len(p.Uncertain)
			if p.Done && !ended {
				m.delivered(cfg.Prediction, d.Name, p)
				ended = true
			}
		}
		m.uncertain.WithLabelValues(cfg.Prediction, d.Name).Set(float64(uncertain))
	}
}

func (m *Metrics) delivered(prediction, name string, p delivery.Past) {
	m.delivery.WithLabelValues(prediction, name).Set(seconds(p.Changed))
	for change, n := range map[string]int64{
		"entered": p.Counts.Entered, "left": p.Counts.Left, "moved": p.Counts.Moved, "stayed": p.Counts.Stayed,
	} {
		m.changes.WithLabelValues(prediction, name, change).Set(float64(n))
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

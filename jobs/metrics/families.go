package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/churntier/churntier/pipeline/date"
)

// families are the metrics by name. What a one-shot run cannot remember is a gauge of
// the newest night, so that its textfile says the same as a process that serves.
type families struct {
	attempts    *prometheus.CounterVec
	lastAttempt *prometheus.GaugeVec
	duration    *prometheus.GaugeVec
	stages      *prometheus.GaugeVec

	rows          *prometheus.GaugeVec
	suppressed    *prometheus.GaugeVec
	bytes         *prometheus.GaugeVec
	categories    *prometheus.GaugeVec
	audiences     *prometheus.GaugeVec
	gates         *prometheus.GaugeVec
	limits        *prometheus.GaugeVec
	publication   *prometheus.GaugeVec
	publishedDate *prometheus.GaugeVec

	deliveries *prometheus.CounterVec
	delivery   *prometheus.GaugeVec
	changes    *prometheus.GaugeVec
	uncertain  *prometheus.GaugeVec
}

func newFamilies(r *prometheus.Registry) families {
	make := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return make.NewCounterVec(prometheus.CounterOpts{Namespace: "churntier", Name: name, Help: help}, append([]string{"prediction"}, labels...))
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return make.NewGaugeVec(prometheus.GaugeOpts{Namespace: "churntier", Name: name, Help: help}, append([]string{"prediction"}, labels...))
	}
	return families{
		attempts:    counter("attempts_total", "Tries at a night or its deliveries since the process began, by how they ended.", "status"),
		lastAttempt: gauge("last_attempt_timestamp_seconds", "When the newest try that ended so did.", "status"),
		duration:    gauge("attempt_duration_seconds", "How long the newest try that ended so took.", "status"),
		stages:      gauge("stage_duration_seconds", "How long the stages of the newest try took.", "stage"),

		rows:          gauge("rows", "Rows of the newest snapshot that was counted, by their fate.", "fate"),
		suppressed:    gauge("suppressed_users", "Scored users that no audience may hold."),
		bytes:         gauge("snapshot_bytes", "Size of the parts of the newest snapshot that was counted."),
		categories:    gauge("category_users", "Scored users by category.", "category"),
		audiences:     gauge("audience_users", "Users of the audiences: members, and would-be members that are held out.", "audience", "arm"),
		gates:         gauge("gate_value", "What the gates found in the newest night that they judged, published or refused.", "gate", "status"),
		limits:        gauge("gate_limit", "Values beyond which a gate warns or refuses.", "gate", "level"),
		publication:   gauge("last_publication_timestamp_seconds", "When the run began that is published of the newest date."),
		publishedDate: gauge("published_date_timestamp_seconds", "The end of the newest date that is published."),

		deliveries: counter("deliveries_total", "Tries to deliver since the process began, by what they did.", "delivery", "did"),
		delivery:   gauge("last_delivery_timestamp_seconds", "When the newest delivery ended, by the clock of the store.", "delivery"),
		changes:    gauge("delivery_users", "Users of the newest delivery, by what became of them since the one before.", "delivery", "change"),
		uncertain:  gauge("delivery_uncertain_files", "Files of the two newest deliveries of which nobody heard whether they arrived.", "delivery"),
	}
}

// newest keeps the newest date that is shown of each prediction.
type newest struct {
	mu    sync.Mutex
	dates map[string]date.Date
}

// is says whether no newer date is shown, and remembers the date if so.
func (n *newest) is(prediction string, d date.Date) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d.Before(n.dates[prediction]) {
		return false
	}
	n.dates[prediction] = d
	return true
}

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	names "github.com/prometheus/common/model"
)

// metrics reads the metrics file as Prometheus does, and gives the samples of a family
// by the labels that are named.
func (p *place) metrics(family string, labels ...string) map[string]float64 {
	p.t.Helper()
	f, err := os.Open(p.path("churntier.prom"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	parser := expfmt.NewTextParser(names.LegacyValidation)
	all, err := parser.TextToMetricFamilies(f)
	if err != nil {
		p.t.Fatal(err)
	}
	samples := map[string]float64{}
	for _, m := range all[family].GetMetric() {
		var key []string
		for _, l := range m.GetLabel() {
			for _, name := range labels {
				if l.GetName() == name {
					key = append(key, l.GetValue())
				}
			}
		}
		samples[strings.Join(key, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return samples
}

// The file says the same of a night whichever command wrote it: one that published it,
// one that found it published, or one that delivered it.
func TestMetricsFile(t *testing.T) {
	p, ago := deliveryPlace(t)
	p.ordinary(ago(1), 100)
	expect := func(status string, did map[string]float64) {
		t.Helper()
		if got := p.metrics("churntier_attempts_total", "status"); got[status] != 1 || len(got) != 1 {
			t.Errorf("attempts %v, want one that is %s", got, status)
		}
		if got := p.metrics("churntier_rows", "fate"); got["scored"] != 100 || len(got) != 5 {
			t.Errorf("rows %v", got)
		}
		members := p.metrics("churntier_audience_users", "arm", "audience")
		if high := p.metrics("churntier_category_users", "category")["high"]; members["members high"] != high || high == 0 {
			t.Errorf("%v members, %v of high risk", members, high)
		}
		if got := p.metrics("churntier_last_publication_timestamp_seconds"); got[""] < 1.7e9 {
			t.Errorf("published at %v", got)
		}
		if got := p.metrics("churntier_last_delivery_timestamp_seconds", "delivery"); got["mailer"] < 1.7e9 {
			t.Errorf("delivered at %v", got)
		}
		for what, n := range p.metrics("churntier_deliveries_total", "did") {
			if did[what] != n {
				t.Errorf("%v deliveries %s, want %v", n, what, did)
			}
		}
	}
	flags := []string{"--metrics-file", p.path("churntier.prom")}
	p.night(flags...).expect(t, exitDone, "published")
	expect("published", map[string]float64{"delivered": 1})
	if stages := p.metrics("churntier_stage_duration_seconds", "stage"); len(stages) < 3 {
		t.Errorf("stages %v", stages)
	}
	p.night(flags...).expect(t, exitDone, "already published")
	expect("already-published", map[string]float64{"nothing": 1})
	p.operate("deliver", flags...).expect(t, exitDone)
	expect("delivered", map[string]float64{"nothing": 1})
	p.night(append(flags, "--set", "publish.url=other", "--set", "gates.constant.max_share=0")...).expect(t, exitRefused)
	if got := p.metrics("churntier_gate_value", "gate", "status"); got["constant refuse"] != 0.01 {
		t.Errorf("gates %v", got)
	}
	r := p.night("--metrics-file", p.path("nowhere", "churntier.prom"))
	r.expect(t, exitDone, "already published", "the metrics were not written")
}

// A backfill counts every date, and shows the newest.
func TestMetricsOfABackfill(t *testing.T) {
	p := newPlace(t)
	days := []string{"2026-11-20", "2026-11-21", "2026-11-22"}
	for i, day := range days {
		p.ordinary(day, 1000+i)
	}
	_, r := p.backfill(days, "--parallel", "2", "--metrics-file", p.path("churntier.prom"))
	r.expect(t, exitDone)
	if got := p.metrics("churntier_attempts_total", "status"); got["published"] != 3 {
		t.Errorf("attempts %v", got)
	}
	if got := p.metrics("churntier_rows", "fate"); got["scored"] != 1002 {
		t.Errorf("rows %v", got)
	}
	if got := p.metrics("churntier_stage_duration_seconds", "stage"); got["score and write"] <= 0 {
		t.Errorf("stages %v", got)
	}
}

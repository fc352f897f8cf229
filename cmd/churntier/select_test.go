package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The numbers are DuckDB's, of the newest fixture night.
func TestSelect(t *testing.T) {
	p := newPlace(t)
	config := "../../fixtures/strategies.yaml"
	for _, test := range []struct {
		flags []string
		users int64
	}{
		{[]string{"--min", "60"}, 408},
		{[]string{"--min", "60", "--where", `plan == "pro"`}, 31},
		{[]string{"--max", "49.99", "--where", "false"}, 0},
		{nil, 3015 - 216},
	} {
		r := p.churntier(append([]string{"select", "-c", config, "--json", "--quiet"}, test.flags...)...)
		r.expect(t, exitDone)
		var got struct {
			Scored, Suppressed, Users int64
			Distribution, Taken       []int64
			Churners                  float64 `json:"expected_churners"`
			Calibrated                bool
		}
		if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
			t.Fatal(err)
		}
		if got.Users != test.users || got.Scored != 3015 || got.Suppressed != 216 || got.Calibrated {
			t.Errorf("%q takes %+v, want %d users of 3015, 216 suppressed", test.flags, got, test.users)
		}
		var all, taken int64
		for i := range got.Distribution {
			all, taken = all+got.Distribution[i], taken+got.Taken[i]
		}
		if all != got.Scored || taken != got.Users || got.Churners > float64(got.Users) {
			t.Errorf("%q: buckets hold %d and %d, want %d and %d", test.flags, all, taken, got.Scored, got.Users)
		}
	}
}

// What select prints to paste is an audience that a run takes as it is.
func TestSelectPrintsAnAudienceToPaste(t *testing.T) {
	p := audiencesPlace(t)
	r := p.churntier("select", "-c", p.path("churntier.yaml"), "--min", "62.5", "--where", `country == 'FR' || opt_out == null`, "--quiet")
	r.expect(t, exitDone, "not calibrated", "expected churners caught", "others hit", "are suppressed", "░")
	_, block, _ := strings.Cut(r.stdout, "add under audiences:\n\n")
	p.replace("audiences:\n", "audiences:\n"+block)
	p.night().expect(t, exitDone, "scores-62_5-100")
}

func TestSelectOfAPreview(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 100)
	r := p.churntier("select", "-c", p.path("churntier.yaml"), "--set", "mode=preview", "--min", "90", "--quiet")
	taken := 0
	for i := range 100 {
		if i*7919%10000 >= 9000 { // as ordinary has it, in hundredths
			taken++
		}
	}
	r.expect(t, exitDone, fmt.Sprintf("take %d of 100 scored users", taken), "never targeted")
	if strings.Contains(r.stdout, "audiences:") {
		t.Errorf("a preview is offered as an audience:\n%s", r.stdout)
	}
}

func TestSelectRefuses(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 10)
	for _, test := range []struct {
		flags []string
		code  int
		said  string
	}{
		{[]string{"--min", "70", "--max", "60"}, exitUsage, "0 <= min <= max <= 100"},
		{[]string{"--max", "101"}, exitUsage, "0 <= min <= max <= 100"},
		{[]string{"--where", "churn_score >"}, exitUsage, "something is missing at the end"},
		{[]string{"--where", "churn_scor > 1.0"}, exitRefused, `did you mean "churn_score"?`},
		{[]string{"--where", "churn_score"}, exitRefused, "bool"},
		{[]string{"--date", "2026-01-01"}, exitNotReady, ""},
	} {
		p.churntier(append([]string{"select", "-c", p.path("churntier.yaml"), "--quiet"}, test.flags...)...).expect(t, test.code, test.said)
	}
}

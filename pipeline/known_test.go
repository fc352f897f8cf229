package pipeline_test

import (
	"slices"
	"testing"

	"github.com/churntier/churntier/pipeline"
)

// An audience refused for the one reason that its rules have only where these are the
// rules of the run; what the rows of the run say holds whatever the rules are now.
func TestKnownByTheRulesOfTheRunAlone(t *testing.T) {
	asked := []pipeline.Outsider{
		{ID: "u1", Audience: "high", Elsewhere: true},
		{ID: "u1", Audience: "high", HeldOut: true},
		{ID: "nobody", Audience: "high", Unscored: true},
		{ID: "u1", Audience: "high"},
	}
	for name, c := range map[string]struct {
		rules, now func(w *town)
		refused    pipeline.Why
	}{
		"the same":          {nothing, nothing, "score"},
		"a score that went": {nothing, func(w *town) { w.night.Rules.Scorer = nil }, "score"},
		"another range":     {nothing, func(w *town) { w.night.Rules.Categories[0].From = 76 }, ""},
		"a limit since":     {nothing, func(w *town) { w.night.Rules.Audiences[0].Limit = 900 }, ""},
		"a limit no more":   {func(w *town) { w.night.Rules.Audiences[0].Limit = 900 }, func(w *town) { w.night.Rules.Audiences[0].Limit = 0 }, ""},
		"two reasons":       {func(w *town) { w.night.Rules.Audiences[0].Where = "churn_score > 1" }, nothing, ""},
	} {
		w := newTown(t)
		c.rules(w)
		p := w.publication()
		c.now(w)
		got, err := pipeline.Known(t.Context(), w.night, p, asked)
		if err != nil {
			t.Fatal(err)
		}
		if want := []pipeline.Why{c.refused, "held_out", pipeline.Absent, ""}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func nothing(*town) {}

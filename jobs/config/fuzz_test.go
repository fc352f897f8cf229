package config

import (
	"errors"
	"strings"
	"testing"
)

// Whatever the text and the flag, Load gives a config or faults whose lines are
// lines of the text, and never panics.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{complete(""), complete(everything), complete(shares), "a: &x [*x]\n", "- - -\n", "? a\n: b\n", "a: |\n  b\n", "%YAML 1.2\n---\n", "\"\\x1b\": {", "a: {b}\n"} {
		f.Add(text, "audiences.0.score=[60, 100]")
	}
	f.Add(complete(shares), "categories.0.top_share=.5")
	f.Add("", "=")
	f.Fuzz(func(t *testing.T, text, flag string) {
		r := &reading{report: newReport("f.yaml", text), folder: "/", getenv: environment}
		c, err := r.load(text, []string{flag})
		var faults Faults
		switch {
		case err == nil && (c == nil || c.Prediction == "" || c.Timezone == nil || len(c.Categories) == 0):
			t.Errorf("incomplete config %+v", c)
		case err != nil && (!errors.As(err, &faults) || len(faults) == 0):
			t.Errorf("got %v, want faults", err)
		}
		for _, fault := range faults {
			if fault.Line < 0 || fault.Line > strings.Count(text, "\n")+1 || fault.Found == "" {
				t.Errorf("odd fault %+v", fault)
			}
		}
	})
}

func TestParserPanicIsAnError(t *testing.T) {
	err := contain(func() error { panic("index out of range") })
	if err == nil || err.Error() != "the parser failed: index out of range" {
		t.Errorf("got %v", err)
	}
}

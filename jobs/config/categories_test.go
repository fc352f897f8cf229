package config

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/distribution"
)

// A config is refused for its categories exactly when the pipeline refuses them.
func TestCategoriesAgreeWithThePipeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		var rules []distribution.Rule
		text.WriteString("categories:\n")
		for i := range rapid.IntRange(1, 4).Draw(t, "categories") {
			r := distribution.Rule{Name: rapid.SampledFrom([]string{"a", "b", "c", fmt.Sprint("n", i), "A"}).Draw(t, "name")}
			if rapid.Bool().Draw(t, "by share") {
				r.TopShare = rapid.SampledFrom([]float64{0.1, 0.2, 0.3, 1, 1.5, -0.1}).Draw(t, "top_share")
				fmt.Fprintf(&text, "  - {name: %s, top_share: %v}\n", r.Name, r.TopShare)
			} else {
				r.From = rapid.SampledFrom([]float64{100, 75, 50.01, 0, 0, 0, -1, 100.01, 0.001}).Draw(t, "from")
				fmt.Fprintf(&text, "  - {name: %s, from: %v}\n", r.Name, r.From)
			}
			rules = append(rules, r)
		}
		content := complete(text.String())
		r := &reading{report: newReport("churntier.yaml", content), folder: "/", getenv: environment}
		_, err := r.load(content, nil)
		if want := distribution.CheckRules(rules); (err == nil) != (want == nil) {
			t.Fatalf("%s\nconfig: %v\npipeline: %v", content, err, want)
		}
	})
}

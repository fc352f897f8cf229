package guess_test

import (
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/guess"
)

func TestNearest(t *testing.T) {
	names := []string{"publish", "prediction", "churn_score", "id", strings.Repeat("x", 65)}
	for word, want := range map[string]string{
		"publihs":               "publish",
		"CHURN_SCORES":          "churn_score",
		"churnscore":            "churn_score",
		"snapshot":              "",
		"i":                     "id",
		"":                      "",
		"qq":                    "",
		strings.Repeat("x", 64): "",
		strings.Repeat("x", 65): "", // too long to compare
	} {
		if got := guess.Nearest(word, names); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}

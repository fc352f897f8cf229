package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Users are held out by the address where there is one.
func TestHoldoutKey(t *testing.T) {
	for _, c := range []struct{ contact, key, want string }{
		{"", "", HoldoutByID},
		{"", ", key: id", HoldoutByID},
		{", contact: email", "", HoldoutByContact},
		{", contact: email", ", key: id", HoldoutByID},
		{", contact: email", ", key: contact", HoldoutByContact},
	} {
		got, _ := load(t, complete("snapshot: {url: in, id: user_id"+c.contact+"}\nholdout: {share: 0.1, salt: a"+c.key+"}\n"))
		if diff := cmp.Diff(&Holdout{Share: 0.1, Salt: "a", Key: c.want}, got.Holdout); diff != "" {
			t.Errorf("contact %q, key %q (-want +got):\n%s", c.contact, c.key, diff)
		}
	}
}

func TestMaxAge(t *testing.T) {
	for written, want := range map[string]time.Duration{
		"1s": time.Second, "90m": 90 * time.Minute, "36h": 36 * time.Hour, "7d": 168 * time.Hour, "99999d": 99999 * 24 * time.Hour,
	} {
		got, _ := load(t, complete("suppress: [{url: a.parquet, id: a, max_age: "+written+"}]\n"))
		if got.Suppress[0].MaxAge != want {
			t.Errorf("%s: got %v, want %v", written, got.Suppress[0].MaxAge, want)
		}
	}
}

// Audiences of categories can be named exclusive, which they are.
func TestExclusiveCategories(t *testing.T) {
	got, _ := load(t, complete("exclusive: [high, low]\n"))
	want := []string{"churntier.yaml:1: exclusive: has no effect on audiences of categories, of which a user has one\n    1 | exclusive: [high, low]"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

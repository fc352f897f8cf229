package date_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline/date"
)

func TestParseAgreesWithTime(t *testing.T) {
	for _, text := range []string{"1969-12-31", "1970-01-01", "2000-02-29", "2026-11-22", "9999-12-31"} {
		d, err := date.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want, _ := time.Parse(time.DateOnly, text)
		if got := time.Unix(int64(d.Days())*86400, 0).UTC(); !got.Equal(want) {
			t.Errorf("%s is day %d, which is %s", text, d.Days(), got)
		}
		if d.String() != text || d.IsZero() {
			t.Errorf("%s reads back as %q, zero %v", text, d, d.IsZero())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "2026-02-30", "2026-1-1", "20261122", "2026-11-22T00:00:00Z", " 2026-11-22", "0000-01-01"} {
		if d, err := date.Parse(text); err == nil {
			t.Errorf("%q gave %s", text, d)
		}
	}
}

// An instant falls on its day in the zone in which it is read.
func TestOf(t *testing.T) {
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	if got := date.Of(at).String(); got != "2026-11-23" {
		t.Errorf("in UTC the day is %s", got)
	}
	if got := date.Of(at.In(time.FixedZone("west", -5*3600))).String(); got != "2026-11-22" {
		t.Errorf("five hours to the west the day is %s", got)
	}
}

func TestOrder(t *testing.T) {
	a, _ := date.Parse("2024-02-28")
	b := a.AddDays(1)
	if b.String() != "2024-02-29" || b.AddDays(1).String() != "2024-03-01" {
		t.Errorf("after %s come %s and %s", a, b, b.AddDays(1))
	}
	if !a.Before(b) || b.Before(a) || !b.After(a) || a.Compare(b) != -1 || b.Compare(a) != 1 || a.Compare(a) != 0 {
		t.Error("days are not in order")
	}
	if b.Year() != "2024" || b.Month() != "02" || b.Day() != "29" {
		t.Errorf("%s is %s %s %s", b, b.Year(), b.Month(), b.Day())
	}
}

func TestJSON(t *testing.T) {
	in := map[string]date.Date{"a": date.FromDays(0), "b": {}}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"a":"1970-01-01","b":""}` {
		t.Fatalf("%s, %v", text, err)
	}
	var out map[string]date.Date
	if err := json.Unmarshal(text, &out); err != nil || out["a"] != in["a"] || !out["b"].IsZero() {
		t.Errorf("%v, %v", out, err)
	}
	if json.Unmarshal([]byte(`{"a":"yesterday"}`), &out) == nil {
		t.Error("a word was read as a date")
	}
}

// A day ends when the next one begins in its zone, also where a clock is moved.
func TestEnd(t *testing.T) {
	for _, test := range []struct{ day, zone, want string }{
		{"2026-11-22", "UTC", "2026-11-23T00:00:00Z"},
		{"2026-10-25", "Europe/Berlin", "2026-10-25T23:00:00Z"},
		{"2026-03-29", "Europe/Berlin", "2026-03-29T22:00:00Z"},
		{"2026-12-31", "America/New_York", "2027-01-01T05:00:00Z"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		d, err := date.Parse(test.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.End(zone).UTC().Format(time.RFC3339); got != test.want {
			t.Errorf("%s in %s ends at %s, want %s", test.day, test.zone, got, test.want)
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/churntier/churntier/pipeline/date"
)

// screen is a terminal that keeps what is drawn on it.
type screen struct {
	mu    sync.Mutex
	drawn bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drawn.Write(p)
}

func (s *screen) expect(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.drawn.String(), text) {
			t.Errorf("%q was not drawn: %q", text, s.drawn.String())
		}
	}
}

func TestSpeed(t *testing.T) {
	for want, got := range map[string]string{
		"250 rows/s, 1.0 MiB/s":         speed(500, 2000, 8<<20, 2*time.Second),
		"0 rows/s, 0.0 MiB/s":           speed(0, 10, 1<<20, 0),
		"2,500,000 rows/s, 256.0 MiB/s": speed(1e7, 1e7, 1<<30, 4*time.Second),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Each stage has a bar that ends full, with what it went through; one without rows
// has a name alone. Nothing has a color.
func TestBars(t *testing.T) {
	var s screen
	b := &bars{group: newGroup(&s, mpb.WithAutoRefresh(), mpb.WithWidth(120)), alone: true}
	b.Add(7) // of no stage
	b.Stage("score and write", 2000, 1<<20)
	b.Add(1500)
	b.Add(500)
	b.Stage("check what was written", 0, 0)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	s.expect(t, "score and write", "==]", " rows/s, ", " MiB/s", "check what was written")
	if strings.Contains(s.drawn.String(), "\x1b[3") {
		t.Errorf("it has a color: %q", s.drawn.String())
	}
}

// The bars of nights side by side are told apart, go when their night ends, and
// receipts on the same terminal stand above them.
func TestBarsOfManyNights(t *testing.T) {
	var s screen
	group := newGroup(&s, mpb.WithAutoRefresh(), mpb.WithWidth(120))
	w := newWatch(&terminal{stderr: &s}, outputFlags{logFlags: logFlags{LogFormat: "text"}})
	w.group = group
	days := []string{"2026-11-22", "2026-11-23"}
	for _, d := range days {
		p := w.begin(parsed(t, d))
		p.Stage("identify", 10, 100)
		p.Add(10)
	}
	w.end(parsed(t, days[0]))
	w.end(parsed(t, "2026-11-24")) // was never begun
	if _, err := fmt.Fprintln(group, "a receipt"); err != nil {
		t.Fatal(err)
	}
	w.Close() // ends the second night
	s.expect(t, days[0]+"  identify", days[1]+"  identify", "a receipt\n")
	if out := w.above(&s); out != &s {
		t.Errorf("what is no terminal is written to %T", out)
	}
}

func parsed(t *testing.T, day string) date.Date {
	t.Helper()
	d, err := date.Parse(day)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/jobs/web"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/publish"
)

const hostile = `<script>alert("1")</script>&lt;'"><img src=x onerror=alert(1)>`

// answers are those of a handler over one prediction, of which a night was refused
// with a message that is markup.
func answers(t *testing.T, ready error) (http.Handler, *atomic.Int64) {
	t.Helper()
	c := &config.Config{Prediction: hostile, Mode: "live", Timezone: time.UTC}
	c.Publish.URL = t.TempDir()
	b, err := dial.Open(t.Context(), c.Publish.URL, dial.Options{Output: true})
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := publish.Open(t.Context(), b, hostile)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(ledger.Claim(t.Context()), ledger.Refuse(t.Context(), publish.Refusal{
		Prediction: hostile, Date: date.FromDays(20779), Run: "01M83AP0A00000000000000000", Kind: "gate",
		Gates: []publish.Gate{{Name: hostile, Status: "refuse", Message: hostile}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	var clock atomic.Int64
	return web.Handler(web.Options{
		Predictions: func() []*config.Config { return []*config.Config{c} },
		Ready:       func() error { return ready },
		Metrics:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
		Now:         func() time.Time { return time.Unix(1795408200+clock.Load(), 0) },
	}), &clock
}

func get(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestAnswers(t *testing.T) {
	well, _ := answers(t, nil)
	begins, _ := answers(t, errors.New("it starts"))
	for _, c := range []struct {
		h            http.Handler
		method, path string
		code         int
		says         string
	}{
		{well, "GET", "/healthz", 200, "alive"},
		{well, "HEAD", "/healthz", 200, ""},
		{well, "GET", "/readyz", 200, "ready"},
		{begins, "GET", "/healthz", 200, "alive"},
		{begins, "GET", "/readyz", 503, "not ready: it starts"},
		{begins, "GET", "/", 200, "Not ready: it starts"},
		{well, "GET", "/metrics", 200, "up 1"},
		{well, "POST", "/healthz", 405, ""},
		{well, "DELETE", "/", 405, ""},
		{well, "GET", "/favicon.ico", 404, ""},
		{well, "GET", "/../etc/passwd", 307, ""},
	} {
		w := get(c.h, c.method, c.path)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s; want %d %s", c.method, c.path, w.Code, w.Body, c.code, c.says)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %v", c.method, c.path, w.Header())
		}
	}
}

// The page is well-formed HTML without a script, whatever names and messages hold, and
// its policy lets in its own style alone.
func TestPageIsPlain(t *testing.T) {
	h, _ := answers(t, nil)
	w := get(h, "GET", "/")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	elements, text, style := wellFormed(t, w.Body.String())
	allowed := strings.Fields("html head meta title style body h1 h2 p a section span table caption thead tbody tr th td ul li")
	for name := range elements {
		if !slices.Contains(allowed, name) {
			t.Errorf("an element %s is on the page:\n%s", name, w.Body)
		}
	}
	if n := strings.Count(text, hostile); n < 2 {
		t.Errorf("the texts stand there %d times as they are:\n%s", n, text)
	}
	if !strings.Contains(text, "2026-11-22") || !strings.Contains(text, "refused") {
		t.Errorf("the refusal is not there:\n%s", text)
	}
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := w.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("policy %s, want %s", got, want)
	}
}

// wellFormed reads a page token by token: every element that is no void one ends in
// its place, and no attribute is a handler. It gives the elements, the text and the style.
func wellFormed(t *testing.T, page string) (elements map[string]int, text, style string) {
	t.Helper()
	elements = map[string]int{}
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
				t.Errorf("it ends with %v, open are %v", z.Err(), open)
			}
			return elements, text, style
		case html.StartTagToken:
			token := z.Token()
			elements[token.Data]++
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "href" && a.Val != "/metrics" {
					t.Errorf("<%s %s=%q>", token.Data, a.Key, a.Val)
				}
			}
			if token.Data != "meta" {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if name := z.Token().Data; len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("</%s> in %v", name, open)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			if len(open) > 0 && open[len(open)-1] == "style" {
				style += string(z.Raw())
				continue
			}
			text += z.Token().Data
		}
	}
}

// The store is asked once for all who look within a while.
func TestPageIsKeptForAWhile(t *testing.T) {
	h, clock := answers(t, nil)
	first := get(h, "GET", "/").Body.String()
	clock.Store(5)
	if again := get(h, "GET", "/").Body.String(); again != first {
		t.Error("the page was made again")
	}
	clock.Store(11)
	if later := get(h, "GET", "/").Body.String(); later == first {
		t.Error("the page stays as it was")
	}
}

// On an address of this machine alone, a name of another site is not answered, and
// the server ends with its context.
func TestServe(t *testing.T) {
	h, _ := answers(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, h) }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for host, code := range map[string]int{
		"127.0.0.1:" + port: 200, "localhost:" + port: 200, "localhost": 200, "[::1]:" + port: 200, "127.0.0.1": 200,
		"evil.example": 421, "evil.example:" + port: 421, "localhost.evil.example": 421, "192.168.1.1:" + port: 421,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/healthz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != code {
			t.Errorf("%s: %d, want %d", host, answer.StatusCode, code)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// asks gives the answer of a server.
func asks(t *testing.T, address, path string) (int, string) {
	t.Helper()
	answer, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// A server tells of its nights whoever asks, and whom the config names, by itself.
func TestServeTells(t *testing.T) {
	p, yesterday := served(t)
	hook := newListener(t)
	s := p.serve("--set", "notify.webhook="+hook.url, "--set", "gates.constant.max_share=0")
	address := s.says("listening")["address"].(string)
	s.says("refused")
	p.churntier("health", "--url", "http://"+address+"/healthz").expect(t, exitDone)
	p.churntier("health", "--url", "http://"+address+"/readyz").expect(t, exitDone)
	for range 600 { // the telling has a goroutine of its own
		if _, text := asks(t, address, "/metrics"); strings.Contains(text, `churntier_attempts_total{prediction="churn-test",status="refused"} `) {
			break
		}
		<-time.After(50 * time.Millisecond)
	}
	_, text := asks(t, address, "/metrics")
	for _, want := range []string{`churntier_gate_value{gate="constant",prediction="churn-test",status="refuse"}`, "churntier_last_publication_timestamp_seconds{", "go_goroutines ", `churntier_stage_duration_seconds{prediction="churn-test",stage="score and write"}`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the metrics:\n%s", want, text)
		}
	}
	code, page := asks(t, address, "/")
	for _, want := range []string{"churn-test", yesterday, "is due", "constant: "} {
		if code != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%d: %q is not on the page:\n%s", code, want, page)
		}
	}
	if code := s.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	hook.expect("a refusal", "churn-test "+yesterday+": refused by a gate (constant)")
	p.churntier("health", "--url", "http://"+address+"/healthz").expect(t, exitFailed, "no healthy server", "hint: ")
}

// A server that cannot answer where it is told to does not start.
func TestListenSomewhereElse(t *testing.T) {
	p, _ := served(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	p.churntier("serve", "-c", p.path("churntier.yaml"), "--listen", taken.Addr().String()).expect(t, exitFailed, "address already in use", "--listen of its own")
	p.churntier("serve", "-c", p.path("churntier.yaml"), "--listen", "8080").expect(t, exitUsage, "--listen")
}

func TestHealthOfNobody(t *testing.T) {
	p := newPlace(t)
	p.churntier("health", "--url", "localhost:8080").expect(t, exitUsage, "--url")
	sick := newListener(t)
	sick.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	p.churntier("health", "--url", sick.url).expect(t, exitFailed, "503")
}

package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// listener is a service that messages and signs of life are sent to.
type listener struct {
	t      *testing.T
	url    string
	answer func(w http.ResponseWriter, r *http.Request)

	mu    sync.Mutex
	heard []string // messages, and paths of what was asked for
}

const secret = "T0/B0/whoever-knows-this-may-speak"

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{t: t}
	s := httptest.NewServer(http.HandlerFunc(l.hear))
	t.Cleanup(s.Close)
	l.url = s.URL + "/" + secret
	return l
}

func (l *listener) hear(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Error(err)
	}
	said := strings.Replace(r.URL.Path, "/"+secret, "", 1)
	if r.Method == http.MethodPost {
		var m map[string]string
		if err := json.Unmarshal(body, &m); err != nil || len(m) != 1 {
			l.t.Errorf("%s: %v", body, err)
		}
		said = m["text"]
	}
	l.mu.Lock()
	l.heard = append(l.heard, said)
	l.mu.Unlock()
	if l.answer != nil {
		l.answer(w, r)
	}
}

// hears gives what was heard since it was asked last.
func (l *listener) hears() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

// expect checks that one message was heard, with some words.
func (l *listener) expect(what string, words ...string) {
	l.t.Helper()
	heard := l.hears()
	if len(words) == 0 && len(heard) == 0 {
		return
	}
	if len(words) == 0 || len(heard) != 1 {
		l.t.Errorf("%s: heard %q", what, heard)
		return
	}
	for _, w := range words {
		if !strings.Contains(heard[0], w) {
			l.t.Errorf("%s: %q is not in %q", what, w, heard[0])
		}
	}
	if strings.Contains(heard[0], "u00000") {
		l.t.Errorf("%s: a user is in %q", what, heard[0])
	}
}

// tellingPlace is a place whose config names a webhook and a heartbeat.
func tellingPlace(t *testing.T) (p *place, hook, beat *listener) {
	t.Helper()
	p, hook, beat = newPlace(t), newListener(t), newListener(t)
	p.write("churntier.yaml", plainConfig+"notify: {webhook: '"+hook.url+"', heartbeat: '"+beat.url+"'}\n")
	return p, hook, beat
}

// One message an incident, however often the night is tried: by what is kept in the
// store, as every run is a process of its own.
func TestOneMessageAnIncident(t *testing.T) {
	p, hook, beat := tellingPlace(t)
	p.ordinary("2026-11-21", 1000)
	p.night("--date", "2026-11-21").expect(t, exitDone, "published")
	hook.expect("a night as usual")
	beat.expect("a night as usual", "")

	p.ordinary(night22, 400)
	p.night().expect(t, exitRefused)
	hook.expect("a refusal", "churn-test 2026-11-22: refused by a gate (rows): The snapshot has 400 rows, usually 1,000",
		"400 users scored (-60.0 % against 2026-11-21)", "Next: nothing was published", p.path("out/refusals/2026-11-22/"))
	beat.expect("a refusal", "/fail")
	p.night().expect(t, exitRefused)
	hook.expect("the same refusal")
	beat.expect("the same refusal", "/fail")
	p.night("--dry-run").expect(t, exitRefused)
	hook.expect("a look at it")
	beat.expect("a look at it")

	p.ordinary(night22, 1010)
	p.night("--quiet").expect(t, exitDone, "published")
	hook.expect("its end", "churn-test 2026-11-22: recovered: published, after it was refused",
		"1,010 users scored (+1.0 % against 2026-11-21): high 253 (+0.8 %), medium 252 (+0.8 %), low 505 (+1.2 %)", "/MANIFEST.json")
	beat.expect("its end", "")
	p.night().expect(t, exitDone, "already published")
	hook.expect("nothing new")
	beat.expect("nothing new", "")

	p.ordinary(night22, 300)
	p.night("--force").expect(t, exitRefused)
	hook.expect("another incident of the date", "refused by a gate (rows)")
	p.verify("--date", "all").expect(t, exitDone)
	p.operate("show").expect(t, exitDone)
	p.operate("prune").expect(t, exitDone)
}

// A later publication ends the incident of an earlier date.
func TestALaterNightEndsAnIncident(t *testing.T) {
	p, hook, _ := tellingPlace(t)
	for _, day := range []string{"2026-11-20", "2026-11-21"} {
		p.ordinary(day, 1000)
	}
	p.night("--date", "2026-11-20").expect(t, exitDone)
	p.night("--date", "2026-11-21", "--set", "gates.constant.max_share=0").expect(t, exitRefused)
	hook.expect("a refusal", "refused")
	p.ordinary(night22, 1001)
	p.night().expect(t, exitDone)
	hook.expect("the next night", "2026-11-22: recovered: published, after 2026-11-21 was refused")
}

// A late snapshot is told once, and what is not to be told is not.
func TestLateIsToldOnce(t *testing.T) {
	p, hook, beat := tellingPlace(t)
	now := time.Now().UTC()
	due := now.AddDate(0, 0, -1).Format(time.DateOnly)
	p.ordinary(now.AddDate(0, 0, -2).Format(time.DateOnly), 1000)
	flags := []string{"--set", "schedule=0 0 * * *", "--set", "catch_up=0"}
	p.night(append(flags, "--date", now.AddDate(0, 0, -2).Format(time.DateOnly))...).expect(t, exitDone)
	beat.hears()
	p.night(flags...).expect(t, exitNotReady)
	hook.expect("without a deadline it is awaited")
	beat.expect("without a deadline it is awaited")
	late := append(flags, "--set", `deadline="00:01"`)
	if now.Hour() == 0 && now.Minute() < 2 {
		t.Skip("the deadline has not passed")
	}
	p.night(append(late, "--set", "notify.on=[refused]")...).expect(t, exitNotReady)
	hook.expect("who only hears of refusals")
	beat.expect("late", "/fail")
	p.night(late...).expect(t, exitNotReady)
	hook.expect("late", "churn-test "+due+": late: the deadline has passed; snapshot not ready", "Published last: ", "1,000 users scored", "Next: run again when the snapshot is complete")
	p.night(late...).expect(t, exitNotReady)
	hook.expect("still late")
	p.ordinary(due, 1001)
	p.night(late...).expect(t, exitDone)
	hook.expect("there it is", due+": recovered: published, after it was late")
}

// What was not delivered is a failure of its own, and a later delivery ends it.
func TestUndeliveredIsTold(t *testing.T) {
	p, ago := deliveryPlace(t)
	hook := newListener(t)
	p.ordinary(ago(1), 100)
	flags := []string{"--set", "notify.webhook=" + hook.url}
	if err := os.RemoveAll(p.path("inbox")); err != nil {
		t.Fatal(err)
	}
	p.write("inbox", "a file where a folder should be")
	p.night(flags...).expect(t, exitFailed)
	hook.expect("no delivery", ago(1)+": published, and not delivered", "100 users scored", "Next: ")
	if err := os.Remove(p.path("inbox")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.path("inbox"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.operate("deliver", flags...).expect(t, exitDone, "delivered")
	hook.expect("a delivery", ": recovered: delivered, after ")
}

// However the listeners are, the night ends as without them, soon, and says nothing
// of where they are.
func TestDeadListeners(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + gone.Addr().String() + "/" + secret
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	ending := func(code int) *listener {
		l := newListener(t)
		l.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
		return l
	}
	away := newListener(t)
	away.answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) }
	for name, c := range map[string]struct {
		url, said string
		tries     int
		l         *listener
	}{
		"gone":     {url: address, said: "its host refused the connection"},
		"no host":  {url: "https://no-such-host.invalid/" + secret, said: "its host was not found"},
		"broken":   {l: ending(500), said: "it answered 500", tries: 3},
		"limited":  {l: ending(429), said: "it answered 429", tries: 3},
		"unknown":  {l: ending(404), said: "it answered 404", tries: 1},
		"moved":    {l: away, said: "it answered 302", tries: 1},
		"not http": {url: "http://" + silent(t) + "/" + secret, said: "the connection failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.ordinary(night22, 400)
			if c.l != nil {
				c.url = c.l.url
			}
			r := p.night("--set", "notify={webhook: '"+c.url+"', heartbeat: '"+c.url+"'}", "--set", "gates.constant.max_share=0")
			r.expect(t, exitRefused, "the webhook was not told that 2026-11-22 is refused: "+c.said, "the heartbeat got no sign: "+c.said)
			for _, hidden := range []string{secret, "127.0.0.1", "no-such-host"} {
				if strings.Contains(r.stdout+r.stderr, hidden) {
					t.Errorf("%s is printed: %s", hidden, r.stderr)
				}
			}
			if c.l != nil {
				if heard := c.l.hears(); len(heard) != 2*c.tries {
					t.Errorf("%d requests: %q", len(heard), heard)
				}
			}
			p.night("--set", "notify.heartbeat="+c.url).expect(t, exitDone, "published", "no sign: "+c.said)
		})
	}
}

// silent is the address of a server that hangs up.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// A webhook that was dead when the night was refused hears of it at the next try.
func TestWhatWasNotHeardIsToldAgain(t *testing.T) {
	p, hook, _ := tellingPlace(t)
	p.ordinary(night22, 400)
	hook.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }
	flags := []string{"--set", "gates.constant.max_share=0"}
	p.night(flags...).expect(t, exitRefused, "was not told")
	hook.hears()
	hook.answer = nil
	p.night(flags...).expect(t, exitRefused)
	hook.expect("the next try", "refused")
}

// The program itself, with a service that never answers: it waits for it a bounded
// time, and the night is published.
func TestASlowWebhook(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a service that never answers")
	}
	p, _, beat := tellingPlace(t)
	p.ordinary(night22, 100)
	over := make(chan struct{})
	beat.answer = func(http.ResponseWriter, *http.Request) { <-over }
	cmd := processOf([]string{"run", "-c", p.path("churntier.yaml"), "--metrics-file", p.path("churntier.prom")})
	out, err := cmd.CombinedOutput()
	close(over) // the test server waits for it
	if err != nil || !strings.Contains(string(out), "published") || !strings.Contains(string(out), "no answer within 5s") || strings.Contains(string(out), secret) {
		t.Errorf("%v: %s", err, out)
	}
	if heard := beat.hears(); len(heard) != 3 {
		t.Errorf("asked %d times, want 3", len(heard))
	}
	if _, err := os.Stat(p.path("churntier.prom")); err != nil {
		t.Error(err)
	}
}

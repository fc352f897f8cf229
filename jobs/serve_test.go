package jobs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/localrun"
)

const atHalfPastFour = `schedule: "30 4 * * *"`

// expect compares what was heard since it was asked last.
func (w *world) expect(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.news()); diff != "" {
		w.t.Errorf("-want +heard:\n%s", diff)
	}
}

// A snapshot that does not come is asked for less and less often, is late at the
// deadline to the minute, and is published when it comes, the next night before it.
func TestServeWaitsForASnapshot(t *testing.T) {
	w := newWorld(t, "2026-11-21T12:00:00Z")
	w.snapshot("2026-11-20", 50, 0)
	w.start(w.config("p", atHalfPastFour, `deadline: "05:20"`, "catch_up: 2"))
	w.expect("21T12:00 2026-11-20 published")

	w.until("2026-11-22T05:40:00Z")
	w.expect("22T04:30 2026-11-21 not-ready", "22T04:31 2026-11-21 not-ready", "22T04:33 2026-11-21 not-ready", "22T04:37 2026-11-21 not-ready",
		"22T04:45 2026-11-21 not-ready", "22T05:00 2026-11-21 not-ready", "22T05:15 2026-11-21 not-ready",
		"22T05:20 2026-11-21 late", "22T05:35 2026-11-21 late")

	w.until("2026-11-23T04:29:00Z")
	w.snapshot("2026-11-22", 50, 0.5)
	w.news()
	w.until("2026-11-23T04:31:00Z")
	w.expect("23T04:30 2026-11-22 published")

	w.snapshot("2026-11-21", 50, 0.25)
	w.until("2026-11-23T04:46:00Z")
	w.expect("23T04:35 2026-11-21 published")
	w.end()
	if diff := cmp.Diff([]string{"2026-11-20", "2026-11-21", "2026-11-22"}, w.committed("p")); diff != "" {
		t.Error(diff)
	}
}

// Nobody misses nights from before a prediction began.
func TestServeANewPrediction(t *testing.T) {
	w := newWorld(t, "2026-11-21T12:00:00Z")
	w.start(w.config("p", atHalfPastFour, `deadline: "07:00"`))
	w.expect("21T12:00 2026-11-20 late")
	w.snapshot("2026-11-19", 50, 0)
	w.until("2026-11-21T12:01:00Z")
	w.expect("21T12:01 2026-11-19 published", "21T12:01 2026-11-20 late")
	w.end()
}

// A refused night is not run again with the same inputs, by no server, and holds back
// nothing; it is run again when the snapshot is another.
func TestServeARefusedNight(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	for _, d := range []string{"2026-11-18", "2026-11-19", "2026-11-20"} {
		w.snapshot(d, 500, float64(dayOf(t, d).Days()%7)/7)
	}
	w.snapshot("2026-11-20", 10, 0) // a gate asks where the others are
	w.snapshot("2026-11-21", 500, 0.9)
	cfg := w.config("p", atHalfPastFour, "catch_up: 3")
	w.start(cfg)
	w.expect("22T12:00 2026-11-18 published", "22T12:00 2026-11-19 published", "22T12:00 2026-11-20 refused", "22T12:00 2026-11-21 published")
	w.until("2026-11-22T18:00:00Z")
	w.end()
	w.start(cfg)
	w.until("2026-11-22T20:00:00Z")
	w.expect()

	w.snapshot("2026-11-20", 20, 0)
	w.until("2026-11-22T20:30:00Z")
	w.expect("22T20:15 2026-11-20 refused")
	w.snapshot("2026-11-20", 500, 0.3)
	w.until("2026-11-22T21:00:00Z")
	if news := w.news(); len(news) != 1 || !strings.HasSuffix(news[0], "2026-11-20 published") {
		t.Errorf("heard %q", news)
	}
	w.end()
}

// Inputs that cannot even be listed are refused once, until they can.
func TestServeAnEmptySnapshot(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	put(t, w.bucket("in"), "dt=2026-11-21/_SUCCESS", nil)
	w.start(w.config("p", atHalfPastFour, "catch_up: 0"))
	w.until("2026-11-22T14:00:00Z")
	w.expect("22T12:00 2026-11-21 refused")
	w.snapshot("2026-11-21", 50, 0)
	w.until("2026-11-22T14:20:00Z")
	if news := w.news(); len(news) != 1 || !strings.HasSuffix(news[0], "2026-11-21 published") {
		t.Errorf("heard %q", news)
	}
	w.end()
}

// A config that changes is a reason to run a refused night again; one that is read
// again and says the same is none.
func TestServeAnotherConfig(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	w.snapshot("2026-11-20", 500, 0)
	w.snapshot("2026-11-21", 10, 0)
	lines := []string{atHalfPastFour, "catch_up: 1"}
	cfg := w.config("p", lines...)
	w.start(cfg)
	w.expect("22T12:00 2026-11-20 published", "22T12:00 2026-11-21 refused")
	w.reload(cfg)
	again, err := config.Load(cfg.Path, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again.Prediction, again.Snapshot.URL, again.Publish.URL = cfg.Prediction, cfg.Snapshot.URL, cfg.Publish.URL
	w.reload(again)
	w.expect()
	w.reload(w.config("p", append(lines, "gates: {rows: {min_ratio: 0.015}}")...))
	w.expect("22T12:00 2026-11-21 published")
	w.end()
}

// A night that fails holds back the next for five tries, and no longer.
func TestServeANightThatFails(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	w.snapshot("2026-11-20", 50, 0)
	w.snapshot("2026-11-21", 50, 0.5)
	lines := []string{atHalfPastFour, "catch_up: 1"}
	w.start(w.config("p", append(lines, "gates: {psi: {baseline: 2026-10-01}}")...)) // of which nothing is published
	w.until("2026-11-22T12:20:00Z")
	w.expect("22T12:00 2026-11-20 failed", "22T12:01 2026-11-20 failed", "22T12:03 2026-11-20 failed", "22T12:07 2026-11-20 failed",
		"22T12:15 2026-11-20 failed", "22T12:15 2026-11-21 failed", "22T12:16 2026-11-21 failed", "22T12:18 2026-11-21 failed")
	w.reload(w.config("p", lines...))
	w.expect("22T12:20 2026-11-20 published", "22T12:20 2026-11-21 published")
	w.end()
}

// While it cannot be seen what is published, that is tried again.
func TestServeWithoutAStore(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	put(t, w.bucket("p"), "_CHURNTIER.json", []byte("junk"))
	w.start(w.config("p", atHalfPastFour, "catch_up: 0"))
	w.until("2026-11-22T12:02:00Z")
	w.expect("22T12:00 2026-11-21 failed", "22T12:01 2026-11-21 failed")
	remove(t, w.bucket("p"), "_CHURNTIER.json")
	w.until("2026-11-22T12:03:00Z")
	w.expect("22T12:03 2026-11-21 published")
	w.end()
}

// What was committed and not shown by latest/ when the server died is shown by the next.
func TestServeShowsWhatWasPublished(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	cfg := w.config("p", atHalfPastFour, "catch_up: 0")
	w.start(cfg)
	w.end()
	remove(t, w.bucket("p"), "latest/_MANIFEST.json")
	w.start(cfg)
	w.end()
	if _, err := w.bucket("p").Stat(t.Context(), "latest/_MANIFEST.json"); err != nil {
		t.Error(err)
	}
}

// A preview is made once, by whichever server.
func TestServeAPreview(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	cfg := w.config("p", atHalfPastFour, "catch_up: 0", "mode: preview")
	w.start(cfg)
	w.until("2026-11-22T13:00:00Z")
	w.end()
	w.start(cfg)
	w.end()
	w.expect("22T12:00 2026-11-21 preview")
}

// An archived prediction does nothing, and its server ends like any other.
func TestServeAnArchivedPrediction(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	w.start(w.config("p", atHalfPastFour, "mode: archived"))
	w.until("2026-11-25T12:00:00Z")
	w.end()
	w.expect()
}

// A schedule of leap days has nothing to wait for within years, and its server waits.
func TestServeWithNothingToWaitFor(t *testing.T) {
	w := newWorld(t, "2098-01-01T00:00:00Z")
	w.snapshot("2096-02-28", 50, 0)
	w.start(w.config("p", `schedule: "0 5 29 2 *"`, "catch_up: 0"))
	w.until("2098-01-03T00:00:00Z")
	w.end()
	w.expect("01T00:00 2096-02-28 published")
}

// A server that is told to end while a night is run says so, publishes nothing of it,
// and the next one does.
func TestServeIsInterrupted(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	cfg := w.config("p", atHalfPastFour, "catch_up: 0")
	ctx, stop := context.WithCancel(t.Context())
	o := w.options()
	o.Watch = func(*config.Config, date.Date) pipeline.Progress { return atStage(stop) }
	if err := jobs.Serve(ctx, []*config.Config{cfg}, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.expect("22T12:00 2026-11-21 interrupted")
	if all := w.committed("p"); len(all) > 0 {
		t.Errorf("published %v", all)
	}
	w.start(cfg)
	w.end()
	w.expect("22T12:00 2026-11-21 published")
}

// atStage is a progress that is told of a stage.
type atStage func()

func (f atStage) Stage(string, int64, int64) { f() }
func (atStage) Add(int64)                    {}

// room is an engine that counts who is in it, and lets nobody out before it was full.
type room struct {
	localrun.Engine
	mu           sync.Mutex
	inside, most int
	size         int
	full         chan struct{}
}

func (r *room) Write(ctx context.Context, p *pipeline.Plan, found *pipeline.Findings) (pipeline.Written, error) {
	r.mu.Lock()
	r.inside++
	if r.most = max(r.most, r.inside); r.most == r.size {
		close(r.full)
		r.size = 0
	}
	r.mu.Unlock()
	<-r.full
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.inside--
	}()
	return r.Engine.Write(ctx, p, found)
}

// As many predictions are run side by side as there is room for, and no more.
func TestServeSideBySide(t *testing.T) {
	for _, atOnce := range []int{1, 2} {
		w := newWorld(t, "2026-11-22T12:00:00Z")
		w.snapshot("2026-11-21", 50, 0)
		w.atOnce = atOnce
		var names []*config.Config
		for _, name := range []string{"a", "b", "c", "d"} {
			cfg := w.config(name, atHalfPastFour, "catch_up: 0")
			cfg.Publish.URL += string(rune('0' + atOnce))
			names = append(names, cfg)
		}
		r := &room{Engine: engine, size: atOnce, full: make(chan struct{})}
		w.engine = r
		w.start(names...)
		w.end()
		if news := w.news(); len(news) != 4 || r.most != atOnce {
			t.Errorf("%d at once, want %d; heard %q", r.most, atOnce, news)
		}
	}
}

const toTool = "deliveries: [{name: mail, to: tool, destination: csv, audiences: [high], max_age: 48h%s}]"

func (w *world) delivered() []string {
	w.t.Helper()
	all, err := w.bucket("tool").List(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, a := range all {
		names = append(names, a.Key)
	}
	return names
}

// After an outage every night is published, and the newest alone is delivered; none
// while the newest one due is missing.
func TestServeDeliversTheNewest(t *testing.T) {
	w := newWorld(t, "2026-11-22T12:00:00Z")
	for i, d := range []string{"2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"} {
		w.snapshot(d, 50, float64(i)/8)
	}
	w.start(w.config("p", atHalfPastFour, "catch_up: 4", strings.Replace(toTool, "%s", "", 1)))
	w.until("2026-11-22T13:00:00Z")
	if sent := w.delivered(); len(sent) > 0 {
		t.Errorf("delivered %q while 2026-11-21 was missing", sent)
	}
	w.snapshot("2026-11-21", 50, 0.9)
	w.until("2026-11-22T13:30:00Z")
	w.end()
	if diff := cmp.Diff([]string{"high/high_2026-11-21_0_0.csv"}, w.delivered()); diff != "" {
		t.Error(diff)
	}
	if last := w.news(); !slices.Equal(last[len(last)-1:], []string{"22T13:15 2026-11-21 delivered"}) {
		t.Errorf("heard %q", last)
	}
}

// A delivery begins to the minute when its window opens.
func TestServeDeliversInTheWindow(t *testing.T) {
	w := newWorld(t, "2026-11-22T05:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	w.start(w.config("p", atHalfPastFour, "catch_up: 0", strings.Replace(toTool, "%s", `, window: "08:07-09:00"`, 1)))
	w.until("2026-11-22T12:00:00Z")
	w.expect("22T05:00 2026-11-21 published", "22T08:07 2026-11-21 delivered")
	w.end()
}

// A publication is delivered at once, whenever deliveries were looked at last.
func TestServeDeliversAtOnce(t *testing.T) {
	w := newWorld(t, "2026-11-22T05:07:00Z")
	w.snapshot("2026-11-21", 50, 0.5)
	w.snapshot("2026-11-22", 50, 0)
	w.start(w.config("p", atHalfPastFour, "catch_up: 0", strings.Replace(toTool, "%s", "", 1)))
	w.news()
	w.until("2026-11-23T04:31:00Z")
	if last := w.news(); !slices.Equal(last[len(last)-2:], []string{"23T04:30 2026-11-22 published", "23T04:30 2026-11-22 delivered"}) {
		t.Errorf("heard %q", last)
	}
	w.end()
}

// A tool that cannot be reached is tried again.
func TestServeDeliversLater(t *testing.T) {
	w := newWorld(t, "2026-11-22T05:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	cfg := w.config("p", atHalfPastFour, "catch_up: 0", strings.Replace(toTool, "%s", "", 1))
	cfg.Deliveries[0].To = filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(cfg.Deliveries[0].To, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.start(cfg)
	w.until("2026-11-22T05:02:00Z")
	w.expect("22T05:00 2026-11-21 published", "22T05:00 2026-11-21 undelivered", "22T05:01 2026-11-21 undelivered")
	if err := os.Remove(cfg.Deliveries[0].To); err != nil {
		t.Fatal(err)
	}
	w.until("2026-11-22T06:00:00Z")
	w.expect("22T05:03 2026-11-21 delivered")
	w.end()
}

// What an operator withdraws is taken back from the tool.
func TestServeCorrects(t *testing.T) {
	w := newWorld(t, "2026-11-22T05:00:00Z")
	w.snapshot("2026-11-21", 50, 0)
	cfg := w.config("p", atHalfPastFour, "catch_up: 0", strings.Replace(toTool, "%s", ", send: changes", 1))
	w.start(cfg)
	w.until("2026-11-22T05:20:00Z")
	if _, err := jobs.Withdraw(t.Context(), cfg, "2026-11-21", "a mistake"); err != nil {
		t.Fatal(err)
	}
	w.until("2026-11-22T05:40:00Z")
	w.expect("22T05:00 2026-11-21 published", "22T05:00 2026-11-21 delivered", "22T05:30 2026-11-21 delivered")
	w.end()
}

// Configs that cannot be served together are refused before anything is served.
func TestCheckServed(t *testing.T) {
	one, two, bare := configOf(t, atHalfPastFour), configOf(t, atHalfPastFour), configOf(t)
	one.Publish.URL, two.Publish.URL, bare.Publish.URL = "/a", "/b", "/c"
	same := *one
	same.Path = "another.yaml"
	for said, c := range map[string]struct {
		cfgs []*config.Config
		want error
	}{
		"":                          {[]*config.Config{one, two}, nil},
		"no schedule":               {[]*config.Config{one, bare}, jobs.ErrUsage},
		"another.yaml both publish": {[]*config.Config{one, two, &same}, jobs.ErrUsage},
	} {
		err := jobs.CheckServed(c.cfgs)
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), said) {
			t.Errorf("got %v, want %q", err, said)
		}
	}
}

// A file that is not a config any more, or does not go with the others, leaves the
// config as it was; the others are taken.
func TestReload(t *testing.T) {
	one, two, three := configOf(t, atHalfPastFour), configOf(t, atHalfPastFour), configOf(t, atHalfPastFour)
	one.Publish.URL, two.Publish.URL, three.Publish.URL = "/a", "/b", "/c"
	changed, clashes := *one, *two
	changed.CatchUp, clashes.Publish.URL = 3, "/c"
	broken := errors.New("broken")
	refused := map[string]error{}
	got := jobs.Reload([]*config.Config{one, two, three}, func(path string) (*config.Config, error) {
		switch path {
		case one.Path:
			return &changed, nil
		case two.Path:
			return &clashes, nil
		}
		return nil, broken
	}, func(path string, err error) { refused[path] = err })
	if !slices.Equal(got, []*config.Config{&changed, two, three}) {
		t.Errorf("got %v", got)
	}
	if len(refused) != 2 || !errors.Is(refused[two.Path], jobs.ErrUsage) || !errors.Is(refused[three.Path], broken) {
		t.Errorf("refused %v", refused)
	}
}

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Every bad input ends with the exit code of its kind, says what, where and what
// was expected, and leaves nothing visible.
func TestBadInput(t *testing.T) {
	const day = "2026-11-22"
	ids, scores := []string{"a", "b"}, []float64{10, 90}
	cases := map[string]struct {
		prepare func(p *place)
		flags   []string
		code    int
		said    []string
	}{
		"no config": {
			func(p *place) { _ = os.Remove(p.path("churntier.yaml")) }, nil, exitUsage, []string{"churntier.yaml"}},
		"a key that is not known": {
			func(p *place) { p.write("churntier.yaml", plainConfig+"publihs: {}\n") }, nil, exitUsage, []string{"publihs", "publish"}},
		"somebody to tell at no address": {
			func(p *place) { p.write("churntier.yaml", plainConfig+"notify: {webhook: hooks.example}\n") }, nil, exitUsage, []string{"notify.webhook", "https://"}},
		"no model": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--set", "score={model: nowhere.json}"}, exitUsage, []string{"nowhere.json"}},
		"a broken model": {
			func(p *place) { p.ordinary(day, 10); p.write("m.json", "{") }, []string{"--set", "score={model: m.json}"}, exitUsage, []string{"m.json"}},
		"a date that is none": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--date", "2026-02-30"}, exitUsage, []string{"2026-02-30", "YYYY-MM-DD"}},
		"accept without a reason": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--accept", "rows"}, exitUsage, []string{"--reason"}},
		"accept what no gate is": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--accept", "suppression", "--reason", "x"}, exitUsage, []string{"suppression"}},
		"a size that is none": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--memory", "lots"}, exitUsage, []string{"lots", "256MiB"}},
		"a temporary folder that is not there": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--temp", "nowhere/at/all"}, exitUsage, []string{"--temp", "nowhere"}},
		"a temporary folder that is a file": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--temp", "main.go"}, exitUsage, []string{"--temp", "main.go"}},
		"a store that is not supported": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--set", "publish.url=ftp://b/x"}, exitUsage, []string{"ftp", "scheme"}},
		"no marker": {
			func(p *place) { p.ordinary(day, 10); _ = os.Remove(p.path("snapshots/dt=2026-11-22/_SUCCESS")) },
			nil, exitNotReady, []string{"_SUCCESS"}},
		"a date without a snapshot": {
			func(p *place) { p.ordinary(day, 10) }, []string{"--date", "2026-11-21"}, exitNotReady, []string{"2026-11-21"}},
		"no part": {
			func(p *place) { p.write("snapshots/dt=2026-11-22/_SUCCESS", "") }, nil, exitRefused, []string{"*.parquet", "2026-11-22"}},
		"a score column that is a list of names": {
			func(p *place) {
				p.part(day, "a.parquet", column{"user_id", ids}, column{"churn_score", [][]string{{"a"}, {"b"}}})
			},
			nil, exitRefused, []string{"churn_score", "nested"}},
		"no row": {
			func(p *place) {
				p.part(day, "a.parquet", column{"user_id", []string{}}, column{"churn_score", []float64{}})
			},
			nil, exitRefused, []string{"empty"}},
		"a column is missing": {
			func(p *place) { p.part(day, "a.parquet", column{"user_id", ids}, column{"churn_scores", scores}) },
			nil, exitRefused, []string{`churn_score`, "churn_scores"}},
		"a column is missing in the second part": {
			func(p *place) {
				p.part(day, "a.parquet", column{"user_id", ids}, column{"churn_score", scores})
				p.part(day, "b.parquet", column{"user_id", ids})
			}, nil, exitRefused, []string{"b.parquet", "churn_score"}},
		"a column of another type": {
			func(p *place) {
				p.part(day, "a.parquet", column{"user_id", ids}, column{"churn_score", []string{"1", "2"}})
			},
			nil, exitRefused, []string{"churn_score", "utf8"}},
		"a column of another type in the second part": {
			func(p *place) {
				p.part(day, "a.parquet", column{"user_id", ids}, column{"churn_score", scores})
				p.part(day, "b.parquet", column{"user_id", []int64{3}}, column{"churn_score", []float64{3}})
			}, nil, exitRefused, []string{"user_id", "a.parquet", "b.parquet", "int64"}},
		"an id column that holds no ids": {
			func(p *place) { p.part(day, "a.parquet", column{"user_id", scores}, column{"churn_score", scores}) },
			nil, exitRefused, []string{"user_id", "float64"}},
		"a truncated part": {
			func(p *place) { p.ordinary(day, 5000); truncate(p, "snapshots/dt=2026-11-22/part-00000.parquet") },
			nil, exitRefused, []string{"part-00000.parquet"}},
		"a foreign part": {
			func(p *place) {
				p.ordinary(day, 10)
				p.write("snapshots/dt=2026-11-22/b.parquet", "user_id,churn_score\na,1\n")
			},
			nil, exitRefused, []string{"b.parquet"}},
		"a part of no bytes": {
			func(p *place) { p.ordinary(day, 10); p.write("snapshots/dt=2026-11-22/b.parquet", "") },
			nil, exitRefused, []string{"b.parquet"}},
		"a folder of snapshots that is not there": {
			func(*place) {}, nil, exitFailed, []string{"snapshots"}},
		"too many rejected rows": {
			func(p *place) {
				p.part(day, "a.parquet", column{"user_id", ids}, column{"churn_score", []float64{10, 900}})
			},
			nil, exitRefused, []string{"rejected"}},
		"a formula in a text of a CSV file": {
			func(p *place) {
				p.part(day, "a.parquet", column{"user_id", []string{"=1+1", "b"}}, column{"churn_score", scores})
			},
			[]string{"--set", "audiences=[{name: all, files: [{format: csv}]}]"}, exitRefused, []string{"formula", "user_id"}},
		"the same bytes as yesterday": {
			func(p *place) {
				p.ordinary("2026-11-21", 100)
				p.night().expect(p.t, exitDone)
				_ = os.RemoveAll(p.path("out", "latest"))
				p.ordinary(day, 100)
				p.t.Cleanup(func() { _ = os.RemoveAll(p.path("out", "commits", "2026-11-21")) })
			}, []string{"--date", day}, exitRefused, []string{"2026-11-21"}},
		"a folder of another prediction": {
			func(p *place) {
				p.ordinary(day, 10)
				p.write("out/_CHURNTIER.json", `{"format":1,"prediction":"other"}`)
			},
			nil, exitUsage, []string{"other"}},
		"an exclude list that is not there": {
			func(p *place) { p.ordinary(day, 10); p.write("erased/readme", "") },
			[]string{"--set", "exclude=[{url: erased/*.parquet, id: user_id}]"}, exitRefused, []string{"erased"}},
		"an exclude list of another type": {
			func(p *place) {
				p.ordinary(day, 10)
				writeParquet(p.t, p.path("erased/e.parquet"), column{"user_id", []int64{1}})
			}, []string{"--set", "exclude=[{url: erased/*.parquet, id: user_id}]"}, exitRefused, []string{"erased", "int64"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			c.prepare(p)
			before := len(p.visible())
			p.night(c.flags...).expect(t, c.code, c.said...)
			if after := p.visible(); len(after) > before {
				t.Errorf("something became visible: %v", after)
			}
		})
	}
}

func truncate(p *place, name string) {
	info, err := os.Stat(p.path(name))
	if err == nil {
		err = os.Truncate(p.path(name), info.Size()/2)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestCommandLineThatIsNone(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{{}, {"rnu"}, {"run"}, {"run", "-c"}, {"run", "-c", "x", "--no-such-flag"}} {
		p.churntier(args...).expect(t, exitUsage)
	}
	p.churntier("run", "--help").expect(t, exitDone, "Exit codes", "130, 143 interrupted")
}

// A name with control characters is told without them reaching the terminal.
func TestANameThatATerminalWouldObey(t *testing.T) {
	p := newPlace(t)
	p.ordinary("2026-11-22", 10)
	p.part("2026-11-22", "a\x1b[31mb\nhint.parquet", column{"user_id", []string{"a"}}, column{"churn_score", []float64{1}})
	r := p.night()
	r.expect(t, exitUsage, `a\x1b[31mb\nhint.parquet`)
	if strings.Contains(r.stdout+r.stderr, "\x1b") {
		t.Errorf("an escape reached the terminal: %q", r.stderr)
	}
}

// A cloud that answers 403 or 404 is told apart from a night that is not ready.
func TestCloudThatRefuses(t *testing.T) {
	for status, said := range map[int]string{http.StatusForbidden: "permission", http.StatusNotFound: "bucket"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":{"code":0,"message":"no"}}`, status)
		}))
		t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(server.URL, "http://"))
		p := newPlace(t)
		p.night("--set", "snapshot.url=gs://nobody/snapshots").expect(t, exitFailed, said)
		if len(p.visible()) > 0 {
			t.Errorf("something became visible: %v", p.visible())
		}
		server.Close()
	}
}

// small makes a folder of the place a disk of its own, of so many KiB, and gives what
// makes it large.
func (p *place) small(name string, kib int) (grow func()) {
	p.t.Helper()
	if err := os.MkdirAll(p.path(name), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", p.path(name), "tmpfs", 0, fmt.Sprintf("size=%dk", kib)); err != nil {
		p.t.Skipf("a small tmpfs cannot be mounted here: %v", err)
	}
	p.t.Cleanup(func() { _ = syscall.Unmount(p.path(name), 0) })
	return func() {
		if err := syscall.Mount("tmpfs", p.path(name), "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
			p.t.Fatal(err)
		}
	}
}

// fullDisk wants a night to fail for want of space, and to be published when there
// is some; a night of which only latest/ found no space is published.
func (p *place) fullDisk(out runJSON, r result) {
	p.t.Helper()
	r.expect(p.t, exitFailed)
	status, kind, visible := "failed", "disk", 0
	if out.Status == "published" {
		status, kind, visible = "published", "projection", 1
	}
	if out.Status != status || out.Error == nil || out.Error.Kind != kind || !strings.Contains(out.Error.Message, "space") {
		p.t.Errorf("status %s, error %+v", out.Status, out.Error)
	}
	if len(p.visible()) != visible {
		p.t.Errorf("status %s, and visible are %v", out.Status, p.visible())
	}
}

// A disk that takes some of what is written but not all.
func TestFullDisk(t *testing.T) {
	for kib := 64; kib <= 1024; kib *= 4 {
		p := newPlace(t)
		p.ordinary(night22, 400_000)
		grow := p.small("out", kib)
		p.fullDisk(p.runJSON())
		grow()
		p.night().expect(t, exitDone, "published")
	}
}

// A disk that is full after every page: before the first file, before the entry in
// the log, before latest/.
func TestDiskThatIsFullAfterAnyPage(t *testing.T) {
	const page = 4 // KiB
	statuses := map[string]int{}
	for kib := page; ; kib += page {
		p := newPlace(t)
		p.ordinary(night22, 100)
		grow := p.small("out", kib)
		out, r := p.runJSON()
		if statuses[out.Status]++; r.code == exitDone {
			break
		}
		p.fullDisk(out, r)
		grow()
		p.night().expect(t, exitDone, "published")
	}
	t.Logf("the nights ended as %v", statuses)
	if statuses["failed"] < 5 {
		t.Error("expected more of them to fail")
	}
}

func TestFullTemporaryFolder(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 2_000_000)
	flags := []string{"--temp", p.path("temp"), "--memory", "16MiB"}
	grow := p.small("temp", 256)
	p.fullDisk(p.runJSON(flags...))
	grow()
	p.night(flags...).expect(t, exitDone, "published")
	if left := globbed(t, p.path("temp", "*")); len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}

// asNobody is the command line that the re-executed test binary runs without
// rights.
const asNobody = "CHURNTIER_AS_NOBODY"

func TestNoPermission(t *testing.T) {
	if args := os.Getenv(asNobody); args != "" {
		runAsNobody(strings.Split(args, "\n"))
	}
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	p := newPlace(t)
	p.ordinary("2026-11-22", 10)
	for _, name := range []string{p.path(".."), p.path("churntier.yaml")} {
		open(t, name)
	}
	t.Run("to read the snapshot", func(t *testing.T) { p.failsAsNobody(t) })
	for _, name := range []string{"snapshots", "snapshots/dt=2026-11-22", "snapshots/dt=2026-11-22/part-00000.parquet", "snapshots/dt=2026-11-22/_SUCCESS"} {
		open(t, p.path(name))
	}
	t.Run("to create in the output", func(t *testing.T) { p.failsAsNobody(t) })
	t.Run("to create temporary files", func(t *testing.T) { p.failsAsNobody(t, "--temp", p.path("snapshots")) })
	if len(p.visible()) > 0 {
		t.Errorf("something became visible: %v", p.visible())
	}
}

func open(t *testing.T, name string) {
	t.Helper()
	if err := os.Chmod(name, 0o755); err != nil {
		t.Fatal(err)
	}
}

func runAsNobody(args []string) {
	const nobody = 65534
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		panic(err)
	}
	os.Exit(run(args, os.Stdout, os.Stderr))
}

func (p *place) failsAsNobody(t *testing.T, flags ...string) {
	t.Helper()
	args := append([]string{"run", "-c", p.path("churntier.yaml")}, flags...)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestNoPermission$")
	cmd.Env = append(os.Environ(), asNobody+"="+strings.Join(args, "\n"))
	out, err := cmd.CombinedOutput()
	result{code: cmd.ProcessState.ExitCode(), stderr: string(out)}.expect(t, exitFailed, "permission")
	if err == nil {
		t.Error("nobody published")
	}
}

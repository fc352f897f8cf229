package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// long is how many nights TestBackfillResumes has; a release is tried with 60.
var long = flag.Int("nights", 8, "nights of an interrupted backfill, at least 6")

// processOf gives churntier in a process of its own: TestMain knows it by its name.
func processOf(args []string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Args[0] = "churntier"
	return cmd
}

// struck runs a backfill that a signal ends once it has published n dates, and gives
// its exit code, -1 when it was killed, and the rest of what it printed.
func struck(t *testing.T, args []string, n int, signal syscall.Signal) (int, string) {
	t.Helper()
	cmd := processOf(args)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n > 0 && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "20") && strings.Contains(lines.Text(), "  published  ") { // a receipt
			n--
		}
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	var rest strings.Builder
	for lines.Scan() {
		rest.WriteString(lines.Text() + "\n")
	}
	_ = cmd.Wait() // how it ended is in its state
	return cmd.ProcessState.ExitCode(), rest.String()
}

// published gives what a place has published: every file of the committed runs by
// its key, and the manifests, without the names of runs.
func (p *place) published(days []string) map[string]string {
	p.t.Helper()
	files := map[string]string{}
	for _, day := range days {
		entries := globbed(p.t, p.path("out/commits", day, "*"))
		if len(entries) != 1 {
			p.t.Fatalf("%s has %d entries in its log, want 1", day, len(entries))
		}
		var entry struct{ Run string }
		if err := json.Unmarshal(readFile(p.t, entries[0]), &entry); err != nil {
			p.t.Fatal(err)
		}
		root := p.path("out/runs", day, entry.Run)
		err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				content := bytes.ReplaceAll(readFile(p.t, name), []byte(entry.Run), []byte("RUN"))
				files[day+strings.TrimPrefix(name, root)] = string(content)
			}
			return err
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return files
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (p *place) expectPublished(days []string, want map[string]string) {
	p.t.Helper()
	got := p.published(days)
	if len(got) != len(want) {
		p.t.Errorf("%d files, want %d", len(got), len(want))
	}
	for key, content := range want {
		if got[key] != content {
			p.t.Errorf("%s differs: %d bytes, want %d", key, len(got[key]), len(content))
		}
	}
}

// lookingBack makes every night depend on the nights before it: a list that may not
// shrink, and scores that are compared with those of the first night.
const lookingBack = plainConfig + `suppress: [{url: gone/*.parquet, id: user_id, min_ratio: 0.9}]
gates: {psi: {baseline: 2026-11-22}, rows: {min_ratio: 0.1}}
`

// lookingBackNights are n nights, of which the first takes longest: those after it
// would be there before it, if they did not wait.

func lookingBackNights(t *testing.T, n int) (*place, []string) {
	t.Helper()
	p, days := newPlace(t), from22(n)
	p.write("churntier.yaml", lookingBack)
	for i, d := range days {
		p.varied(d, 20_000+max(0, 60_000*(1-i)))
	}
	writeParquet(t, p.path("gone/list.parquet"), column{"user_id", []string{"u0000007", "u0000300"}})
	return p, days
}

// A backfill that is told to end and another that is killed, each resumed, end as one
// that nobody disturbed: the same bytes and manifests, every date published once.
// Nights side by side end so too.
func TestBackfillResumes(t *testing.T) {
	p, days := lookingBackNights(t, *long)
	_, r := p.backfill(days)
	r.expect(t, exitDone)
	want := p.published(days)
	for name, flags := range map[string][]string{"one after another": nil, "side by side": {"--parallel", "2"}} {
		t.Run(name, func(t *testing.T) {
			if err := os.RemoveAll(p.path("out")); err != nil {
				t.Fatal(err)
			}
			args := p.backfillArgs(days, append(flags, "--quiet", "--workers", "1")...)
			code, rest := struck(t, args, len(days)/4, syscall.SIGTERM)
			if code != exitSignal+int(syscall.SIGTERM) || !strings.Contains(rest, " left\n") {
				t.Errorf("exit %d after SIGTERM, which said %q", code, rest)
			}
			if code, rest := struck(t, args, len(days)/4, syscall.SIGKILL); code != -1 {
				t.Errorf("exit %d after SIGKILL: %q", code, rest)
			}
			out, r := p.backfill(days, flags...)
			r.expect(t, exitDone)
			_, receipts := out.lines()
			if len(receipts) != len(days) || receipts[3] != days[3]+" already-published" || len(out.Left) > 0 {
				t.Errorf("receipts %q, left %v", receipts, out.Left)
			}
			p.expectPublished(days, want)
			p.churntier("verify", "-c", p.path("churntier.yaml"), "--date", "all").expect(t, exitDone)
		})
	}
}

// A date without the rights to stage it fails alone; a store without the rights to
// publish anything ends the backfill at once.
func TestBackfillWithoutRights(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	p, days := nights(t, 4)
	p.night("--date", days[0]).expect(t, exitDone)
	const nobody = 65534
	err := filepath.WalkDir(p.path(), func(name string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Chown(name, nobody, nobody)
		}
		return err
	})
	if err == nil {
		err = os.Mkdir(p.path("out/runs", days[1]), 0o700) // of root
	}
	if err != nil {
		t.Fatal(err)
	}
	open(t, p.path(".."))
	for _, parallel := range []string{"1", "2"} {
		status := map[string]string{"1": "published", "2": "already-published"}[parallel]
		p.backfillAsNobody(days, parallel).expect(t, exitFailed, days[1]+"  failed ", "permission", days[3]+"  "+status, "\n4 dates, ")
	}

	if err := os.RemoveAll(p.path("out")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.path("out"), 0o755); err != nil { // of root
		t.Fatal(err)
	}
	for _, parallel := range []string{"1", "2"} {
		r := p.backfillAsNobody(days, parallel)
		r.expect(t, exitFailed, days[0]+"  failed ", " left\n", "hint: give this user credentials")
		if strings.Contains(r.stdout, "\n"+days[3]) {
			t.Errorf("%s was begun: %s", days[3], r.stdout)
		}
	}
}

func (p *place) backfillAsNobody(days []string, parallel string) result {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestNoPermission$")
	cmd.Env = append(os.Environ(), asNobody+"="+strings.Join(p.backfillArgs(days, "--quiet", "--parallel", parallel), "\n"))
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Stdin = &stdout, &stderr, io.Reader(nil)
	_ = cmd.Run() // its code is looked at
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a churntier serve in a process of its own.
type server struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func (p *place) serve(flags ...string) *server {
	p.t.Helper()
	s := &server{t: p.t, cmd: processOf(append([]string{"serve", "-c", p.path("churntier.yaml"), "--log-format", "json", "--listen", "127.0.0.1:0"}, flags...))}
	said, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	s.lines = bufio.NewScanner(said)
	p.t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // unless it has ended
	return s
}

// says reads what it says up to the line with that message, and gives that line.
func (s *server) says(message string) map[string]any {
	s.t.Helper()
	for s.lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(s.lines.Bytes(), &line); err == nil && line["msg"] == message {
			return line
		}
	}
	s.t.Fatalf("it ended without saying %q", message)
	return nil
}

// signal sends a signal.
func (s *server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// ends gives its exit code after SIGTERM.
func (s *server) ends() int {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	return s.code()
}

// code waits for its end.
func (s *server) code() int {
	for s.lines.Scan() {
	}
	_ = s.cmd.Wait() // how it ended is in its state
	return s.cmd.ProcessState.ExitCode()
}

// daysAgo is the date some days ago.
func daysAgo(n int) string { return time.Now().UTC().AddDate(0, 0, -n).Format(time.DateOnly) }

const scheduled = plainConfig + "schedule: \"0 0 * * *\"\ncatch_up: 2\n"

// served is a place whose nights of the last days are there, for when it is midnight
// meanwhile as well, of which those before yesterday are published.
func served(t *testing.T) (p *place, yesterday string) {
	t.Helper()
	p, yesterday = newPlace(t), daysAgo(1)
	p.write("churntier.yaml", scheduled)
	for ago := range 5 {
		p.varied(daysAgo(ago), 300+ago)
	}
	for ago := 4; ago > 1; ago-- {
		p.night("--date", daysAgo(ago)).expect(t, exitDone)
	}
	return p, yesterday
}

// A server publishes what is due, and ends with 0 when it is told to and has nothing
// under way.
func TestServe(t *testing.T) {
	p, yesterday := served(t)
	s := p.serve()
	if line := s.says("published"); line["date"] != yesterday || line["prediction"] != "churn-test" || line["level"] != "INFO" || line["scored"] != 301.0 {
		t.Errorf("it says %v", line)
	}
	if code := s.ends(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if p.latest().Date.String() != yesterday {
		t.Errorf("latest shows %+v", p.latest())
	}
}

// A server that is told to end while it publishes ends with 143, and the next one ends
// what it began.
func TestServeIsToldToEnd(t *testing.T) {
	p, yesterday := served(t)
	latest, err := os.Open(p.path("out/latest"))
	if err == nil {
		err = syscall.Flock(int(latest.Fd()), syscall.LOCK_EX) // nobody replaces anything there
	}
	if err != nil {
		t.Fatal(err)
	}
	s := p.serve()
	for len(globbed(t, p.path("out/commits", yesterday, "0*.json"))) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.signal(syscall.SIGTERM)
	if line := s.says("published"); line["date"] != yesterday || line["level"] != "ERROR" || !strings.Contains(line["hint"].(string), "repair") {
		t.Errorf("it says %v", line)
	}
	if code := s.code(); code != exitSignal+int(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
	if err := latest.Close(); err != nil {
		t.Fatal(err)
	}
	s = p.serve()
	for p.latest().Date.String() < yesterday {
		time.Sleep(time.Millisecond)
	}
	if code := s.ends(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	p.churntier("verify", "-c", p.path("churntier.yaml"), "--date", "all").expect(t, exitDone)
}

// SIGHUP reads the config again. One with a mistake is refused with its line, and the
// server goes on; a good one is taken.
func TestServeReadsConfigsAgain(t *testing.T) {
	p, yesterday := served(t)
	p.write("churntier.yaml", strings.Replace(scheduled, "url: snapshots", "url: elsewhere", 1))
	p.write("elsewhere/README", "")
	s := p.serve()
	if line := s.says("not-ready"); line["date"] != yesterday {
		t.Errorf("it says %v", line)
	}
	p.write("churntier.yaml", scheduled+"mood: good\n")
	s.signal(syscall.SIGHUP)
	if line := s.says("config refused, the one before stays"); !strings.Contains(line["error"].(string), "churntier.yaml:11") {
		t.Errorf("it says %v", line)
	}
	p.write("churntier.yaml", scheduled)
	s.signal(syscall.SIGHUP)
	if line := s.says("published"); line["date"] != yesterday {
		t.Errorf("it says %v", line)
	}
	if code := s.ends(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

// What cannot be served is told at once.
func TestServeRefuses(t *testing.T) {
	p := newPlace(t)
	p.write("scheduled.yaml", scheduled)
	p.write("same.yaml", scheduled)
	one, bare, same := p.path("scheduled.yaml"), p.path("churntier.yaml"), p.path("same.yaml")
	p.churntier("serve", "-c", one, "-c", bare).expect(t, exitUsage, bare+" has no schedule", `schedule: "30 4 * * *"`)
	p.churntier("serve", "-c", one, "-c", same).expect(t, exitUsage, one+" and "+same+" both publish to "+p.path("out"))
	p.churntier("serve", "-c", one, "-c", p.path("none.yaml")).expect(t, exitUsage, "no such file")
	p.churntier("serve", "-c", one, "--memory", "31MiB", "--parallel", "2").expect(t, exitUsage, "too little for 2 nights")
	p.churntier("serve", "-c", one, "--parallel", "0").expect(t, exitUsage, "--parallel must be at least 1")
	p.churntier("serve").expect(t, exitUsage, "missing flags: --config", "churntier init")
}

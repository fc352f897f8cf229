//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
)

// job is what one process is to do.
type job struct {
	date    string
	variant int  // which of the configs
	force   bool // publish again
	prune   bool // clean up instead
}

// target is the moment at which a process is struck: the nth operation of a stage.
type target struct {
	stage stage
	nth   int
}

// plan is what happens to a process.
type plan struct {
	target *target // when it is struck; nil: never
	signal syscall.Signal
	pause  *pause // nil: it goes on without one
}

// pause holds a run that is about to commit, so that others can pass it.
type pause struct {
	reached chan struct{} // closed by the run
	over    chan struct{} // closed by the others
}

// process is one churntier under observation.
type process struct {
	job
	plan

	cmd            *exec.Cmd
	finish         func()
	stdout, stderr bytes.Buffer

	mu     sync.Mutex // guards what follows
	trace  trace
	counts [stages]int // operations seen
	struck bool
}

// answer is what a run says with --json.
type answer struct {
	Status string
	Run    string
	Seq    *int
	Error  *struct{ Kind, Message string }
}

// start begins a job in a place.
func (l *lab) start(p place, j job, what plan) (*process, error) {
	s := &process{job: j, plan: what}
	if j.prune {
		s.trace.now = cleanUp
	}
	s.cmd = exec.Command(l.binary, l.arguments(p, j)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, &s.stderr
	s.mu.Lock() // no operation is seen before the process is known
	defer s.mu.Unlock()
	var err error
	s.finish, err = p.start(s.cmd, s.see)
	return s, err
}

func (l *lab) arguments(p place, j job) []string {
	args := []string{"run", "--date", j.date, "--json", "--quiet", "--temp", l.temp}
	if j.prune {
		args = []string{"prune", "--older-than", "0s", "--json"}
	}
	if j.force {
		args = append(args, "--force")
	}
	return append(args, "-c", l.configs[j.variant], "--set", "publish.url="+p.url())
}

// see is told of every operation before it happens, and by the emulator also after
// it happened. It says whether the process goes on.
func (s *process) see(o operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.struck && s.signal == syscall.SIGKILL {
		return false
	}
	at := s.trace.see(o)
	nth := s.counts[at]
	s.counts[at]++
	if s.pause != nil && at == commit && nth == 0 {
		close(s.pause.reached)
		<-s.pause.over
	}
	if s.target == nil || *s.target != (target{at, nth}) {
		return true
	}
	s.struck = true
	_ = s.cmd.Process.Signal(s.signal)
	return s.signal != syscall.SIGKILL
}

// wait returns when the process is gone and nothing that it asked for is under way.
func (s *process) wait() {
	_ = s.cmd.Wait() // how it ended is in cmd.ProcessState
	s.finish()
}

// killed says whether the process died of SIGKILL.
func (s *process) killed() bool {
	status := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status.Signaled() && status.Signal() == syscall.SIGKILL
}

// said gives the answer of a process that ended by itself.
func (s *process) said() (answer, error) {
	var a answer
	if err := json.Unmarshal(s.stdout.Bytes(), &a); err != nil {
		return a, fmt.Errorf("%v: %w: printed %q and %q", s.cmd, err, s.stdout.String(), s.stderr.String())
	}
	return a, nil
}

// name says in a few words how a process ended.
func (a answer) name(s *process) string {
	switch {
	case s.prune && a.Error == nil:
		return "pruned"
	case a.Error != nil:
		return a.Status + " (" + a.Error.Kind + ")"
	case a.Status == "already-published" && len(s.trace.runs) > 0:
		return a.Status + " (at the commit)"
	}
	return a.Status
}

func (s *process) exit() int { return s.cmd.ProcessState.ExitCode() }

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is one churntier serve.
type server struct {
	cmd *exec.Cmd
	log *os.File
}

// start starts a server of all predictions; what it says is added to serve.log.
func (f *fleet) start() (*server, error) {
	log, err := os.OpenFile(filepath.Join(f.folder, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	args := []string{"serve", "--log-format", "json", "--listen", "127.0.0.1:0"}
	for _, p := range f.all {
		args = append(args, "-c", p.config())
	}
	s := &server{cmd: exec.Command(f.program, args...), log: log}
	s.cmd.Stderr = log
	return s, s.cmd.Start()
}

// end sends a signal and gives the exit code, -1 where the signal ended it.
func (s *server) end(signal syscall.Signal) (int, error) {
	if err := s.cmd.Process.Signal(signal); err != nil {
		return 0, err
	}
	var exited *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exited) {
		return 0, err
	}
	return s.cmd.ProcessState.ExitCode(), s.log.Close()
}

// kill ends a server that may have ended.
func (s *server) kill() { _ = s.cmd.Process.Kill() }

// lives counts how servers ended.
type lives struct{ killed, idle, cut int }

// live kills servers and starts them again until the end, then ends the last one.
func (f *fleet) live(ctx context.Context, end time.Time, chance *rand.Rand) (lives, error) {
	var l lives
	for {
		s, err := f.start()
		if err != nil {
			return l, err
		}
		until := time.Now().Add(time.Duration(2000+chance.IntN(28_000)) * time.Millisecond)
		last := !until.Before(end.Add(-2 * time.Minute)) // it has the rest to itself
		if last {
			until = end
		}
		if !sleepUntil(ctx, until) {
			s.kill()
			return l, ctx.Err()
		}
		signal := syscall.SIGTERM
		if !last && chance.IntN(2) == 0 {
			signal = syscall.SIGKILL
		}
		code, err := s.end(signal)
		switch {
		case err != nil:
			return l, err
		case signal == syscall.SIGKILL:
			l.killed++
		case code == 0:
			l.idle++
		case code == 128+int(syscall.SIGTERM):
			l.cut++
		default:
			return l, fmt.Errorf("SIGTERM ended a server with exit code %d", code)
		}
		if last {
			return l, nil
		}
	}
}

// sample is what a process holds at a moment.
type sample struct{ rss, files int } // KiB; open files

// watch looks at a server every second.
func (s *server) watch(ctx context.Context, end time.Time) ([]sample, error) {
	var all []sample
	for time.Now().Before(end) {
		if !sleepUntil(ctx, time.Now().Add(time.Second)) {
			return all, ctx.Err()
		}
		now, err := s.sample()
		if err != nil {
			return all, err
		}
		all = append(all, now)
	}
	return all, nil
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

func (s *server) sample() (sample, error) {
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return sample{}, err
	}
	found := resident.FindSubmatch(status)
	if found == nil {
		return sample{}, fmt.Errorf("%sstatus has no VmRSS: the server has ended", proc)
	}
	rss, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return sample{}, err
	}
	open, err := os.ReadDir(proc + "fd")
	return sample{rss, len(open)}, err
}

// goroutines ends a server by SIGQUIT, which makes it print all of them, and counts
// those that are not the runtime's.
func (s *server) goroutines() (int, error) {
	before, err := s.log.Seek(0, 2)
	if err != nil {
		return 0, err
	}
	name := s.log.Name()
	if _, err := s.end(syscall.SIGQUIT); err != nil {
		return 0, err
	}
	said, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	return strings.Count(string(said[before:]), "\ngoroutine "), nil
}

// fresh counts the goroutines of a server that has nothing to do and has just begun.
func (f *fleet) fresh(ctx context.Context) (int, error) {
	s, err := f.start()
	if err != nil {
		return 0, err
	}
	defer s.kill()
	if !sleepUntil(ctx, time.Now().Add(10*time.Second)) {
		return 0, ctx.Err()
	}
	return s.goroutines()
}

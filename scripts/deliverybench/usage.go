//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// usage is what a process took.
type usage struct {
	wall, processor time.Duration
	peak            int64 // bytes that were resident at once
	temporary       int64 // bytes on disk in unnamed files of the temporary folder at once, as far as was seen
}

// watched is how often the temporary files are looked at.
const watched = 10 * time.Millisecond

// watch runs a command. Its peak is at least that of this process, which is small.
func watch(cmd *exec.Cmd, temp string) (usage, error) {
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	over := make(chan error)
	go func() { over <- cmd.Wait() }()
	tick := time.NewTicker(watched)
	defer tick.Stop()
	var u usage
	for {
		select {
		case <-tick.C:
			u.temporary = max(u.temporary, temporary(cmd.Process.Pid, temp))
		case err := <-over:
			u.wall = time.Since(start)
			u.processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			u.peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
			return u, err
		}
	}
}

// temporary adds up what a process has open in a folder.
func temporary(process int, folder string) (size int64) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", process))
	for _, name := range files {
		to, err := os.Readlink(name)
		if err != nil || !strings.HasPrefix(to, folder+"/") {
			continue
		}
		var s syscall.Stat_t
		if syscall.Stat(name, &s) == nil {
			size += s.Blocks * 512
		}
	}
	return size
}

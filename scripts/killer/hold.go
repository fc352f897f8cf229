//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is a system call that a held process is about to make.
type call struct {
	verb   string
	path   string
	writes bool
}

// watched are the system calls on files that a process is held before.
var watched = map[int32]struct {
	verb   string
	writes bool
	fd     int // which argument is the descriptor of the file or of the folder
	name   int // which argument is the name below it; -1 for none
}{
	unix.SYS_OPENAT:     {"open", false, 0, 1},
	unix.SYS_MKDIRAT:    {"mkdir", true, 0, 1},
	unix.SYS_LINKAT:     {"link", true, 2, 3},
	unix.SYS_RENAMEAT:   {"rename", true, 2, 3},
	unix.SYS_RENAMEAT2:  {"rename", true, 2, 3},
	unix.SYS_UNLINKAT:   {"unlink", true, 0, 1},
	unix.SYS_WRITE:      {"write", true, 0, -1},
	unix.SYS_FSYNC:      {"sync", true, 0, -1},
	unix.SYS_GETDENTS64: {"list", false, 0, -1},
}

// notification and response are seccomp_notif and seccomp_notif_resp of
// linux/seccomp.h.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type response struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

const goOn = 1 // SECCOMP_USER_NOTIF_FLAG_CONTINUE

// A thread whose goroutine ends locked ends too, unless it is the first one. So that
// no filter stays on that one, it is kept for the main goroutine.
func init() { runtime.LockOSThread() }

// hold starts a command whose system calls on files wait, each, until see has
// returned; where that is false they never happen. finish returns when the process
// is gone.
func hold(cmd *exec.Cmd, see func(call) bool) (finish func(), err error) {
	done := make(chan struct{})
	started := make(chan error)
	go func() {
		// The filter is of this thread and of what it starts; the thread ends with
		// the goroutine, which does not unlock it.
		runtime.LockOSThread()
		listener, err := install()
		if err == nil {
			go answerCalls(listener, see, done)
			err = cmd.Start()
		}
		started <- err
	}()
	return func() { <-done }, <-started
}

// install makes the system calls of this thread, and of the processes it starts,
// wait for the listener.
func install() (listener int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	program := filter()
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fd, _, failed := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
	if failed != 0 {
		return 0, fmt.Errorf("%w: seccomp: %w", errNoHold, failed)
	}
	return int(fd), nil
}

// errNoHold says that this machine does not let processes be held.
var errNoHold = errors.New("the kernel does not let system calls be held")

// filter is the program that sends watched calls to the listener and lets others
// pass.
func filter() []unix.SockFilter {
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the number of the call
	left := len(watched)
	for nr := range watched {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(nr), Jt: uint8(left)})
		left--
	}
	return append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
}

// answerCalls asks see about every call, until no process is left.
func answerCalls(listener int, see func(call) bool, done chan<- struct{}) {
	defer close(done)
	defer func() { _ = unix.Close(listener) }()
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		switch {
		case poll[0].Revents&unix.POLLIN != 0:
			answerCall(listener, see)
		case poll[0].Revents != 0: // POLLHUP: all have died
			return
		}
	}
}

// answerCall answers one call. A process that died meanwhile needs no answer.
func answerCall(listener int, see func(call) bool) {
	var n notification
	if ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) != 0 {
		return
	}
	c, err := n.call()
	if err == nil && c.path != "" && !see(c) {
		return
	}
	r := response{id: n.id, flags: goOn}
	_ = ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) unix.Errno {
	_, _, err := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	return err
}

// call says what the process is about to do; its path is "" where that is nothing
// to an object: a step down to a folder, or a call on something without a name.
func (n *notification) call() (call, error) {
	w := watched[n.nr]
	c := call{verb: w.verb, writes: w.writes}
	if n.nr == unix.SYS_OPENAT {
		if n.args[2]&unix.O_DIRECTORY != 0 {
			return c, nil
		}
		c.writes = n.args[2]&unix.O_CREAT != 0
	}
	folder := fmt.Sprintf("/proc/%d/fd/%d", n.pid, int32(n.args[w.fd]))
	if int32(n.args[w.fd]) == unix.AT_FDCWD {
		folder = fmt.Sprintf("/proc/%d/cwd", n.pid)
	}
	if w.name < 0 {
		path, err := os.Readlink(folder)
		c.path = path
		return c, err
	}
	name, err := readText(int(n.pid), uintptr(n.args[w.name]))
	if err != nil || filepath.IsAbs(name) {
		c.path = name
		return c, err
	}
	path, err := os.Readlink(folder)
	c.path = filepath.Join(path, name)
	return c, err
}

// readText reads a string that ends with a zero from the memory of a process.
func readText(pid int, address uintptr) (string, error) {
	buffer := make([]byte, 4096)
	first := min(len(buffer), 4096-int(address%4096)) // the next page may not be there
	remote := []unix.RemoteIovec{{Base: address, Len: first}, {Base: address + uintptr(first), Len: len(buffer) - first}}
	local := []unix.Iovec{{Base: &buffer[0], Len: uint64(len(buffer))}}
	n, err := unix.ProcessVMReadv(pid, local, remote, 0)
	if err != nil {
		return "", err
	}
	text, _, whole := strings.Cut(string(buffer[:n]), "\x00")
	if !whole {
		return "", errors.New("a name without an end")
	}
	return text, nil
}

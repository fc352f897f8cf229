package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// interruptedMain is "interrupted SIGNAL COMMAND...": COMMAND talks to a cloud that
// never answers, and gets the signal once it has asked. The exit code is that of
// COMMAND.
func interruptedMain() {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}
	asked, once := make(chan struct{}), sync.Once{}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		<-r.Context().Done()
	}))
	cmd := beside(silent.URL, os.Args[2:])
	if err := cmd.Start(); err != nil {
		fail(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-asked:
		if err := cmd.Process.Signal(signals[os.Args[1]]); err != nil {
			fail(err)
		}
		endAs(<-ended)
	case err := <-ended:
		fail(fmt.Errorf("it ended before it asked the cloud: %w", err))
	}
}

// overtakenMain is "overtaken FIRST COMMAND...": FIRST, a command line in one word, runs
// whole when COMMAND is about to create an entry of a log. The exit code is that of
// COMMAND.
func overtakenMain() {
	cloud, err := url.Parse(os.Getenv("STORAGE_EMULATOR_HOST"))
	if err != nil {
		fail(err)
	}
	through, once := httputil.NewSingleHostReverseProxy(cloud), sync.Once{}
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			fail(err)
		}
		if r.Method == http.MethodPost && strings.Contains(r.URL.RawQuery+string(body[:min(len(body), 1024)]), "commits") {
			once.Do(func() {
				first := strings.Fields(os.Args[1])
				if said, err := exec.Command(first[0], first[1:]...).CombinedOutput(); err != nil {
					fail(fmt.Errorf("%s: %w\n%s", os.Args[1], err, said))
				}
			})
		}
		r.Body, r.Host = io.NopCloser(bytes.NewReader(body)), cloud.Host
		through.ServeHTTP(w, r)
	}))
	endAs(beside(between.URL, os.Args[2:]).Run())
}

// beside gives a command that takes address for Google Cloud Storage.
func beside(address string, args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "STORAGE_EMULATOR_HOST="+address)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

func endAs(err error) {
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		os.Exit(ended.ExitCode())
	}
	if err != nil {
		fail(err)
	}
	os.Exit(0)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(99)
}

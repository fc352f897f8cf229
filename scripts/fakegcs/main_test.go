package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
)

// asCommand makes the test binary behave as the command itself.
const asCommand = "FAKEGCS_TEST_RUNS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// start runs the command and gives the host that it says it listens on.
func start(t *testing.T, args ...string) (host string, process *exec.Cmd) {
	t.Helper()
	process = exec.Command(os.Args[0], args...)
	process.Env = append(os.Environ(), asCommand+"=1")
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no URL was printed: %v", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "http://"), process
}

func TestTheRealClientCreatesOnceAndReadsBack(t *testing.T) {
	for name, args := range map[string][]string{
		"in memory":   {"--bucket", "a", "--bucket", "b"},
		"on the disk": {"--bucket", "a", "--dir", t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			host, process := start(t, args...)
			t.Setenv("STORAGE_EMULATOR_HOST", host)
			client, err := storage.NewClient(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			object := client.Bucket("a").Object("dt=2026-11-22/part 1.parquet")
			content := bytes.Repeat([]byte("user"), 1<<18) // several chunks
			if err := create(t, object, content); err != nil {
				t.Fatal(err)
			}
			var refused *googleapi.Error
			if err := create(t, object, nil); !errors.As(err, &refused) || refused.Code != http.StatusPreconditionFailed {
				t.Errorf("creating the object again gave %v, want 412", err)
			}
			if got := read(t, object); !bytes.Equal(got, content) {
				t.Errorf("read back %d bytes, wrote %d others", len(got), len(content))
			}
			endsQuietly(t, process)
		})
	}
}

func create(t *testing.T, object *storage.ObjectHandle, content []byte) error {
	t.Helper()
	w := object.If(storage.Conditions{DoesNotExist: true}).NewWriter(t.Context())
	w.ChunkSize = 256 << 10
	_, err := w.Write(content)
	return errors.Join(err, w.Close())
}

func read(t *testing.T, object *storage.ObjectHandle) []byte {
	t.Helper()
	r, err := object.NewReader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func endsQuietly(t *testing.T, process *exec.Cmd) {
	t.Helper()
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v, want an orderly end", err)
	}
}

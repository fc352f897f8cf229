package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// untilWriting is the command line that the re-executed test binary runs until it
// begins to write shards; then it is killed.
const untilWriting = "CHURNTIER_UNTIL_WRITING"

// A process that is killed while it keeps users in temporary files leaves none of
// them in the temporary folder.
func TestAKilledRunLeavesNothingOfItsUsers(t *testing.T) {
	if args := os.Getenv(untilWriting); args != "" {
		os.Exit(run(strings.Split(args, "\n"), os.Stdout, killer{}))
	}
	p := newPlace(t)
	p.ordinary(night22, 1_200_000) // more than --memory has room for the fates of
	p.part(night22, "twice.parquet", column{"user_id", []string{"u0000000"}}, column{"churn_score", []float64{50}})
	p.write("temp/of-another", "")
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), untilWriting+"="+strings.Join([]string{
		"run", "-c", p.path("churntier.yaml"), "--memory", "16MiB", "--temp", p.path("temp")}, "\n"))
	out, err := cmd.CombinedOutput()
	status, known := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !known || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%v: it was not killed: %s", err, out)
	}
	if runtime.GOOS == "linux" && !strings.Contains(string(out), p.path("temp")) {
		t.Errorf("it held no temporary file when it was killed: %s", out)
	}
	if left := globbed(t, p.path("temp", "*")); len(left) != 1 {
		t.Errorf("the temporary folder holds %v, want what was there before", left)
	}
	p.night().expect(t, exitDone, "published")
}

// The folder for temporary files, and what others have there, stays as it was: it
// may be that of the whole machine.
func TestTheTemporaryFolderIsNotOurs(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 100)
	p.write("temp/of-another", "kept")
	for _, command := range []string{"run", "select"} {
		p.operate(command, "--quiet", "--temp", p.path("temp")).expect(t, exitDone)
		if left := globbed(t, p.path("temp", "*")); len(left) != 1 || filepath.Base(left[0]) != "of-another" {
			t.Errorf("%s: the temporary folder holds %v", command, left)
		}
	}
}

// killer is a standard error that kills its process when shards are to be written,
// after it told which files without a name are open, where the system says it.
type killer struct{}

func (killer) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte("score and write")) {
		return len(line), nil
	}
	open, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range open {
		if name, err := os.Readlink(fd); err == nil && strings.HasSuffix(name, "(deleted)") {
			fmt.Println(name)
		}
	}
	return len(line), syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
}

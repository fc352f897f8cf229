package snapshot

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	corpora       = "../../../shared/corpora"
	corporaFiles  = "SNAPSHOT_CORPORA_FILES" // list for the child process, one a line
	filesPerChild = 100
	fileDeadline  = 10 * time.Second
	memoryLimit   = 512 << 20
)

// outcome is what became of one file.
type outcome struct {
	Name    string
	Columns int    // that could be read
	Refused string // why, when it was
	Wrong   string // what it must never be
	Peer    bool   // whether the values were compared with arrow-go's table reader
}

// TestCorpora reads odd, broken and fuzzed files in child processes: none may die,
// hang, take absurd memory, or give other rows or values than the file has.
func TestCorpora(t *testing.T) {
	if list := os.Getenv(corporaFiles); list != "" {
		readCorpora(t, list)
		return
	}
	files := corporaList(t)
	if testing.Short() {
		files = every(files, 8)
	}
	var all []outcome
	peak := int64(0)
	for len(files) > 0 {
		n := min(filesPerChild, len(files))
		outcomes, memory := readInChild(t, files[:n])
		all, peak, files = append(all, outcomes...), max(peak, memory), files[n:]
	}
	fine, compared := 0, 0
	for _, o := range all {
		switch {
		case o.Wrong != "":
			t.Errorf("%s: %s", o.Name, o.Wrong)
		case o.Refused == "":
			fine++
		}
		if o.Peer {
			compared++
		}
	}
	t.Logf("%d files: %d read fine, %d refused in whole or in part; %d compared with arrow-go's table reader; peak memory %d MiB",
		len(all), fine, len(all)-fine, compared, peak>>20)
	if peak > memoryLimit {
		t.Errorf("peak memory %d MiB, want at most %d", peak>>20, memoryLimit>>20)
	}
}

func corporaList(t *testing.T) (files []string) {
	if _, err := os.Stat(corpora); err != nil {
		t.Skipf("the corpora of odd files are not here: %v", err)
	}
	err := filepath.WalkDir(corpora, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && filepath.Dir(path) != corpora && !strings.Contains(d.Name(), "LICENSE") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d corpora files: %v", len(files), err)
	}
	return files
}

func every(files []string, n int) (some []string) {
	for i := 0; i < len(files); i += n {
		some = append(some, files[i])
	}
	return some
}

// readInChild reads files in a process of its own, this test again, and gives its
// peak memory in bytes.
func readInChild(t *testing.T, files []string) ([]outcome, int64) {
	t.Helper()
	list := filepath.Join(t.TempDir(), "files")
	if err := os.WriteFile(list, []byte(strings.Join(files, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestCorpora$", "-test.v")
	child.Env = append(os.Environ(), corporaFiles+"="+list)
	out, err := child.CombinedOutput()
	var outcomes []outcome
	for line := range strings.Lines(string(out)) {
		var o outcome
		if text, ok := strings.CutPrefix(line, "outcome "); ok && json.Unmarshal([]byte(text), &o) == nil {
			outcomes = append(outcomes, o)
		}
	}
	if err != nil || len(outcomes) != len(files) {
		t.Fatalf("the child process ended with %v after %d of %d files, at %s:\n%.4000s",
			err, len(outcomes), len(files), files[min(len(outcomes), len(files)-1)], out)
	}
	usage, ok := child.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok || runtime.GOOS != "linux" {
		return outcomes, 0
	}
	return outcomes, usage.Maxrss << 10
}

// readCorpora is what the child process of TestCorpora does.
func readCorpora(t *testing.T, list string) {
	t.Helper()
	files, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	for scan := bufio.NewScanner(files); scan.Scan(); {
		watchdog := time.AfterFunc(fileDeadline, func() { panic("hangs: " + scan.Text()) })
		line, err := json.Marshal(readOdd(scan.Text()))
		watchdog.Stop()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\noutcome %s\n", line)
	}
}

// readOdd reads each column of one file alone, since one may be odd and not the next.
func readOdd(path string) outcome {
	o := outcome{Name: path}
	data, err := os.ReadFile(path)
	if err != nil {
		o.Wrong = err.Error()
		return o
	}
	f, err := OpenFile(bytes.NewReader(data), int64(len(data)), path, DefaultLimits())
	if err != nil {
		o.refuse(err)
		return o
	}
	all := map[string][]arrow.Array{}
	for _, name := range columnNames(f) {
		chunks, err := readOddColumn(f, name)
		if err != nil {
			o.refuse(err)
			continue
		}
		o.Columns++
		all[name] = chunks
	}
	if f.Schema().NumFields() == 0 {
		o.Refused = "no readable column"
	}
	o.compare(data, all)
	return o
}

func (o *outcome) refuse(err error) {
	o.Refused = err.Error()
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrSchema) {
		o.Wrong = "refused without a kind: " + err.Error()
	}
}

func readOddColumn(f *File, name string) (chunks []arrow.Array, err error) {
	rows := int64(0)
	err = eachBatch(f, []string{name}, func(b arrow.RecordBatch) {
		rows += b.NumRows()
		if own, err := array.Concatenate([]arrow.Array{plainly(b.Column(0))}, memory.DefaultAllocator); err == nil {
			chunks = append(chunks, own)
		}
	})
	if err == nil && rows != f.Rows() {
		return nil, fmt.Errorf("found %d rows as success, the footer says %d", rows, f.Rows())
	}
	return chunks, err
}

// compare compares with arrow-go's table reader, where that can read the file.
func (o *outcome) compare(data []byte, all map[string][]arrow.Array) {
	want, err := guardedPeer(data)
	if err != nil {
		return
	}
	o.Peer = true
	for name, chunks := range all {
		at := int64(0)
		for _, c := range chunks {
			end := at + int64(c.Len())
			if w := want[name]; w == nil || int64(w.Len()) < end {
				o.Wrong = fmt.Sprintf("column %q: more rows than arrow-go reads", name)
			} else if diff := firstDifference(array.NewSlice(w, at, end), c); diff != "" {
				o.Wrong = fmt.Sprintf("column %q: rows from %d: %s", name, at, diff)
			}
			at = end
		}
	}
}

func guardedPeer(data []byte) (all map[string]arrow.Array, err error) {
	err = guarded(func() (err error) {
		all, err = peerColumns(data)
		return err
	})
	return all, err
}

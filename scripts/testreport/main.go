// Command testreport turns the events of `go test -json` on its input into what a
// person needs: the output of what failed, the tests that were skipped with their
// reasons, and the counts. It fails when a test or a package did.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a package that did not build
	Test       string // none: the event is the package's
	Output     string
}

// name says whose event it is.
func (e event) name() string {
	switch {
	case e.Test != "":
		return e.Package + "." + e.Test
	case e.Package != "":
		return e.Package
	}
	return e.ImportPath
}

// report is what is known so far.
type report struct {
	output  map[string][]string // of tests and packages that have not passed
	failed  []string
	skipped []string
	passed  int
}

func main() {
	r := report{output: map[string][]string{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	r.write(os.Stdout)
	if len(r.failed) > 0 || r.passed == 0 {
		os.Exit(1)
	}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				return fmt.Errorf("not an event of go test -json: %q", line)
			}
			r.add(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) add(e event) {
	name := e.name()
	switch e.Action {
	case "output", "build-output":
		r.output[name] = append(r.output[name], e.Output)
	case "fail", "build-fail":
		r.failed = append(r.failed, name)
	case "skip":
		if e.Test != "" {
			r.skipped = append(r.skipped, name)
		}
	case "pass":
		delete(r.output, name)
		if e.Test != "" {
			r.passed++
		}
	}
}

func (r *report) write(out io.Writer) {
	for _, name := range r.failed {
		fmt.Fprintf(out, "FAILED %s\n%s", name, strings.Join(r.output[name], ""))
	}
	for _, name := range r.skipped {
		fmt.Fprintf(out, "skipped %s: %s\n", name, r.reason(name))
	}
	fmt.Fprintf(out, "%d passed, %d skipped, %d failed\n", r.passed, len(r.skipped), len(r.failed))
}

// reason is what a skipped test printed, without the frame of go test.
func (r *report) reason(name string) string {
	var said []string
	for _, line := range r.output[name] {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	return strings.Join(said, " ")
}

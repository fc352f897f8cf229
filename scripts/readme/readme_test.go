// Package readme_test follows README.md word by word.
package readme_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// step is a command of the README, and what the README says that it prints.
type step struct {
	line    int // of the command
	command string
	output  []string // nil where the README shows none
}

// steps reads the commands of the README in their order: every line of a block of sh,
// and the lines after $ of a block of console, where the output follows. A block of text
// is the output of the first command of the block of sh before it.
func steps(readme string) (all []step) {
	language, inside, first := "", false, 0
	for i, line := range strings.Split(readme, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case isFence:
			language, inside = fence, !inside
			if fence == "sh" {
				first = len(all)
			}
		case !inside || line == "" && language == "sh":
		case language == "sh" && len(all) > first && strings.HasSuffix(all[len(all)-1].command, "\\"):
			all[len(all)-1].command += "\n" + line
		case language == "sh":
			all = append(all, step{line: i + 1, command: line})
		case language == "console" && isCommand:
			all = append(all, step{line: i + 1, command: command, output: []string{}})
		case language == "console":
			last := &all[len(all)-1]
			last.output = append(last.output, line)
		case language == "text":
			all[first].output = append(all[first].output, line)
		}
	}
	return all
}

// notRun are the commands that are left out here, and why.
var notRun = map[string]string{
	"go test ./...": "it runs this test",
}

// A person who follows the README in a clean clone, word by word, sees what it shows;
// names of runs and seconds are others.
func TestReadmeWordByWord(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	clone := clean(t, root)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := steps(string(readme))
	if len(all) < 15 {
		t.Fatalf("only %d commands were found in README.md", len(all))
	}
	for _, s := range all {
		command, comment, _ := strings.Cut(s.command, "   #")
		command = strings.TrimSpace(command)
		if why := notRun[command]; why != "" {
			t.Logf("README.md:%d: left out, because %s: %s", s.line, why, command)
			continue
		}
		if strings.Contains(command, "duckdb ") && !hasDuckDB(root) {
			t.Logf("README.md:%d: left out, because DuckDB is not here (scripts/peers/install): %s", s.line, command)
			continue
		}
		said, err := inClone(clone, command)
		if code := endOf(err); fmt.Sprint("exit code ", code) != announced(comment) {
			t.Fatalf("README.md:%d: %s: exit code %d, %v", s.line, command, code, err)
		}
		if s.output != nil && !shows(s.output).MatchString(masked(said)) {
			t.Errorf("README.md:%d: %s\n--- README\n%s\n--- it prints\n%s", s.line, command, strings.Join(s.output, "\n"), said)
		}
	}
}

// clean gives a clone of what is committed, with the README as it is here.
func clean(t *testing.T, root string) string {
	t.Helper()
	if err := exec.Command("git", "-C", root, "rev-parse", "--verify", "HEAD").Run(); err != nil {
		t.Skipf("needs a git checkout to clone: %v", err)
	}
	clone := filepath.Join(t.TempDir(), "churntier")
	if out, err := exec.Command("git", "clone", "--quiet", root, clone).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	stand(t, root, clone)
	return clone
}

// stand puts a program duckdb beside the clone: DuckDB's library, with the one flag that
// the README uses of DuckDB's own program.
func stand(t *testing.T, root, clone string) {
	t.Helper()
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = -c ] && exec node '%s' \"$2\"\n", filepath.Join(root, "scripts", "peers", "sql.js"))
	if err := os.Mkdir(bin(clone), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin(clone), "duckdb"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}

func bin(clone string) string { return filepath.Join(filepath.Dir(clone), "bin") }

func hasDuckDB(root string) bool {
	_, err := os.Stat(filepath.Join(root, "scripts", "peers", "node_modules", "@duckdb"))
	return err == nil
}

// inClone runs a command as a person in the clone would, who has put the program that
// the README builds on the path, and gives what it prints on standard output.
func inClone(clone, command string) (string, error) {
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", command)
	cmd.Dir = clone
	cmd.Env = append(os.Environ(), "PATH="+clone+":"+bin(clone)+":"+os.Getenv("PATH"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w\n%s%s", err, stdout.String(), stderr.String())
	}
	return stdout.String(), err
}

// announced gives the exit code that the comment of a command speaks of.
func announced(comment string) string {
	if code := regexp.MustCompile(`exit code \d`).FindString(comment); code != "" {
		return code
	}
	return "exit code 0"
}

func endOf(err error) int {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.ExitCode()
	}
	return -1
}

var (
	runName = regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{26}\b`)
	seconds = regexp.MustCompile(`\b\d+\.\d s\b`)
	blanks  = regexp.MustCompile(`(?m)[ \r]+$`)
)

func masked(text string) string {
	text = runName.ReplaceAllString(text, "RUN")
	return blanks.ReplaceAllString(seconds.ReplaceAllString(text, "N s"), "")
}

// shows matches the output that the README shows, in which a line of three points
// stands for any lines.
func shows(lines []string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for _, line := range lines {
		if strings.TrimSpace(line) == "..." {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		b.WriteString(regexp.QuoteMeta(masked(line)) + `\n`)
	}
	b.WriteString(`\s*\z`)
	return regexp.MustCompile(b.String())
}

package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// model is the command line as kong sees it.
func model(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Name("churntier"))
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// Every command shows examples, and what an example says is a command line.
func TestHelpHasExamplesThatParse(t *testing.T) {
	p := newPlace(t)
	for _, command := range model(t).Model.Children {
		if len(examples[command.Name]) == 0 {
			t.Errorf("%s has no example", command.Name)
		}
		for _, e := range examples[command.Name] {
			p.churntier(command.Name, "--help").expect(t, exitDone, "Examples:", "churntier "+e[0], e[1], "Exit codes: 0 done")
			if _, err := model(t).Parse(wordsOf(t, e[0])); err != nil {
				t.Errorf("%s: %v", e[0], err)
			}
		}
	}
}

// wordsOf splits a command line as a shell does.
func wordsOf(t *testing.T, line string) []string {
	t.Helper()
	line, _, _ = strings.Cut(line, ">")
	out, err := exec.Command("sh", "-c", `printf '%s\n' `+line).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestAWrongCommandLineIsTold(t *testing.T) {
	p := newPlace(t)
	for _, test := range []struct{ line, said, hint string }{
		{"shwo -c x", `did you mean "show"`, "see churntier --help"},
		{"run -c x --dryrun", `did you mean "--dry-run"`, "see churntier run --help"},
		{"run", "missing flags: --config=FILE", "churntier init SNAPSHOT_URL writes a config; see churntier run --help"},
		{"", "expected one of", "see churntier --help"},
		{"completion csh", `"bash","zsh","fish"`, "see churntier completion --help"},
	} {
		r := p.churntier(strings.Fields(test.line)...)
		r.expect(t, exitUsage, test.said, "\nhint: "+test.hint+"\n")
		if r.stdout != "" {
			t.Errorf("%s: said on stdout: %s", test.line, r.stdout)
		}
	}
}

// complete sources the completion of a shell and runs a script in it.
func complete(t *testing.T, shell, script string) string {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Skipf("needs %s (apt-get install %s)", shell, shell)
	}
	p := newPlace(t)
	r := p.churntier("completion", shell)
	r.expect(t, exitDone)
	p.write("completion", r.stdout)
	cmd := exec.Command(shell, "-c", script)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestCompletionOfBash(t *testing.T) {
	got := complete(t, "bash", `source ./completion
		try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _churntier; echo "${COMPREPLY[@]}"; }
		try churntier roll
		try churntier rollback --re
		try churntier run -c x --log-format j
		try churntier run --log-format = t
		try churntier completion ""
		try churntier run -c churn`)
	if want := "rollback\n--reason\njson\ntext\nbash zsh fish\n\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCompletionOfFish(t *testing.T) {
	got := complete(t, "fish", `source ./completion
		for line in "roll" "rollback --re" "run --log-format j" "completion z" "run -c compl"
			complete -C "churntier $line" | cut -f1
		end`)
	if want := "rollback\n--reason\njson\nzsh\ncompletion\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// zsh completes only on a terminal; here it reads the script.
func TestCompletionOfZsh(t *testing.T) {
	if got := complete(t, "zsh", `zsh -n ./completion && compdef() { print -r -- "$@"; } && source ./completion`); got != "_churntier churntier\n" {
		t.Errorf("%q", got)
	}
}

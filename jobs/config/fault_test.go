package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// base completes a config that holds only what a test is about.
var base = []struct{ key, line string }{
	{"prediction", "prediction: churn-14d\n"},
	{"snapshot", "snapshot: {url: in, id: user_id}\n"},
	{"score", "score: {model: churn.json}\n"},
	{"publish", "publish: {url: out}\n"},
}

// complete appends the required keys that a text lacks, so that its own lines
// keep their numbers.
func complete(text string) string {
	for _, b := range base {
		if !strings.Contains("\n"+text, "\n"+b.key+":") {
			text += b.line
		}
	}
	return text
}

func environment(name string) string {
	return map[string]string{
		"BUCKET": "audiences",
		"BELL":   "a\ab",
		"SECRET": "sftp://user:hunter2@host/x",
	}[name]
}

// loadText loads a config file of that text in a folder of its own; the folder
// is replaced by nothing in the error.
func loadText(t *testing.T, text string, set ...string) (*Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("churntier.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load("churntier.yaml", Options{Set: set, Getenv: environment})
}

// directives reads the comment lines of a golden case: "# --set ..." and words.
func directives(text string) (set []string, words []string) {
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if flag, isSet := strings.CutPrefix(comment, "--set "); isSet {
			set = append(set, flag)
		} else if ok {
			words = append(words, comment)
		}
	}
	return set, words
}

// Each testdata/faults/*.txtar holds configs and the whole message of each. What
// a config lacks of the required keys is appended, unless it says "# alone".
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files: %v %v", files, err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		golden, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		got := &txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			if name, ok := strings.CutSuffix(f.Name, ".yaml"); ok {
				t.Run(filepath.Base(file)+"/"+name, func(t *testing.T) {
					message := faultOf(t, string(f.Data))
					got.Files = append(got.Files, f, txtar.File{Name: name + ".fault", Data: []byte(message + "\n")})
				})
			}
		}
		if *update {
			if err := os.WriteFile(golden, txtar.Format(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func faultOf(t *testing.T, text string) string {
	t.Helper()
	set, words := directives(text)
	if !slices.Contains(words, "alone") {
		text = complete(text)
	}
	_, err := loadText(t, text, set...)
	if !errors.Is(err, ErrConfig) {
		t.Fatalf("Load gave %v, want an ErrConfig", err)
	}
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("Load gave a %T, want Faults", err)
	}
	for _, f := range faults {
		if f.Line == 0 && f.Flag == "" && !strings.HasPrefix(f.Found, "missing") {
			t.Errorf("%q has neither line nor flag", f.String())
		}
	}
	return err.Error()
}

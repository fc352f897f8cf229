package config

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTextForms(t *testing.T) {
	plain, _ := load(t, complete(everything))
	for name, text := range map[string]string{
		"CRLF":             strings.ReplaceAll(complete(everything), "\n", "\r\n"),
		"byte order mark":  "\ufeff" + complete(everything),
		"document markers": "---\n" + complete(everything) + "...\n",
		"comments":         "# one\n" + strings.ReplaceAll(complete(everything), "mode: preview\n", "mode: preview   # two\n\n"),
		"quoted keys":      strings.ReplaceAll(complete(everything), "mode: preview", `"mode": 'preview'`),
		"folded text":      strings.ReplaceAll(complete(everything), "mode: preview", "mode: >-\n  preview"),
	} {
		got, _ := load(t, text)
		got.Exclude, got.Suppress, got.Publish.URL = plain.Exclude, plain.Suppress, plain.Publish.URL // the folder differs
		if diff := cmp.Diff(plain, got, sameZone); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestUnreadableText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"UTF-16", "\xff\xfem\x00\n", "churntier.yaml:1: found bytes that are not UTF-8; expected a text file in UTF-8\n    1 | \ufffd\ufffdm\ufffd"},
		{"Latin-1", "mode: live\n# caf\xe9\n", "churntier.yaml:2: found bytes that are not UTF-8; expected a text file in UTF-8\n    2 | # caf\ufffd"},
		{"lone CR", "mode: live\rtimezone: UTC\n", "churntier.yaml:1: found a control character; expected only printable text\n    1 | mode: live\ufffdtimezone: UTC"},
		{"escape", "mode: \x1b[31mlive\n", "churntier.yaml:1: found a control character; expected only printable text\n    1 | mode: \ufffd[31mlive"},
		{"CRLF keeps lines", "mode: live\r\n\r\ntimezone: Local\r\n", "churntier.yaml:3: timezone: found the text \"Local\": that timezone is not known; expected an IANA timezone such as UTC or Europe/Paris\n    3 | timezone: Local"},
		{"long line", "mode: " + strings.Repeat("x", 300) + "\n", "churntier.yaml:1: mode: found the text \"" + strings.Repeat("x", 60) + "...\"; expected live, preview or archived\n    1 | mode: " + strings.Repeat("x", 154) + "..."},
	} {
		_, err := loadText(t, complete(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", c.name, err, c.want)
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Chdir(t.TempDir())
	big := append([]byte(complete("")), make([]byte, maxBytes)...)
	for name, content := range map[string][]byte{"big.yaml": big, "secret.yaml": nil} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder.yaml", 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"none.yaml":          "none.yaml: no such file; expected a YAML config file",
		"folder.yaml":        "folder.yaml: cannot be read: read folder.yaml: is a directory; expected a YAML config file",
		"big.yaml":           "big.yaml: found more than 1048576 bytes; expected a YAML config file",
		"secret.yaml/x.yaml": "secret.yaml/x.yaml: cannot be opened: open secret.yaml/x.yaml: not a directory; expected a YAML config file",
	} {
		_, err := Load(path, Options{})
		if !errors.Is(err, ErrConfig) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestNoWorkingFolder(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.Remove(folder); err != nil {
		t.Skip("the working folder cannot be removed here: ", err)
	}
	_, err := Load("churntier.yaml", Options{})
	if !errors.Is(err, ErrConfig) || !strings.HasPrefix(err.Error(), "churntier.yaml: found no working folder") {
		t.Errorf("got %v", err)
	}
}

// Hostile texts are refused before they cost time.
func TestHostileTexts(t *testing.T) {
	const size = maxBytes / 4
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", size),
		"braces":   strings.Repeat("{a: ", size/4),
		"dashes":   strings.Repeat("- ", size/2),
		"tags":     strings.Repeat("!!x ", size/4),
		"indented": indented(700),
		"keys":     strings.Repeat("k: v\n", size/5),
		"anchors":  strings.Repeat("&a\n", size/3),
	} {
		start := time.Now()
		_, err := loadText(t, text)
		var faults Faults
		if !errors.As(err, &faults) || len(faults) > maxFaults {
			t.Errorf("%s: got %d faults, want at most %d", name, len(faults), maxFaults)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func indented(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

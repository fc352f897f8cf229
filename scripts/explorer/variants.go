package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sync/errgroup"
)

// variant is the product made wrong on purpose. The explorer, built of it, must find
// in the scenario that the invariant is broken. Where the scenario is a command for
// go test, that must fail instead.
type variant struct {
	name     string
	scenario string
	breaks   string
	edits    []edit
}

// edit changes one place of a file of the product.
type edit struct{ file, old, new string }

// changed gives the files of the variant as they are then. A text that is not there,
// or in more than one place, is an error.
func (v variant) changed(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range v.edits {
		name := filepath.Join(root, e.file)
		if _, ok := files[name]; !ok {
			data, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			files[name] = string(data)
		}
		if n := strings.Count(files[name], e.old); n != 1 {
			return nil, fmt.Errorf("%s: the text to be changed is there %d times, expected once:\n%s", e.file, n, e.old)
		}
		files[name] = strings.Replace(files[name], e.old, e.new, 1)
	}
	return files, nil
}

// overlay writes the changed files into a folder and gives the name of the file that
// tells the go command of them.
func (v variant) overlay(root, folder string) (string, error) {
	files, err := v.changed(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range files {
		replace[name] = filepath.Join(folder, filepath.Base(name))
		if err := os.WriteFile(replace[name], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, "overlay.json")
	return name, os.WriteFile(name, data, 0o600)
}

var (
	brokenLine = regexp.MustCompile(`violation of (I\d) after \d+ steps: .*`)
	failedLine = regexp.MustCompile(`--- FAIL: (\w+)/\S+`)
)

// catch says how the variant was caught; it is an error when it was not.
func (v variant) catch(root string) (string, error) {
	folder, err := os.MkdirTemp("", "variant")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }() // temporary files only
	overlay, err := v.overlay(root, folder)
	if err != nil {
		return "", err
	}
	if test, ok := strings.CutPrefix(v.scenario, "go test "); ok {
		out, _ := command(root, "go", append([]string{"test", "-count=1", "-overlay", overlay}, strings.Fields(test)...)...)
		return v.found(failedLine, out)
	}
	program := filepath.Join(folder, "explorer")
	if out, err := command(root, "go", "build", "-overlay", overlay, "-o", program, "./scripts/explorer"); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	out, _ := command(root, program, "-scenario", v.scenario)
	return v.found(brokenLine, out)
}

// found looks in the output of a command for what the variant breaks; whether the
// command ended well does not matter.
func (v variant) found(pattern *regexp.Regexp, out string) (string, error) {
	for _, found := range pattern.FindAllStringSubmatch(out, -1) {
		if found[1] == v.breaks {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("not caught: %s; expected that it breaks %s\n%s", v.scenario, v.breaks, out)
}

func command(folder, name string, arguments ...string) (string, error) {
	c := exec.Command(name, arguments...)
	c.Dir = folder
	out, err := c.CombinedOutput()
	return string(out), err
}

// catchAll catches every variant, two at a time.
func catchAll(out io.Writer) error {
	gomod, err := command(".", "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	root := filepath.Dir(strings.TrimSpace(gomod))
	missed := make([]error, len(variants)+1)
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, v := range variants {
		g.Go(func() error {
			how, err := v.catch(root)
			if err != nil {
				missed[i] = fmt.Errorf("%s: %w", v.name, err)
				return nil
			}
			_, err = fmt.Fprintf(out, "%-46s %s\n", v.name, how)
			return err
		})
	}
	missed[len(variants)] = g.Wait()
	return errors.Join(missed...)
}

package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrConfig is the kind of every error of Load.
var ErrConfig = errors.New("config")

// Fault is one thing that is wrong with a config.
type Fault struct {
	File     string // path of the config file
	Line     int    // from 1; 0 = the file as a whole, or a flag
	Quote    string // that line as written
	Flag     string // the --set flag at fault, without "--set"; "" = none
	Key      string // path of the key, such as audiences[0].score; "" = none
	Found    string // what is wrong, such as: found the number 7
	Expected string // what would be right; "" where Found says it all
}

// String gives the place, the key, what was found and what is expected, and below
// it the line as written.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.place())
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Found)
	if f.Expected != "" {
		b.WriteString("; expected " + f.Expected)
	}
	if f.Line > 0 {
		fmt.Fprintf(&b, "\n%5d | %s", f.Line, withoutSecrets(shorten(printable(f.Quote), 160)))
	}
	return b.String()
}

func (f Fault) place() string {
	switch {
	case f.Flag != "":
		return fmt.Sprintf("--set %q: ", withoutSecrets(shorten(f.Flag, 160)))
	case f.Line > 0:
		return fmt.Sprintf("%s:%d: ", f.File, f.Line)
	}
	return f.File + ": "
}

// Faults is every fault of a config, up to a thousand, in the order of its lines, those of flags
// last. It is never empty when it is returned as an error.
type Faults []Fault

// Error gives one paragraph a fault.
func (f Faults) Error() string {
	paragraphs := make([]string, len(f))
	for i, fault := range f {
		paragraphs[i] = fault.String()
	}
	return strings.Join(paragraphs, "\n\n")
}

// Unwrap makes the faults an ErrConfig.
func (f Faults) Unwrap() error { return ErrConfig }

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		if (a.Flag == "") != (b.Flag == "") {
			return strings.Compare(a.Flag, b.Flag)
		}
		return a.Line - b.Line
	})
}

// A place is where a value was written: a line of the file or a --set flag. The
// zero value is the file as a whole, and where defaults stand.
type place struct {
	line int
	flag string
}

// maxFaults bounds the faults of a text that is no config at all.
const maxFaults = 1000

// A report gathers the faults of one config.
type report struct {
	file     string
	lines    []string
	faults   Faults
	warnings []string
}

func newReport(file, text string) *report {
	return &report{file: file, lines: strings.Split(text, "\n")}
}

// add reports a fault, unless there are more already than a person reads.
func (r *report) add(at place, key, found, expected string) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, r.fault(at, key, found, expected))
	}
}

func (r *report) warn(at place, key, found string) {
	f := r.fault(at, key, found, "")
	r.warnings = append(r.warnings, f.String())
}

func (r *report) fault(at place, key, found, expected string) Fault {
	f := Fault{File: r.file, Line: at.line, Flag: at.flag, Key: key, Found: found, Expected: expected}
	if at.line > 0 && at.line <= len(r.lines) {
		f.Quote = r.lines[at.line-1]
	}
	return f
}

// err is nil when no fault was found.
func (r *report) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	r.faults.sort()
	return r.faults
}

// printable replaces what a terminal would act on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, s)
}

// shorten cuts s after n characters.
func shorten(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n]) + "..."
	}
	return s
}

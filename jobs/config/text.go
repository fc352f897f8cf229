package config

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // a timezone is known on every machine

	"github.com/churntier/churntier/pipeline/date"
)

// textKind is a text that matches a pattern; its value is what parse makes of
// it, or the text itself without one.
type textKind struct {
	name    string // what it is, for faults
	pattern string
	parse   func(string) (any, error)
}

func (k textKind) want() string { return k.name }

func (k textKind) read(r *reading, at string, n *node) {
	if n.form != text || !regexp.MustCompile(k.pattern).MatchString(n.raw) {
		r.refuse(n, at, k)
		return
	}
	if k.parse == nil {
		n.value = n.raw
		return
	}
	v, err := k.parse(n.raw)
	if err != nil {
		r.add(n.at, at, n.describe()+": "+err.Error(), k.name)
		return
	}
	n.value = v
}

func (k textKind) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": k.pattern}
}

// Texts of the table. Patterns hold in Go and in JSON schema.
const noControl = `\x00-\x1f\x7f`

var (
	predictionName = textKind{name: "a name of 1 to 64 characters a-z 0-9 -", pattern: `^[a-z0-9-]{1,64}$`}
	shortName      = textKind{name: "a name of 1 to 64 characters a-z 0-9 _ -, the first a letter or digit", pattern: `^[a-z0-9][a-z0-9_-]{0,63}$`}
	columnName     = textKind{name: "the name of a column", pattern: `^[^` + noControl + `]+$`}
	zone           = textKind{name: "an IANA timezone such as UTC or Europe/Paris", pattern: `^[A-Za-z]`, parse: zoneOf}
	partition      = textKind{name: "folder names that hold {date}, or {yyyy}, {mm} and {dd}", pattern: `^[^` + noControl + `]*\{[^` + noControl + `]+$`, parse: wholeDate}
	fileGlob       = textKind{name: "a glob for file names, without /", pattern: `^[^/` + noControl + `]+$`, parse: glob}
	saltText       = textKind{name: "a text of 1 to 64 printable characters", pattern: `^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$`}
	duration       = textKind{name: "a duration such as 36h, 90m or 7d: from 1 to 99999 of s, m, h or d", pattern: `^[1-9][0-9]{0,4}[smhd]$`, parse: durationOf}
	day            = textKind{name: `a date as YYYY-MM-DD, or "" for none`, pattern: `^([0-9]{4}-[0-9]{2}-[0-9]{2})?$`, parse: dayOf}
	markerName     = textKind{name: `a file name, or "" for no marker`, pattern: `^[^/` + noControl + `]*$`}
)

func wholeDate(template string) (any, error) {
	for _, segment := range strings.Split(template, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return nil, fmt.Errorf("the folder %q is not a name", segment)
		}
	}
	rest := strings.NewReplacer("{date}", "", "{yyyy}", "", "{mm}", "", "{dd}", "").Replace(template)
	if strings.ContainsAny(rest, "{}") {
		return nil, errors.New("only {date} {yyyy} {mm} {dd} stand in braces")
	}
	has := func(field string) bool { return strings.Contains(template, field) }
	if !has("{date}") && !(has("{yyyy}") && has("{mm}") && has("{dd}")) {
		return nil, errors.New("it does not tell one date from another")
	}
	return template, nil
}

func glob(pattern string) (any, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, errors.New("a bracket or a backslash is left open")
	}
	return pattern, nil
}

// durationOf reads what time.ParseDuration reads, and days of 24 hours.
func durationOf(s string) (any, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	d, err := time.ParseDuration(days + "h")
	return 24 * d, err
}

// dayOf gives the zero date for an empty text.
func dayOf(s string) (any, error) {
	if s == "" {
		return date.Date{}, nil
	}
	d, err := date.Parse(s)
	if err != nil {
		err = errors.New("there is no such day")
	}
	return d, err
}

func zoneOf(name string) (any, error) {
	if zone, err := time.LoadLocation(name); err == nil && name != "Local" {
		return zone, nil
	}
	return nil, errors.New("that timezone is not known")
}

package jobs

import (
	"bytes"
	_ "embed"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/profile"
)

// draft is what the text of a proposed config says; "" is a blank or nothing.
type draft struct {
	Known
	Partition, Files, Ready string
	ID, Contact, AsOf       string
	OptOuts                 []string
	High                    float64           // the top of Column's range
	Mapped                  map[string]string // feature of the model to column
	OneHot                  []string
	Cuts                    distribution.Categories // nil for the default
	Features, Categories    []string                // columns that a model could learn from; those of few texts
}

// What a column seems to be good for.
const (
	useFeature = "a feature"
	useOutcome = "the outcome that models learn, no feature"
)

func (d *draft) useOf(c profile.Column) string {
	switch c.Name {
	case d.ID:
		return "id"
	case d.Contact:
		return "contact"
	case d.AsOf:
		return "as_of"
	case d.Column:
		return "score"
	}
	switch {
	case slices.Contains(d.OptOuts, c.Name):
		return "suppress"
	case c.IsOutcome():
		return useOutcome
	case c.IsFeature():
		return useFeature
	}
	return ""
}

//go:embed draft.yaml.tmpl
var draftText string

var draftTemplate = template.Must(template.New("draft").Funcs(template.FuncMap{
	"yaml":   config.Quote,
	"list":   yamlList,
	"field":  expressionField,
	"points": func(hundredths uint16) uint16 { return hundredths / 100 },
	"first":  func(n int, names []string) []string { return names[:min(n, len(names))] },
}).Parse(draftText))

// Config gives the text of the config. Keys that were not guessed are in it as
// comments, and blanks as empty values, which config.Load refuses by name.
func (p *Proposal) Config() []byte {
	d := p.draft
	for _, location := range []*string{&d.URL, &d.Publish, &d.Model} {
		*location = besideConfig(d.Known.Config, *location)
	}
	var b bytes.Buffer
	if err := draftTemplate.Execute(&b, d); err != nil {
		panic(err) // the template and the draft are of one build
	}
	return b.Bytes()
}

// besideConfig gives a path as it stands in a config: relative to its folder, where
// it was relative. URLs stay as they are.
func besideConfig(path, location string) string {
	if location == "" || filepath.IsAbs(location) || strings.Contains(location, "://") {
		return location
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return location
	}
	absolute, err := filepath.Abs(location)
	if err != nil {
		return location
	}
	if relative, err := filepath.Rel(folder, absolute); err == nil {
		return filepath.ToSlash(relative)
	}
	return absolute
}

var plainField = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func yamlList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = config.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// expressionField writes a column as it stands in an expression.
func expressionField(column string) string {
	if plainField.MatchString(column) {
		return column
	}
	return fmt.Sprintf("col(%q)", column)
}

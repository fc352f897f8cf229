package notify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
)

// message is what a person reads about an attempt.
type message struct {
	cfg     *config.Config
	attempt jobs.Attempt
	around  jobs.Around
	ended   []jobs.Notice // the incidents that it closes, if it ended well
	hint    func(error) string
}

// longest bounds the characters of a line that comes from an error.
const longest = 600

// text gives the message as plain text in which nothing is markup.
func (m *message) text() string {
	a := m.attempt
	lines := []string{m.title() + ": " + m.happened(), m.counts(), "", m.link()}
	if a.Err != nil && m.hint != nil {
		if next := m.hint(a.Err); next != "" {
			lines[2] = "Next: " + next
		}
	}
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
	return escape(strings.Join(lines, "\n"))
}

func (m *message) title() string {
	if m.attempt.Date.IsZero() {
		return m.attempt.Prediction
	}
	return m.attempt.Prediction + " " + m.attempt.Date.String()
}

// happened is one sentence.
func (m *message) happened() string {
	a := m.attempt
	switch status := a.Status(); status {
	case jobs.StatusRefused:
		if e := m.around.Evidence; e != nil {
			return line(e.Message)
		}
		return line(a.Err.Error())
	case jobs.StatusLate:
		return "late: the deadline has passed; " + line(a.Err.Error())
	case jobs.StatusUndelivered:
		return "published, and " + line(a.Err.Error())
	case jobs.StatusFailed:
		return "failed: " + line(a.Err.Error())
	default:
		return "recovered: " + status + m.after()
	}
}

// after names the incidents that are over.
func (m *message) after() string {
	var all []string
	for _, e := range m.ended {
		whose := e.Date.String()
		if e.Date == m.attempt.Date {
			whose = "it"
		}
		all = append(all, whose+" was "+e.Status)
	}
	return ", after " + strings.Join(all, ", ")
}

// counts says how many users there are, against the publication before. Of a night
// that was not counted it is that publication alone.
func (m *message) counts() string {
	before := m.around.Before
	switch {
	case m.attempt.Outcome != nil && m.attempt.Outcome.Manifest != nil:
		return counted(m.attempt.Outcome.Manifest, before)
	case m.around.Evidence != nil && m.around.Evidence.Rows != nil:
		return scored(*m.around.Evidence.Rows, before)
	case before != nil:
		return fmt.Sprintf("Published last: %s with %s", before.Date, counted(before.Manifest, nil))
	}
	return ""
}

func scored(rows publish.Rows, before *publish.Published) string {
	text := gate.Count(rows.Scored) + " users scored"
	if before != nil {
		text += fmt.Sprintf(" (%s against %s)", change(rows.Scored, before.Manifest.Rows.Scored), before.Date)
	}
	return text
}

func counted(night *publish.Manifest, before *publish.Published) string {
	text := scored(night.Rows, before)
	for i, c := range night.Categories {
		text += [...]string{": ", ", "}[min(i, 1)] + c.Name + " " + gate.Count(c.Count)
		if before == nil {
			continue
		}
		for _, b := range before.Manifest.Categories {
			if b.Name == c.Name {
				text += " (" + change(c.Count, b.Count) + ")"
			}
		}
	}
	return text
}

// link leads to what there is to look at.
func (m *message) link() string {
	address := m.cfg.Publish.URL
	switch o := m.attempt.Outcome; {
	case o != nil && o.Manifest != nil:
		address += "/" + o.Manifest.Prefix() + "/" + publish.ManifestName
	case m.around.Evidence != nil:
		address += "/" + publish.RefusalPrefix(m.around.Evidence.Date, m.around.Evidence.Run)
	}
	return address
}

// change is n against before, as +2.5 %.
func change(n, before int64) string {
	if before == 0 {
		return "before none"
	}
	return fmt.Sprintf("%+.1f %%", 100*float64(n-before)/float64(before))
}

// line makes one bounded line of an error's text.
func line(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > longest {
		return string(runes[:longest]) + "..."
	}
	return string(runes)
}

// escape takes the meaning from the three characters that have one to Slack
// (https://api.slack.com/docs/message-formatting).
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

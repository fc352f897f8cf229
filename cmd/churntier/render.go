package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
)

// printSummary tells a person what a run did.
func printSummary(t *terminal, cfg *config.Config, day date.Date, out *pipeline.Outcome, seconds float64) {
	w := t.stdout
	_, _ = fmt.Fprintf(w, "%s %s: %s\n", cfg.Prediction, day, headline(out, seconds))
	if out.Message != "" {
		_, _ = fmt.Fprintf(w, "%s\n", out.Message)
	}
	if out.Manifest != nil && out.Status != pipeline.AlreadyPublished {
		_, _ = fmt.Fprintln(w)
		printManifest(w, out.Manifest)
	}
	for _, warning := range out.Warnings {
		_, _ = fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
	if out.Manifest != nil && (out.Status == pipeline.Published || out.Status == pipeline.AlreadyPublished) {
		_, _ = fmt.Fprintf(w, "\nrun %s, entry %d of its date; consumers start at %s/latest/_MANIFEST.json\n",
			out.Run, out.Seq, strings.TrimSuffix(cfg.Publish.URL, "/"))
	}
}

func headline(out *pipeline.Outcome, seconds float64) string {
	switch out.Status {
	case pipeline.Published:
		return fmt.Sprintf("published in %.1f s", seconds)
	case pipeline.AlreadyPublished:
		return "already published"
	case pipeline.Withdrawn:
		return "withdrawn, nothing was published"
	case pipeline.DryRun:
		return fmt.Sprintf("dry run in %.1f s, nothing was written", seconds)
	case pipeline.Previewed:
		return fmt.Sprintf("preview in %.1f s; it has no audience and is never targeted", seconds)
	}
	return string(out.Status)
}

// printManifest draws rows, distribution, categories, audiences and gates.
func printManifest(w io.Writer, m *publish.Manifest) {
	r := m.Rows
	_, _ = fmt.Fprintf(w, "rows  %s read = %s scored + %s rejected + %s excluded + %s duplicates + %s ineligible\n",
		gate.Count(r.Read), gate.Count(r.Scored), gate.Count(r.Rejected), gate.Count(r.Excluded), gate.Count(r.Duplicates), gate.Count(r.Ineligible))
	printReasons(w, m.RejectedReasons)
	_, _ = fmt.Fprintln(w)
	printDistribution(w, m.Distribution, namesOf(m.Categories))
	printTable(w, []string{"category", "scores", "users", "share"}, m.Categories, func(c publish.Category) []string {
		return []string{c.Name, fmt.Sprintf("%s to %s", c.From, c.To), gate.Count(c.Count), percent(c.Count, r.Scored)}
	})
	printAudiences(w, m)
	printGates(w, m.Gates)
}

// printAudiences prints the audiences, with the control arms where there are any.
func printAudiences(w io.Writer, m *publish.Manifest) {
	header, control := []string{"audience", "files", "members", "share"}, int64(0)
	for _, a := range m.Audiences {
		control += a.Control
	}
	if control > 0 {
		header = append(header, "held out")
	}
	printTable(w, header, m.Audiences, func(a publish.Audience) []string {
		cells := []string{a.Name, formats(a.Files), gate.Count(a.Members), percent(a.Members, m.Rows.Scored)}
		if control > 0 {
			cells = append(cells, gate.Count(a.Control))
		}
		return cells
	})
	if n := m.Rows.Suppressed; n > 0 {
		_, _ = fmt.Fprintf(w, "%s scored users are suppressed and in no audience\n", gate.Count(n))
	}
}

// printTable prints rows under a header, aligned to the right, after a blank line.
func printTable[T any](w io.Writer, header []string, rows []T, cells func(T) []string) {
	if len(rows) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, strings.Join(header, "\t")+"\t")
	for _, r := range rows {
		_, _ = fmt.Fprintln(table, strings.Join(cells(r), "\t")+"\t")
	}
	_ = table.Flush()
}

func printReasons(w io.Writer, reasons map[string]int64) {
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		_, _ = fmt.Fprintf(w, "      %s %s\n", gate.Count(reasons[reason]), reason)
	}
}

func printGates(w io.Writer, gates []publish.Gate) {
	if len(gates) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w, "\ngates")
	for _, g := range gates {
		_, _ = fmt.Fprintf(w, "  %-10s %-15s %s\n", g.Status, g.Name, g.Message)
	}
}

// barWidth is the length of the longest bar of a distribution.
const barWidth = 44

// printDistribution draws the 20 buckets with the category of each one's lowest
// score at the side.
func printDistribution(w io.Writer, buckets []int64, categoryAt func(bucket int) string) {
	most, total := int64(1), int64(0)
	for _, n := range buckets {
		most, total = max(most, n), total+n
	}
	_, _ = fmt.Fprintln(w, "score      users")
	last := ""
	for i, n := range slices.Backward(buckets) {
		label := categoryAt(i)
		if label == last {
			label = ""
		} else {
			last = label
		}
		line := fmt.Sprintf("%3d-%-3d %9s %6s  %-*s %s", i*5, i*5+5, gate.Count(n), percent(n, total), barWidth, bar(n, most), label)
		_, _ = fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// bar draws n on a scale on which most fills the width; a user is never invisible.
func bar(n, most int64) string {
	eighths := (n*barWidth*8 + most - 1) / most
	full := strings.Repeat("█", int(eighths/8))
	if rest := eighths % 8; rest > 0 {
		full += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return full
}

// namesOf tells which category a bucket's lowest score belongs to.
func namesOf(categories []publish.Category) func(int) string {
	return func(bucket int) string {
		for _, c := range categories {
			if int(c.From) <= bucket*500 {
				return c.Name
			}
		}
		return ""
	}
}

func formats(files []publish.File) string {
	var names []string
	for _, f := range files {
		if !slices.Contains(names, f.Format) {
			names = append(names, f.Format)
		}
	}
	return strings.Join(names, ", ")
}

func percent(n, total int64) string {
	if total == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(total))
}

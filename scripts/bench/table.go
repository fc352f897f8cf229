package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// printTable prints the medians and their ratios: churntier's over each peer's, the
// median of the rounds' ratios.
func printTable(w io.Writer, title string, all []*contender) {
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(w, "\n%s; load of the machine %s\n\n", title, strings.Join(strings.Fields(string(load))[:3], " "))
	fmt.Fprintln(w, "| | wall s | CPU s | peak MiB | wall ratio | CPU ratio | peak ratio |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|---:|")
	ours := all[0].runs
	wall, cpu, peak := func(s sample) float64 { return s.wall }, func(s sample) float64 { return s.cpu }, func(s sample) float64 { return s.peak }
	for _, c := range all {
		fmt.Fprintf(w, "| %s | %.2f (%.2f-%.2f) | %.2f (%.2f-%.2f) | %.0f | %.2f | %.2f | %.2f |\n", c.name,
			median(each(c.runs, wall)), slices.Min(each(c.runs, wall)), slices.Max(each(c.runs, wall)),
			median(each(c.runs, cpu)), slices.Min(each(c.runs, cpu)), slices.Max(each(c.runs, cpu)),
			median(each(c.runs, peak)), ratio(ours, c.runs, wall), ratio(ours, c.runs, cpu), ratio(ours, c.runs, peak))
	}
}

func each(runs []sample, of func(sample) float64) []float64 {
	all := make([]float64, len(runs))
	for i, s := range runs {
		all[i] = of(s)
	}
	return all
}

// ratio gives the median of ours over theirs, round by round.
func ratio(ours, theirs []sample, of func(sample) float64) float64 {
	all := make([]float64, len(ours))
	for i := range ours {
		all[i] = of(ours[i]) / of(theirs[i])
	}
	return median(all)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// complete is I1 and I2: a run that the log names has its manifest and every file,
// of an expired one the manifest and the distribution; and a manifest that nothing
// names has its files as well, until a fence shuts its run out or where requests
// may land late.
func (s *stores) complete(f *facts) string {
	for _, date := range slices.Sorted(maps.Keys(f.logs)) {
		for seq, e := range f.logs[date] {
			if e.Run == "" {
				continue
			}
			m, ok := f.sealed[e.Run]
			key := "runs/" + date + "/" + e.Run + "/MANIFEST.json"
			if !ok || s.digest(f.there[key]) != e.Manifest {
				return fmt.Sprintf("I1: entry %d of %s published run %s, whose manifest is not there", seq, date, e.Run)
			}
			if missing := s.missing(f, m); missing != "" {
				return fmt.Sprintf("I1: entry %d of %s published run %s, of which %s is not there", seq, date, e.Run, missing)
			}
		}
	}
	for _, run := range slices.Sorted(maps.Keys(f.sealed)) {
		m := f.sealed[run]
		if missing := s.missing(f, m); missing != "" && !s.late && !f.fenced(m.Date) {
			return fmt.Sprintf("I2: run %s has its manifest, and %s is not there", run, missing)
		}
	}
	return ""
}

func (f *facts) fenced(date string) bool {
	return slices.ContainsFunc(f.logs[date], func(e entry) bool { return e.Fence != "" })
}

// missing gives a file of the manifest that is not there as it says, or "".
func (s *stores) missing(f *facts, m manifest) string {
	for _, file := range m.files() {
		if f.expired[m.Run] && !strings.Contains(file.Key, "/distribution.") {
			continue
		}
		if content, ok := f.there[file.Key]; !ok || s.digest(content) != file.SHA256 {
			return file.Key
		}
	}
	return ""
}

// onlyOnce is I3: nobody publishes a date that has something effective, but with
// force.
func (s *stores) onlyOnce(f *facts) string {
	for _, date := range slices.Sorted(maps.Keys(f.logs)) {
		effective := false
		for seq, e := range f.logs[date] {
			if e.Run != "" && effective && !s.letters[e.Run[:letters]].force {
				return fmt.Sprintf("I3: entry %d of %s publishes it again without force", seq, date)
			}
			effective = effective || e.effective()
		}
	}
	return ""
}

// keptDates is of how many of the newest dates the effective run never expires.
const keptDates = 8

// keeps is the half of I6 that a state shows.
func (f *facts) keeps() string {
	dates := f.newest()
	for _, date := range dates[:min(keptDates, len(dates))] {
		if e, _, _ := f.effective(date); f.expired[e.shows()] {
			return fmt.Sprintf("I6: run %s expired, and is effective for %s", e.shows(), date)
		}
	}
	return ""
}

// shown is the half of I5 that a state shows: latest/ shows what an entry says, and
// a run that has not expired.
func (f *facts) shown() string {
	if f.latest == nil {
		return ""
	}
	m := f.latest
	log := f.logs[m.Date]
	switch {
	case m.Seq >= len(log) || !log[m.Seq].effective() || log[m.Seq].shows() != m.Run:
		return fmt.Sprintf("I5: latest shows entry %d of %s, run %q, which the log does not say", m.Seq, m.Date, m.Run)
	case f.expired[m.Run]:
		return fmt.Sprintf("I5: latest shows run %s, which has expired", m.Run)
	}
	return ""
}

// checkStep is what must hold from one store to the next: I4 the log only grows,
// I5 latest/ only goes forward, I6 nothing committed is deleted that has not expired.
func (s *stores) checkStep(before, after int32, r request) string {
	old, now := s.factsOf(before), s.factsOf(after)
	for _, date := range slices.Sorted(maps.Keys(old.logs)) {
		for seq, e := range old.logs[date] {
			if seq >= len(now.logs[date]) || now.logs[date][seq].content != e.content {
				return fmt.Sprintf("I4: entry %d of %s changed", seq, date)
			}
		}
	}
	if a, b := old.latest, now.latest; a != nil && (b == nil || cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Seq, b.Seq)) > 0) {
		return "I5: latest went backwards"
	}
	if part := strings.Split(r.key, "/"); r.op == remove && part[0] == "runs" && old.committed[part[2]] {
		if !old.expired[part[2]] || part[3] == "MANIFEST.json" || strings.HasPrefix(part[3], "distribution.") {
			return fmt.Sprintf("I6: %s was deleted", r.key)
		}
	}
	return ""
}

// checkTold is I8: what a process said when it ended is so, now and ever after.
func (f *facts) checkTold(g *program, r result) string {
	added := ""
	for date, log := range f.logs {
		for seq, e := range log {
			if e.by(g) {
				added = fmt.Sprintf("entry %d of %s", seq, date)
			}
		}
	}
	switch {
	case g.kind == cleanUp || strings.HasPrefix(r.told, unknown):
		return ""
	case r.told == not && added != "":
		return fmt.Sprintf("I8: %s said that nothing took effect, and added %s", g.title, added)
	case strings.HasPrefix(r.told, did) && !f.says(r):
		return fmt.Sprintf("I8: %s said %s, which the log does not say", g.title, r)
	}
	return ""
}

// by says whether the program added e; a clean-up adds nothing that counts.
func (e entry) by(g *program) bool {
	return strings.HasPrefix(e.Run, g.letter) || e.Reason == g.letter && g.kind == operator
}

// says tells whether the log of r's date has what r says.
func (f *facts) says(r result) bool {
	log := f.logs[r.date]
	return r.seq < len(log) && log[r.seq].effective() && (r.run == "" || log[r.seq].shows() == r.run)
}

// converged is what I7 wants after a clean rerun for a date: it is decided, and
// latest/ shows the effective entry of the newest date.
func (f *facts) converged(date string) string {
	_, _, decided := f.effective(date)
	dates := f.newest()
	if !decided {
		return fmt.Sprintf("nothing is effective for %s", date)
	}
	e, seq, _ := f.effective(dates[0])
	if f.latest == nil || f.latest.Date != dates[0] || f.latest.Seq != seq || f.latest.Run != e.shows() {
		return fmt.Sprintf("latest does not show entry %d of %s", seq, dates[0])
	}
	return ""
}

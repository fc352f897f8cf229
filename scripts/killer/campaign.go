//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"
)

// campaign kills runs in one place after another until it has killed enough.
type campaign struct {
	lab     *lab
	newHome func() place // a fresh place at every call
	random  *rand.Rand
	counts  [stages]int // operations of each stage, as seen in undisturbed processes

	kills      [stages]int
	inARow     int // kills since the last clean run
	rounds     int
	cleanRuns  int
	places     int
	processes  int
	ends       map[string]int // of the processes that were not killed, by what they said
	violations []violation
}

func newCampaign(l *lab, newHome func() place, seed uint64) *campaign {
	return &campaign{lab: l, newHome: newHome, random: rand.New(rand.NewPCG(seed, 0)), ends: map[string]int{}}
}

func (c *campaign) killed() int {
	n := 0
	for _, k := range c.kills {
		n += k
	}
	return n
}

// run kills at least so many processes, a twentieth of them in each stage, and
// leaves every place clean.
func (c *campaign) run(kills int) error {
	if err := c.measure(); err != nil {
		return err
	}
	for c.killed() < kills || len(c.scarce()) > 0 && c.killed() < 2*kills {
		h := &home{campaign: c, place: c.newHome(), auditor: newAuditor(c.lab.references)}
		c.places++
		if err := h.live(kills); err != nil {
			return err
		}
		c.violations = append(c.violations, h.found...)
	}
	return nil
}

// measure counts the operations of an undisturbed run and of a clean-up.
func (c *campaign) measure() error {
	p := c.newHome()
	for _, j := range []job{{date: dates[0]}, {date: dates[0], force: true}, {prune: true}} {
		s, err := c.lab.start(p, j, plan{})
		if err != nil {
			return err
		}
		s.wait()
		if s.exit() != 0 {
			return fmt.Errorf("%v: exit %d: %s", s.cmd, s.exit(), s.stderr.String())
		}
		for at, n := range s.counts {
			c.counts[at] = max(c.counts[at], n)
		}
	}
	c.counts[cleanUp] = max(c.counts[cleanUp], 40) // there was nothing to clean
	return nil
}

// moment chooses when to kill: mostly in the stages of which there are few kills,
// at any operation of the stage.
func (c *campaign) moment(among []stage) *target {
	at := slices.MinFunc(among, func(a, b stage) int { return c.kills[a] - c.kills[b] })
	if c.random.IntN(2) == 0 {
		at = among[c.random.IntN(len(among))]
	}
	return &target{at, c.random.IntN(max(1, c.counts[at]))}
}

// home is one place that is lived in: its nights are published, with kills.
type home struct {
	*campaign
	*auditor
	place place
}

func (h *home) live(kills int) error {
	for i := range dates {
		for range 4 + h.random.IntN(6) {
			d := dates[i]
			if h.random.IntN(6) == 0 {
				d = dates[h.random.IntN(i+1)] // an earlier night again
			}
			round := h.round
			if h.random.IntN(5) == 0 {
				round = h.overtake
			}
			if err := round(d); err != nil {
				return err
			}
			if h.inARow < 6 && h.random.IntN(3) > 0 {
				continue
			}
			if err := h.cleanRun(d); err != nil {
				return err
			}
		}
		if h.killed() >= kills {
			break
		}
	}
	return h.leave()
}

// round starts two runs of a night at once, and sometimes a clean-up beside them,
// kills some, and looks at what is there.
func (h *home) round(d string) error {
	h.rounds++
	_, published := h.effective(d)
	first := job{date: d, variant: h.random.IntN(variants), force: published && h.random.IntN(5) > 0}
	second := first
	if h.random.IntN(2) == 0 {
		second.variant = h.random.IntN(variants)
		second.force = h.random.IntN(2) == 0
	}
	all := []job{first, second}
	if h.random.IntN(3) == 0 || slices.Contains(h.scarce(), cleanUp) {
		all = append(all, job{prune: true})
	}
	processes, err := h.startAll(all, published)
	for _, s := range processes {
		s.wait()
	}
	if err != nil {
		return err
	}
	for _, s := range processes {
		h.learn(s, len(all) > 2, first.variant != second.variant)
	}
	return h.look(h.audit)
}

// overtake holds a run before its commit until a clean-up has passed it, killed or
// not, and then lets it go on. The clean-up has deleted its shards by then, or died
// while it did.
func (h *home) overtake(d string) error {
	h.rounds++
	_, published := h.effective(d)
	behind := plan{signal: syscall.SIGKILL, pause: &pause{make(chan struct{}), make(chan struct{})}}
	if h.random.IntN(2) == 0 {
		behind.target = h.moment([]stage{commit, projects})
	}
	run, err := h.lab.start(h.place, job{date: d, variant: h.random.IntN(variants), force: published}, behind)
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() { run.wait(); close(gone) }()
	select {
	case <-behind.pause.reached:
	case <-gone:
	}
	ahead := plan{signal: syscall.SIGKILL}
	if h.random.IntN(2) == 0 {
		ahead.target = h.moment([]stage{cleanUp})
	}
	clean, err := h.lab.start(h.place, job{prune: true}, ahead)
	if err == nil {
		clean.wait()
	}
	close(behind.pause.over)
	<-gone
	if err != nil {
		return err
	}
	h.learn(clean, false, false)
	h.learn(run, true, false)
	return h.look(h.audit)
}

func (h *home) startAll(jobs []job, published bool) ([]*process, error) {
	var all []*process
	for i, j := range jobs {
		time.Sleep(time.Duration(i*h.random.IntN(40)) * time.Millisecond) // meet in any stages
		var at *target
		switch {
		case j.prune && h.random.IntN(3) > 0:
			at = h.moment([]stage{cleanUp})
		case !j.prune && published && !j.force:
			at = h.moment([]stage{admit, projects})
		case !j.prune && (i == 0 || h.random.IntN(2) == 0):
			at = h.moment([]stage{admit, staging, gates, seal, commit, projects})
		}
		s, err := h.lab.start(h.place, j, plan{target: at, signal: syscall.SIGKILL})
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
	return all, nil
}

// learn notes what a process did and what it said. Another may have cleaned up
// beside it, or have published other inputs.
func (h *home) learn(s *process, cleaned, contested bool) {
	h.processes++
	for _, run := range s.trace.runs {
		h.jobs[run] = s.job
	}
	if s.killed() {
		h.kills[s.target.stage]++
		h.inARow++
		return
	}
	a, err := s.said()
	if err != nil {
		h.report(other, "%v", err)
		return
	}
	h.ends[a.name(s)]++
	excused := s.exit() == 5 && contested || s.exit() == 1 && cleaned && !s.prune
	if s.exit() != 0 && !excused {
		h.report(other, "%v: exit %d: %s", s.cmd, s.exit(), s.stdout.String())
	}
	if a.Seq != nil {
		h.promise(entryKey(s.date, *a.Seq), a.Run)
	}
	if a.Status != "published" {
		for _, run := range s.trace.runs {
			h.denied[run] = s.stdout.String()
		}
	}
}

func (h *home) look(audit func(map[string][]byte)) error {
	objects, err := h.place.objects()
	if err == nil {
		audit(objects)
	}
	return err
}

// cleanRun runs a night once more, undisturbed, which must publish it or find it
// published, and leave all as it must be.
func (h *home) cleanRun(d string) error {
	h.cleanRuns++
	h.inARow = 0
	s, err := h.lab.start(h.place, job{date: d, variant: h.random.IntN(variants)}, plan{})
	if err != nil {
		return err
	}
	s.wait()
	h.learn(s, false, false)
	return h.look(h.auditRest)
}

// leave makes a last clean run of the newest night and cleans up.
func (h *home) leave() error {
	if err := h.cleanRun(dates[len(dates)-1]); err != nil {
		return err
	}
	for _, args := range [][]string{{"verify", "--quiet"}, {"prune", "--older-than", "0s"}, {"verify", "--quiet"}} {
		if err := h.lab.command(h.place, args...); err != nil {
			h.report(other, "%v", err)
		}
	}
	return h.look(h.auditSwept)
}

// print writes the kills of every stage and what was found.
func (c *campaign) print(w io.Writer) {
	total := c.killed()
	_, _ = fmt.Fprintf(w, "| stage | kills | share |\n|---|---:|---:|\n")
	for at, n := range c.kills {
		_, _ = fmt.Fprintf(w, "| %s | %d | %.1f %% |\n", stage(at), n, 100*float64(n)/float64(max(1, total)))
	}
	of := map[kind]int{}
	for _, v := range c.violations {
		of[v.kind]++
	}
	_, _ = fmt.Fprintf(w, "\n%d kills of %d processes in %d rounds and %d places, %d clean runs: %d torn, %d lost, %d double, %d other\n",
		total, c.processes, c.rounds, c.places, c.cleanRuns, of[torn], of[lost], of[double], of[other])
	for _, end := range slices.Sorted(maps.Keys(c.ends)) {
		_, _ = fmt.Fprintf(w, "%d ended by themselves: %s\n", c.ends[end], end)
	}
	for _, v := range c.violations {
		_, _ = fmt.Fprintf(w, "%s: %s\n", v.kind, v.text)
	}
}

// scarce gives the stages that have less than a twentieth of the kills.
func (c *campaign) scarce() []stage {
	var few []stage
	for at, n := range c.kills {
		if 20*n < c.killed() {
			few = append(few, stage(at))
		}
	}
	return few
}

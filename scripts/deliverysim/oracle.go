package main

import (
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
)

// place is a user in an audience.
type place struct{ audience, user string }

// oracle knows what a tool was told, from the files that were claimed for it alone.
type oracle struct {
	*tool
	told       map[place]standing // before the newest delivery
	proposed   map[place]standing // after it, where its files were put
	carriers   map[place]string   // staged key of the file that spoke of a place
	closing    map[string]string  // by series: the key of its last file, which alone tells of leavers without a row
	deliveries []*sending
	claimed    map[string]bool // staged keys that somebody has put, or may have
	unsure     int

	seen   int            // puts looked at
	names  map[string]int // puts by name
	passed map[string]bool
}

func newOracle(t *tool) *oracle {
	return &oracle{
		tool: t, told: map[place]standing{}, claimed: map[string]bool{}, names: map[string]int{}, passed: map[string]bool{},
	}
}

func (o *oracle) last() *sending {
	if len(o.deliveries) == 0 {
		return nil
	}
	return o.deliveries[len(o.deliveries)-1]
}

// look takes note of what happened since it looked last, when nobody is at work.
func (o *oracle) look() {
	read, err := o.readLog()
	if err != nil {
		o.violate(1, wrongLog, "%s: %v", o.name, err)
		return
	}
	for _, s := range read {
		if !s.Again() {
			o.settle()
			o.expect(s)
		}
		o.deliveries = append(o.deliveries, s)
		o.report.deliveries++
	}
	o.readFates()
	o.checkPuts()
	o.checkUncertain()
}

// settle decides what the tool knows after the newest delivery: what was in files
// that nobody put is as it was before. Of leavers without a row the last file tells,
// or would have told.
func (o *oracle) settle() {
	for at, next := range o.proposed {
		key := o.carriers[o.series(at)]
		if key == "" && !next.in && o.told[at].in {
			key = o.closing[o.series(at).audience]
		}
		if key == "" || o.claimed[key] {
			next.unsaid = key == "" && next.in && o.gaveUp(o.series(at).audience)
			o.told[at] = next
		}
	}
}

// gaveUp says whether a file of the series was given up in the newest delivery.
func (o *oracle) gaveUp(series string) bool {
	return slices.ContainsFunc(o.last().Files, func(f *sentFile) bool { return f.Audience == series && !o.claimed[f.Key] })
}

// expect says what the delivery s has to send, and holds it against what it sends.
func (o *oracle) expect(s *sending) {
	p := o.runs[s.Run]
	o.decideUnsaid(s)
	o.proposed = o.after(p, s.Date)
	kind := o.kindOf(s)
	if s.Kind != string(kind) {
		o.violate(1, wrongLog, "%s: delivery %d is %s, expected %s", o.name, s.N, s.Kind, kind)
	}
	if kind == delivery.Correction {
		o.report.corrections++
	}
	changes, counts := o.changes()
	if counts != s.Counts || sum(s.Reasons) != counts.Left ||
		counts.Previous+counts.Entered-counts.Left != counts.Now || counts.Entered+counts.Stayed+counts.Moved != counts.Now {
		o.violate(1, wrongCounts, "%s: delivery %d of %s counts %+v, reasons %v, expected %+v", o.name, s.N, s.Date, s.Counts, s.Reasons, counts)
	}
	o.compare(s, o.rows(kind, changes, s.Date))
}

func sum(reasons map[string]int64) (n int64) {
	for _, v := range reasons {
		n += v
	}
	return n
}

// kindOf says what a delivery has to be: whole when it is the first, when nothing else
// was asked for, and every so often; a correction when its date was delivered.
func (o *oracle) kindOf(s *sending) delivery.Kind {
	last := o.last()
	every := o.config.fullEvery
	switch {
	case last != nil && last.Date == s.Date:
		return delivery.Correction
	case last == nil || !o.config.changes || every > 0 && s.N%every == 0:
		return delivery.Full
	}
	return delivery.Changes
}

// decideUnsaid lets s say whether a date counted for those of whom no row told, beside
// a file of it that was given up: it may, and it may not.
func (o *oracle) decideUnsaid(s *sending) {
	for _, f := range s.Files {
		for _, row := range f.sent {
			for at, before := range o.told {
				if before.unsaid && row.day != "" && o.series(at) == (place{f.Audience, row.user}) {
					before.last = date.Date{}
					o.told[at] = before
				}
			}
		}
	}
}

// after gives every standing after a delivery of p, nil where the date is withdrawn.
func (o *oracle) after(p *publication, d date.Date) map[place]standing {
	next := map[place]standing{}
	for at, s := range o.told {
		next[at] = s.after(o.config.cadence, false, d)
	}
	if p == nil {
		return next
	}
	spoken := map[place]value{}
	for _, name := range o.config.audiences {
		for id, u := range p.members[name] {
			at := place{name, id}
			s := o.told[at].after(o.config.cadence, true, d)
			if s.in {
				by := o.series(at)
				if _, found := spoken[by]; !found {
					spoken[by] = o.valueOf(u, s.day)
				}
				s.value = spoken[by]
			}
			next[at] = s
		}
	}
	return next
}

func (o *oracle) merged() bool { return o.config.destination().Merged }

// series gives the place that a row speaks of: that of the user in all audiences
// where one row speaks for them.
func (o *oracle) series(at place) place {
	if o.merged() {
		at.audience = ""
	}
	return at
}

// valueOf is everything that is sent of a user.
func (o *oracle) valueOf(u user, day int) value {
	if o.lists() {
		return value{day: day}
	}
	v := value{plan: u.plan, day: day}
	if o.config.points {
		v.points = u.points
	}
	if o.merged() {
		v.of = strings.Join(o.config.audiences, ",")
	}
	return v
}

// changes says what changed of every place, and counts users.
func (o *oracle) changes() (map[place]delivery.Change, delivery.Counts) {
	was, is, turned := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for at, next := range o.proposed {
		before := o.told[at]
		was[at.user] = was[at.user] || before.in
		is[at.user] = is[at.user] || next.in
		turned[at.user] = turned[at.user] || before.in != next.in
	}
	all := map[place]delivery.Change{}
	for at, next := range o.proposed {
		before := o.told[at]
		switch {
		case next.in && !before.in && was[at.user]:
			all[at] = delivery.Moved
		case next.in && !before.in:
			all[at] = delivery.Entered
		case next.in && next.value != before.value:
			all[at] = delivery.Updated
		case next.in:
			all[at] = delivery.Stayed
		case before.in:
			all[at] = delivery.Left
		}
	}
	return all, countsOf(was, is, turned)
}

func countsOf(was, is, turned map[string]bool) (c delivery.Counts) {
	for u := range was {
		switch {
		case was[u] && is[u] && turned[u]:
			c.Moved++
		case was[u] && is[u]:
			c.Stayed++
		case was[u]:
			c.Left++
		case is[u]:
			c.Entered++
		}
	}
	c.Previous, c.Now = c.Left+c.Moved+c.Stayed, c.Entered+c.Moved+c.Stayed
	return c
}

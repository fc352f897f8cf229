package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
)

// rows says what has to be sent of every place.
func (o *oracle) rows(kind delivery.Kind, changes map[place]delivery.Change, d date.Date) map[place]sent {
	switch {
	case o.merged():
		return o.mergedRows(kind, changes, d)
	case o.lists():
		return o.listedRows(kind, changes, d)
	}
	all := map[place]sent{}
	for at, change := range changes {
		next := o.proposed[at]
		row := sent{user: at.user, night: d.String()}
		switch {
		case change == delivery.Left && (!o.config.changes || kind == delivery.Full):
			continue
		case change != delivery.Left && o.config.changes && kind != delivery.Full && change == delivery.Stayed:
			continue
		case change != delivery.Left && !o.config.changes && o.told[at].last == d: // has its message of tonight
			continue
		}
		if o.config.changes {
			row.change = string(change)
		}
		if change != delivery.Left {
			row.say(next.value)
		}
		all[at] = row
	}
	return all
}

func (s *sent) say(v value) {
	s.plan, s.points = v.plan, v.points
	if v.day > 0 {
		s.day = fmt.Sprint(v.day)
	}
}

// mergedRows says what has to be sent of every user where one row speaks for all
// audiences: the first that the user is in gives the values, and nothing is left of
// who is in none.
func (o *oracle) mergedRows(kind delivery.Kind, changes map[place]delivery.Change, d date.Date) map[place]sent {
	turned := map[string]bool{}
	all := map[place]sent{}
	for at, change := range changes {
		turned[at.user] = turned[at.user] || change == delivery.Moved || change == delivery.Left
		if change == delivery.Left {
			all[o.series(at)] = sent{user: at.user}
		}
	}
	for user, moved := range turned {
		in := slices.DeleteFunc(slices.Clone(o.config.audiences), func(name string) bool { return !o.proposed[place{name, user}].in })
		if len(in) == 0 {
			continue
		}
		by := place{in[0], user}
		change := changes[by]
		if moved && change != delivery.Entered {
			change = delivery.Moved
		}
		if kind != delivery.Full && change == delivery.Stayed {
			continue
		}
		row := sent{user: user, of: strings.Join(in, ","), change: string(change), night: d.String()}
		row.say(o.proposed[by].value)
		all[o.series(by)] = row
	}
	return all
}

// listedRows says whom to add to every list, and whom to remove from it: nobody from one
// that is written anew, unless it is of nobody and cannot be written.
func (o *oracle) listedRows(kind delivery.Kind, changes map[place]delivery.Change, d date.Date) map[place]sent {
	anew := map[string]bool{}
	for at, change := range changes {
		anew[at.audience] = anew[at.audience] || kind == delivery.Full && change != delivery.Left
	}
	all := map[place]sent{}
	for at, change := range changes {
		row := sent{user: at.user, night: d.String()}
		switch {
		case change == delivery.Left && anew[at.audience], change == delivery.Stayed && kind != delivery.Full:
			continue
		case change == delivery.Left:
			row.change = string(delivery.Left)
		}
		all[at] = row
	}
	return all
}

// compare holds the rows of all files of s against those expected.
func (o *oracle) compare(s *sending, want map[place]sent) {
	o.carriers, o.closing = map[place]string{}, map[string]string{}
	got := map[place]sent{}
	for _, f := range s.Files {
		for _, row := range f.sent {
			at := place{f.Audience, row.user}
			if _, twice := got[at]; twice {
				o.violate(1, wrongRows, "%s: delivery %d of %s has %v twice", o.name, s.N, s.Date, at)
			}
			got[at], o.carriers[at] = row, f.Key
		}
		o.closing[f.Audience] = f.Key
	}
	wrong := map[place]bool{}
	for at := range got {
		wrong[at] = got[at] != want[at]
	}
	for at := range want {
		wrong[at] = got[at] != want[at]
	}
	maps.DeleteFunc(wrong, func(_ place, is bool) bool { return !is })
	for at := range wrong {
		o.violate(len(wrong), wrongRows, "%s: delivery %d of %s sends %+v of %v, expected %+v; before %+v, after %+v, selected %v",
			o.name, s.N, s.Date, got[at], at, want[at], o.told[at], o.proposed[at], o.selected(s, at))
		break
	}
}

func (o *oracle) selected(s *sending, at place) bool {
	p := o.runs[s.Run]
	if p == nil || !slices.Contains(o.config.audiences, at.audience) {
		return false
	}
	_, selected := p.members[at.audience][at.user]
	return selected
}

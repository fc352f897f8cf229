package delivery

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/date"
)

// Change says what a delivery tells of a user in one audience.
type Change string

// The changes. A user who leaves one audience for another one moves.
const (
	Entered Change = "entered"
	Moved   Change = "moved"
	Updated Change = "updated" // stayed, with other values
	Stayed  Change = "stayed"
	Left    Change = "left"
)

// merge holds the members now against those of the delivery before, user by user in
// the order of keys.
type merge struct {
	date    date.Date
	cadence *Cadence
	sources []*source
	whole   bool     // see builder
	layered bool     // the new state is a layer over the one before
	silent  bool     // nothing is sent of who stayed
	place   int64    // of the next leaver: after those of all rows
	one     []string // where one row a user speaks for all audiences: these, in their order

	broken func(place int64) bool                        // whether the tool would not take a row
	keep   func(standing) error                          // takes every standing that is to be kept
	kept   func(row *selected, before *stateLayer) error // takes that of who stayed
	mark   func(row *selected, m mark)                   // says what is to be sent of a row
	left   func(leaving) error                           // takes everyone who is to be told of as a leaver
	users  int64                                         // of rows
	Counts
}

// bit is that of an audience in mark.audiences.
func (m *merge) bit(audience string) uint16 {
	if at := slices.Index(m.one, audience); at >= 0 {
		return 1 << at
	}
	return 0
}

// run merges the users of a partition, who come after those before and before those
// of the state that are not read yet.
func (m *merge) run(p *part, before *stateReader) error {
	u := &user{merge: m}
	return p.eachUser(func(rows []selected) error {
		first := &rows[0]
		known, err := u.gone(before, first)
		if err != nil {
			return err
		}
		m.users++
		if known && m.stays(rows, before) {
			return m.stay(first, before)
		}
		u.Hash, u.ID, u.now = first.hash, string(first.id), rows
		return u.end(before)
	})
}

// finish merges the users of the state who come after all rows.
func (m *merge) finish(before *stateReader) error {
	u := &user{merge: m}
	_, err := u.gone(before, nil)
	return err
}

// stays says whether the user at hand of the state, whose rows now are these, was and is
// in one audience, or its control arm, known by the same identity, and no more is to be
// said of that than stay does.
func (m *merge) stays(now []selected, before *stateReader) bool {
	if m.cadence != nil || before.lost != nil || len(now) > 1 || !before.alone() {
		return false
	}
	row, old, at := &now[0], &before.top.rows, before.top.row
	from := m.sources[row.source]
	return old.in.Value(at) && old.control.Value(at) == from.control &&
		old.audience.at(at) == from.audience && old.identity.at(at) == string(row.identity) && !m.broken(row.place)
}

// stay does what decide, tell and count do with such a user, without a standing made of
// the row of the state: that is nearly everyone where there is no cadence.
func (m *merge) stay(row *selected, before *stateReader) error {
	layer, from := before.top, m.sources[row.source]
	change := Stayed
	if layer.payload() != row.was {
		change = Updated
	}
	var err error
	if change == Updated || !m.layered {
		err = m.kept(row, layer)
	}
	if !from.control {
		m.Previous++
		m.Now++
		m.Stayed++
		if m.whole && layer.outline().last == arrow.Date32(m.date.Days()) {
			change = ""
		}
		if change != Stayed || !m.silent || len(row.identity) > 0 {
			m.mark(row, markOf(change, 0, m.bit(from.audience)))
		}
	}
	before.skip()
	return err
}

// user is all that is known of one user.
type user struct {
	*merge
	Hash   uint64
	ID     string
	before []standing
	now    []selected
	steps  []step // reused
}

// gone decides about the users of the state who come before a row, nil for all. It says
// whether the next one is the row's.
func (u *user) gone(before *stateReader, row *selected) (bool, error) {
	for {
		there, err := before.more()
		if !there || err != nil {
			return false, err
		}
		if row != nil {
			if order := before.compareUser(row.hash, row.id); order >= 0 {
				return order == 0, nil
			}
		}
		u.Hash, u.ID, u.now = before.top.hash(), string(before.top.id()), nil
		if err := u.end(before); err != nil {
			return false, err
		}
	}
}

// end reads the standings of the user, and decides about them.
func (u *user) end(before *stateReader) error {
	u.before = u.before[:0]
	for {
		there, err := before.more()
		if err != nil {
			return err
		}
		if !there || before.compareUser(u.Hash, []byte(u.ID)) != 0 {
			break
		}
		s, err := before.next()
		if err != nil {
			return err
		}
		u.before = append(u.before, s)
	}
	next := u.next()
	was, is := u.tell(next)
	u.count(was, is, next)
	if err := u.leave(next, is); err != nil {
		return err
	}
	for i := range next {
		n := &next[i]
		if u.needless(n) {
			continue
		}
		if err := u.keep(n.standing); err != nil {
			return err
		}
	}
	return nil
}

// needless says whether the state needs no row of a standing: in a layer, as the ones
// below say the same.
func (u *user) needless(s *step) bool {
	if !u.layered {
		return s.Now.forgotten(u.date) && s.Before.forgotten(u.date)
	}
	before := s.Before
	if before.In {
		before.Last = u.date
	}
	return s.Now == before
}

// leave tells of the audiences that the user left, each with a place of its own, and
// of what the tool knew the user by and knows no more. Where one row speaks for all
// audiences it is one place; is says whether the user is a member of another one. A
// control arm that was left has a place, and is not told of.
func (u *user) leave(steps []step, is bool) error {
	told := int64(-1) // the place of the first that is told of
	for i := range steps {
		s := &steps[i]
		left := s.change == Left
		renamed := s.Before.In && s.Now.In && s.Before.Identity != s.Now.Identity
		if s.Control && left {
			s.Place = u.place
			u.place++
		}
		if s.Control || !left && !renamed {
			continue
		}
		if u.one != nil && told >= 0 && !is {
			s.Place = told
		}
		if u.one != nil && (told >= 0 || left && is) {
			continue
		}
		v := leaving{
			ID: s.ID, Audience: s.Audience, Identity: s.Before.Identity, Place: u.place,
			Moved: is || told >= 0, Elsewhere: u.in(false), HeldOut: u.in(true), Why: s.why(u.merge),
		}
		u.place++
		if left {
			s.Place = v.Place
		}
		if err := u.left(v); err != nil {
			return err
		}
		told = v.Place
	}
	return nil
}

// in tells whether the publication has the user in any audience, or control arm.
func (u *user) in(control bool) bool {
	return slices.ContainsFunc(u.now, func(s selected) bool { return u.sources[s.source].control == control })
}

// step is a standing of a user and how it changed.
type step struct {
	standing
	row    *selected // nil when the publication does not have the user there
	change Change    // "" when the user was and is out
}

// next gives the standings after this delivery, in the order of keys, valid until the
// next user.
func (u *user) next() []step {
	steps := u.steps[:0]
	for _, b := range u.before {
		steps = append(steps, step{standing: b})
	}
	for i := range u.now {
		s := &u.now[i]
		from := u.sources[s.source]
		k := key{u.Hash, u.ID, from.audience, from.control}
		at := 0
		for at < len(steps) && steps[at].key.compare(k) < 0 {
			at++
		}
		if at == len(steps) || steps[at].key != k {
			steps = append(steps, step{})
			copy(steps[at+1:], steps[at:])
			steps[at] = step{standing: standing{key: k}}
		}
		steps[at].row = s
	}
	for i := range steps {
		u.decide(&steps[i])
	}
	u.steps = steps
	return steps
}

// decide says whether the user is in one audience after this delivery.
func (u *user) decide(s *step) {
	s.Before, s.Place = s.Now, -1
	s.Now = u.cadence.next(s.Before, s.row != nil && !u.broken(s.row.place), u.date)
	switch {
	case s.Now.In && !s.Before.In:
		s.change = Entered
	case !s.Now.In && s.Before.In:
		s.change = Left
	case s.Now.In:
		s.change = Stayed
	}
	if !s.Now.In {
		s.Now.Identity = ""
	}
}

// why gives the reason of a leaver where it is known here.
func (s *step) why(m *merge) Reason {
	switch {
	case s.row == nil:
		return ""
	case s.Now.In:
		return Renamed
	case m.broken(s.row.place):
		return Rejected
	}
	return CadenceEnd
}

// speaker gives the step whose row speaks of a step: its own, or that of the first
// audience that the user is in where one row speaks for all.
func (u *user) speaker(steps []step, s *step) *step {
	for _, name := range u.one {
		for i := range steps {
			if o := &steps[i]; !s.Control && !o.Control && o.Now.In && o.Audience == name {
				return o
			}
		}
	}
	return s
}

// tell marks the rows of the user's audiences, and says whether the user was and is
// a member anywhere.
func (u *user) tell(steps []step) (was, is bool) {
	for _, s := range steps {
		if !s.Control {
			was, is = was || s.Before.In, is || s.Now.In
		}
	}
	for i := range steps {
		s := &steps[i]
		by := u.speaker(steps, s)
		if by.Now.In {
			s.Place = by.row.place
		}
		if s.Now.In {
			s.Now.Identity, s.Now.Payload = string(by.row.identity), by.row.payload+uint64(by.Now.Day)
		}
		if s.change == Stayed {
			s.Before.Payload = by.row.renewed(s.Before.Payload)
		}
		if s.change == Stayed && (s.Now.Payload != s.Before.Payload || s.Now.Identity != s.Before.Identity) {
			s.change = Updated
		}
		if s.change == Entered && was {
			s.change = Moved
		}
	}
	u.say(steps)
	return was, is
}

// say marks the rows that speak.
func (u *user) say(steps []step) {
	var audiences uint16
	moved := false
	for _, s := range steps {
		if s.Control {
			continue
		}
		moved = moved || u.one != nil && (s.change == Moved || s.change == Left)
		if s.Now.In {
			audiences |= u.bit(s.Audience)
		}
	}
	for i := range steps {
		s := &steps[i]
		if s.Control || !s.Now.In || u.speaker(steps, s) != s {
			continue
		}
		change := s.change
		switch {
		case u.whole && s.Before.Last == u.date:
			change = ""
		case moved && change != Entered:
			change = Moved
		}
		u.mark(s.row, markOf(change, s.Now.Day, audiences))
	}
}

package delivery

import (
	"context"
	"errors"
	"io"

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

// Counts are of users, each counted once whatever the number of audiences:
// Previous + Entered - Left = Now, and Entered + Stayed + Moved = Now.
type Counts struct {
	Previous int64 `json:"previous"`
	Entered  int64 `json:"entered"`
	Left     int64 `json:"left"`
	Moved    int64 `json:"moved"`
	Stayed   int64 `json:"stayed"`
	Now      int64 `json:"now"`
}

// merge holds the members now against those of the delivery before, user by user in
// the order of keys.
type merge struct {
	date    date.Date
	cadence *Cadence
	sources []*source
	place   int64 // of the next leaver: after those of all rows

	keep func(standing) error                         // takes every standing that is to be kept
	mark func(place int64, c Change, day int)         // says what is to be sent of a row
	left func(s standing, moved, selected bool) error // takes every leaver of an audience
	Counts
}

// run merges.
func (m *merge) run(ctx context.Context, now *gathering, before *stateReader) error {
	u := &user{merge: m}
	old, err := before.next()
	err = noEnd(err, &old)
	if err != nil {
		return err
	}
	// olderThan takes the standings of users that come before the key.
	olderThan := func(k *key) error {
		for old.ID != "" && (k == nil || old.key.compareUser(*k) < 0) {
			if err := u.begin(old.key); err != nil {
				return err
			}
			u.before = append(u.before, old)
			next, err := before.next()
			if err := noEnd(err, &next); err != nil {
				return err
			}
			old = next
		}
		return nil
	}
	err = now.each(ctx, func(s selected) error {
		k := key{Hash: s.hash, ID: s.id}
		if err := olderThan(&k); err != nil {
			return err
		}
		if err := u.begin(k); err != nil {
			return err
		}
		for old.ID != "" && old.key.compareUser(k) == 0 {
			u.before = append(u.before, old)
			next, err := before.next()
			if err := noEnd(err, &next); err != nil {
				return err
			}
			old = next
		}
		u.now = append(u.now, s)
		return nil
	})
	if err == nil {
		err = olderThan(nil)
	}
	if err == nil {
		err = u.end()
	}
	return err
}

// noEnd makes the end a standing without an id.
func noEnd(err error, s *standing) error {
	if errors.Is(err, io.EOF) {
		*s = standing{}
		return nil
	}
	return err
}

// compareUser orders keys by the user alone.
func (k key) compareUser(o key) int {
	k.Audience, k.Control, o.Audience, o.Control = "", false, "", false
	return k.compare(o)
}

// user is all that is known of one user.
type user struct {
	*merge
	key    key
	before []standing
	now    []selected
}

// begin goes on to the user of a key, and ends the one before.
func (u *user) begin(k key) error {
	if u.key.ID == k.ID && u.key.Hash == k.Hash {
		return nil
	}
	if err := u.end(); err != nil {
		return err
	}
	u.key = k
	return nil
}

// end decides about the user.
func (u *user) end() error {
	if u.key.ID == "" {
		return nil
	}
	next := u.next()
	was, is := u.tell(next)
	u.count(was, is, next)
	for i := range next {
		n := &next[i]
		if n.change == Left && !n.Control {
			n.Place = u.place
			u.place++
			if err := u.left(n.standing, is, n.row != nil); err != nil {
				return err
			}
		}
		if n.Now.forgotten() && n.Before.forgotten() {
			continue
		}
		if err := u.keep(n.standing); err != nil {
			return err
		}
	}
	u.before, u.now = u.before[:0], u.now[:0]
	return nil
}

// step is a standing of a user and how it changed.
type step struct {
	standing
	row    *selected // nil when the publication does not have the user there
	change Change    // "" when the user was and is out
}

// next gives the standings after this delivery, in the order of keys.
func (u *user) next() []step {
	var steps []step
	for _, b := range u.before {
		steps = append(steps, step{standing: b})
	}
	for i := range u.now {
		s := &u.now[i]
		from := u.sources[s.source]
		k := key{u.key.Hash, u.key.ID, from.audience, from.control}
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
	return steps
}

// decide gives one standing after this delivery.
func (u *user) decide(s *step) {
	s.Before, s.Place = s.Now, -1
	s.Now = u.cadence.next(s.Before, s.row != nil, u.date)
	switch {
	case s.Now.In && !s.Before.In:
		s.change = Entered
	case !s.Now.In && s.Before.In:
		s.change = Left
	case s.Now.In:
		s.change = Stayed
	}
	if s.Now.In {
		s.Now.Payload = s.row.payload + uint64(s.Now.Day)
		if s.change == Stayed && s.Now.Payload != s.Before.Payload {
			s.change = Updated
		}
		s.Place = s.row.place
	}
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
		if s.change == Entered && was {
			s.change = Moved
		}
		if s.Now.In && !s.Control {
			u.mark(s.row.place, s.change, s.Now.Day)
		}
	}
	return was, is
}

// count counts the user once.
func (u *user) count(was, is bool, steps []step) {
	add := func(n *int64, yes bool) {
		if yes {
			*n++
		}
	}
	moved := false
	for _, s := range steps {
		moved = moved || !s.Control && was && is && (s.change == Moved || s.change == Left)
	}
	add(&u.Previous, was)
	add(&u.Now, is)
	add(&u.Entered, is && !was)
	add(&u.Left, was && !is)
	add(&u.Moved, moved)
	add(&u.Stayed, was && is && !moved)
}

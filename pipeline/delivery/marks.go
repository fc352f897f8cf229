package delivery

import "slices"

// mark is what is to be sent of one row.
type mark struct {
	change    uint8 // index into changes, from 1; 0 for nothing
	day       uint16
	audiences uint16 // of the user, as bits, where one row speaks for all of them
}

// marks are those of all rows by place. Several workers may set those of their rows.
type marks struct {
	change         []uint8
	day, audiences []uint16 // nil where every one is 0
}

func newMarks(rows int64, cadence, merged bool) marks {
	m := marks{change: make([]uint8, rows)}
	if cadence {
		m.day = make([]uint16, rows)
	}
	if merged {
		m.audiences = make([]uint16, rows)
	}
	return m
}

func (m *marks) set(place int64, v mark) {
	m.change[place] = v.change
	if m.day != nil {
		m.day[place] = v.day
	}
	if m.audiences != nil {
		m.audiences[place] = v.audiences
	}
}

func (m *marks) at(place int64) mark {
	v := mark{change: m.change[place]}
	if m.day != nil {
		v.day = m.day[place]
	}
	if m.audiences != nil {
		v.audiences = m.audiences[place]
	}
	return v
}

var changes = []Change{"", Entered, Moved, Updated, Stayed}

func markOf(c Change, day int, audiences uint16) mark {
	return mark{uint8(slices.Index(changes, c)), uint16(day), audiences}
}

// any says whether anything is to be sent of rows from one place to before another.
func (m *marks) any(from, to int64) bool {
	return slices.ContainsFunc(m.change[from:to], func(change uint8) bool { return change > 0 })
}

package main

import "strings"

// slots is how many processes there are at once, at most.
const slots = 3

// state is the world at one moment: the store, how far each process is, which
// writes of theirs are still under way, and what may still go wrong.
type state struct {
	store   int32
	at      [slots]int32 // nodes; 0 is a process that is not there any more
	late    [2]int32     // requests, in ascending order
	mishaps int8         // how many may still happen
}

// outcome is what becomes of one request.
type outcome int8

const (
	done        outcome = iota
	lost                // applied, and an error all the same
	again               // applied and asked again below the program: its condition does not hold any more
	failed              // an error, and not applied
	late                // an error, and it may be applied at any later moment
	forbidden           // refused for good
	crashBefore         // not applied, and its process is no more
	crashAfter          // applied
	crashLate           // its process is no more, and it may be applied at any later moment
	lands               // a late one is applied
)

func (o outcome) String() string {
	return [...]string{
		"", "applied, the reply is lost", "applied, then said to be there already", "fails", "an error, and under way",
		"forbidden", "crash before", "crash after", "crash, and under way", "lands late",
	}[o]
}

type move struct {
	slot int8 // or the place in late
	how  outcome
}

type origin struct {
	parent int32
	move   move
}

// outcomes gives what may become of a request.
func (x *search) outcomes(s state, r request) []outcome {
	switch {
	case s.mishaps == 0:
		return []outcome{done}
	case !r.writes():
		return []outcome{done, failed} // a process that crashes here could do so at its next write
	}
	all := []outcome{done, lost, failed, crashBefore, crashAfter}
	if x.late && s.late[0] == 0 {
		all = []outcome{done, lost, late, crashLate} // what is late may never come, or at once
	}
	if !strings.HasPrefix(r.key, "runs/") {
		all = append(all, again, forbidden)
	}
	return all
}

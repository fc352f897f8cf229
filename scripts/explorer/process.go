package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/objstore"
)

// result is what a process told whoever started it.
type result struct {
	told string
	date string
	seq  int    // of the entry that it speaks of
	run  string // that the entry shows; "" where it says of none
}

// program is real code that works on a store and on nothing else: what it does
// next follows from what the store has answered.
type program struct {
	letter string // begins the names of its runs, or is that of its entries
	title  string
	kind   kind
	date   string // that it is about, "" for all
	force  bool
	run    func(ctx context.Context, p *program, out *objstore.Bucket, newRun func() string) result
	rerun  *program // what is started in its place after a crash, or nil
}

type kind int8

const (
	runner kind = iota
	operator
	cleanUp
)

// node is a program with a history: a list of answers. Equal histories are one
// node, and the program is executed once for each.
type node struct {
	program *program
	parent  int32
	heard   int32 // the last answer of the history
	request int32 // what the program asks next; 0 when it has finished
	result  result
	listed  []string // folders whose content it has heard, one after the other
	live    *session // stands at request, unless it was used or stopped
}

type branch struct{ node, answer int32 }

// processes numbers all histories. Number 0 is a process that is not there.
type processes struct {
	*stores
	nodes     []node
	roots     map[*program]int32
	branches  map[branch]int32
	finished  map[*program]map[result]int32
	live      []int32 // nodes whose session may stand, oldest first
	histories int     // distinct
}

func newProcesses() *processes {
	return &processes{
		stores: newStores(), nodes: make([]node, 1), roots: map[*program]int32{},
		branches: map[branch]int32{}, finished: map[*program]map[result]int32{},
	}
}

// root gives the node of a program that has heard nothing.
func (p *processes) root(g *program) int32 {
	if n, ok := p.roots[g]; ok {
		return n
	}
	p.letters[g.letter] = g
	p.finished[g] = map[result]int32{}
	s := p.start(g)
	n := p.add(node{program: g}, s)
	p.roots[g] = n
	return n
}

// hear gives the node of a process that goes on with an answer.
func (p *processes) hear(at, answer int32) int32 {
	if n, ok := p.branches[branch{at, answer}]; ok {
		return n
	}
	s := p.sessionAt(at)
	s.answers <- p.answer(answer)
	n := p.add(node{program: p.nodes[at].program, parent: at, heard: answer, listed: p.listedAfter(at)}, s)
	p.branches[branch{at, answer}] = n
	return n
}

func (p *processes) listedAfter(at int32) []string {
	n := p.nodes[at]
	if r := p.requests.values[n.request]; r.op == list && strings.HasPrefix(r.key, "runs/") {
		return append(slices.Clip(n.listed), r.key)
	}
	return n.listed
}

// add waits for what the session asks next and numbers the node. Of programs that
// have finished only the result matters.
func (p *processes) add(n node, s *session) int32 {
	p.histories++
	r, asks := s.next()
	if !asks {
		n.result = s.result
		if there, ok := p.finished[n.program][n.result]; ok {
			return there
		}
		p.finished[n.program][n.result] = int32(len(p.nodes))
	} else {
		n.request, n.live = p.requests.of(r), s
		p.keepLive(int32(len(p.nodes)))
	}
	p.nodes = append(p.nodes, n)
	return int32(len(p.nodes)) - 1
}

// mostLive bounds how many sessions stand waiting.
const mostLive = 4096

func (p *processes) keepLive(n int32) {
	p.live = append(p.live, n)
	if len(p.live) > mostLive {
		p.stop(p.live[0])
		p.live = p.live[1:]
	}
}

func (p *processes) stop(n int32) {
	if s := p.nodes[n].live; s != nil {
		s.stop()
		p.nodes[n].live = nil
	}
}

// close ends all sessions.
func (p *processes) close() {
	for _, n := range p.live {
		p.stop(n)
	}
}

// sessionAt gives a session that stands at the request of a node: the one that does,
// or a new one to which the history is told again.
func (p *processes) sessionAt(at int32) *session {
	if s := p.nodes[at].live; s != nil {
		p.nodes[at].live = nil
		return s
	}
	var history []int32
	for n := at; p.nodes[n].parent != 0; n = p.nodes[n].parent {
		history = append(history, n)
	}
	s := p.start(p.nodes[at].program)
	p.expect(s, p.roots[p.nodes[at].program])
	for i := len(history) - 1; i >= 0; i-- {
		s.answers <- p.answer(p.nodes[history[i]].heard)
		p.expect(s, history[i])
	}
	return s
}

// expect makes sure that a program does the same when it hears the same.
func (p *processes) expect(s *session, at int32) {
	r, asks := s.next()
	if want := p.requests.values[p.nodes[at].request]; !asks || r != want {
		panic(fmt.Sprintf("%s is not deterministic: asks %v (finished: %v), before %v", p.nodes[at].program.title, r, !asks, want))
	}
}

package faulty

import (
	"slices"
	"strings"
	"sync"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Process is a program that uses stores. It is safe for concurrent use.
type Process struct {
	decide func(Operation) Fault

	mu      sync.Mutex
	crashed bool
	counts  map[Operation]int // by operation without Nth
	seen    []Operation
	late    []func()
}

// NewProcess gives a process whose operations meet what decide says; decide is
// called for one at a time.
func NewProcess(decide func(Operation) Fault) *Process {
	return &Process{decide: decide, counts: map[Operation]int{}}
}

// Once gives a process one operation of which meets a fault, the first for which
// hit is true.
func Once(what Fault, hit func(Operation) bool) *Process {
	met := false
	return NewProcess(func(o Operation) Fault {
		if met || !hit(o) {
			return None
		}
		met = true
		return what
	})
}

// Store gives d as the process uses it.
func (p *Process) Store(name string, d objstore.Driver) objstore.Driver {
	s := &store{process: p, name: name, driver: d}
	if l, ok := d.(local); ok {
		return &localStore{s, l}
	}
	return s
}

// Operations lists what the process has asked for, in order.
func (p *Process) Operations() []Operation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// Land makes the delayed operations happen, as if they had been on the way until
// now. What a store answers nobody hears.
func (p *Process) Land() {
	p.mu.Lock()
	late := p.late
	p.late = nil
	p.mu.Unlock()
	for _, do := range late {
		do()
	}
}

// meet counts an operation and says what becomes of it.
func (p *Process) meet(o Operation) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.crashed {
		return Answer(ErrCrashed)
	}
	if at := strings.Index(o.Key, objstore.TemporaryPrefix); at >= 0 {
		o.Key = o.Key[:at+len(objstore.TemporaryPrefix)]
	}
	p.counts[o]++
	o.Nth = p.counts[o]
	p.seen = append(p.seen, o)
	f := p.decide(o)
	p.crashed = f.crash
	return f
}

// run does an operation as far as its fault allows. Where it is delayed, do runs
// later.
func (p *Process) run(f Fault, do func() error) error {
	var err error
	switch {
	case f.told == nil || f.done:
		err = do()
	case f.late:
		p.mu.Lock()
		p.late = append(p.late, func() { _ = do() })
		p.mu.Unlock()
	}
	if f.then != nil {
		f.then()
	}
	if f.told != nil {
		return f.told
	}
	return err
}

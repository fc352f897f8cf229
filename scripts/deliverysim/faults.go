package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/churntier/churntier/pipeline/objstore"
)

// fault is what becomes of one operation of a store.
type fault int

const (
	fails       fault = iota // an error, and nothing happened
	replyLost                // it happened, and an error all the same
	crashBefore              // the process dies, and nothing happened
	crashAfter               // it happened, and the process dies
	meets                    // another process does its work in the middle
	faults                   // their number
)

var (
	errLost = errors.New("connection reset")
	errDead = errors.New("the process is dead")
)

// process is one attempt and all operations of stores that it makes. Its fault
// comes at operation number at, or at that number of writes.
type process struct {
	fault  fault
	at     int // -1 for never
	writes bool
	meet   func()

	mu    sync.Mutex // workers of a process make operations side by side
	done  int
	dead  bool
	fired bool
}

// do runs one operation under what befalls the process.
func (p *process) do(write bool, run func() error) error {
	dead, fires := p.next(write)
	switch {
	case dead:
		return errDead
	case !fires:
		return run()
	}
	switch p.fault {
	case fails:
		return errLost
	case replyLost:
		return errors.Join(run(), errLost)
	case crashBefore:
		return errDead
	case crashAfter:
		return errors.Join(run(), errDead)
	}
	p.meet()
	return run()
}

// next counts an operation, and says whether the process is dead and whether its fault
// comes now.
func (p *process) next(write bool) (dead, fires bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return true, false
	}
	if write || !p.writes {
		p.done++
	}
	if p.fired || p.at < 0 || p.done != p.at+1 {
		return false, false
	}
	p.fired = true
	p.dead = p.fault == crashBefore || p.fault == crashAfter
	return false, true
}

// wrap gives the store d as the process has it.
func (p *process) wrap(d objstore.Driver) objstore.Driver { return &store{d, p} }

type store struct {
	objstore.Driver
	process *process
}

func (s *store) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	return s.process.do(false, func() error { return s.Driver.List(ctx, prefix, folders, yield) })
}

func (s *store) Open(ctx context.Context, key, generation string, offset, length int64) (r io.ReadCloser, err error) {
	err = s.process.do(false, func() error {
		r, err = s.Driver.Open(ctx, key, generation, offset, length)
		return err
	})
	return r, err
}

func (s *store) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := s.Driver.Put(ctx, key, cond)
	return &upload{u, s.process}, err
}

func (s *store) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	return s.process.do(true, func() error { return s.Driver.Delete(ctx, key, cond) })
}

type upload struct {
	objstore.Upload
	process *process
}

func (u *upload) Commit(sum objstore.Checksum) (a objstore.Attrs, err error) {
	err = u.process.do(true, func() error {
		a, err = u.Upload.Commit(sum)
		return err
	})
	return a, err
}

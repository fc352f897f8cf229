// Package faulty makes the operations of stores fail in the ways in which stores,
// networks and machines do: for tests.
//
// A Process is the life of one program on one machine. What it does to the stores
// it was given are operations, and each meets the fault that the test decides. An
// object is written by one operation, its commit; until then it is kept in memory.
package faulty

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/churntier/churntier/pipeline/objstore"
)

// The kinds of operations.
const (
	List   = "list"
	Open   = "open" // of an object or a range of it, and the bytes that it gives
	Put    = "put"
	Delete = "delete"
	Sweep  = "sweep"
)

// Operation is one request to a store. It is named by what it asks for, so it has
// the same name in every pass, whatever the order of those that run side by side;
// what a temporary object is called by chance is left out.
type Operation struct {
	Store  string
	Kind   string
	Key    string // of List and Sweep the prefix
	Offset int64  // of Open
	Nth    int    // of those with the same store, kind, key and offset, from 1
}

func (o Operation) String() string {
	at := ""
	if o.Offset > 0 {
		at = fmt.Sprintf(" at %d", o.Offset)
	}
	return fmt.Sprintf("%s: %s %q%s #%d", o.Store, o.Kind, o.Key, at, o.Nth)
}

// Fault is what becomes of an operation; the zero value is that nothing does.
type Fault struct {
	name  string
	told  error               // to the caller; nil for the truth
	done  bool                // it happens, although told is an error
	late  bool                // it happens when the test says Land
	crash bool                // the process ends here
	bytes func([]byte) []byte // what becomes of the bytes that are read or written
	end   error               // of the bytes that are read; nil is io.EOF
	then  func()
}

// ErrReset is what is told of a connection that broke.
var ErrReset = errors.New("connection reset by peer")

// ErrCrashed is what an operation of a process that has crashed gives: nothing that
// happens in the process after it is real.
var ErrCrashed = errors.New("the process has crashed")

// The faults.
var (
	None        = Fault{}
	Error       = Fault{name: "error", told: ErrReset}
	Lost        = Fault{name: "reply lost", told: ErrReset, done: true}
	CrashBefore = Fault{name: "crash before", told: ErrCrashed, crash: true}
	CrashAfter  = Fault{name: "crash after", told: ErrCrashed, crash: true, done: true}
	Delay       = Fault{name: "delay", told: fmt.Errorf("request timed out: %w", context.DeadlineExceeded), late: true}
	Refused     = Fault{name: "412", told: fmt.Errorf("412: %w", objstore.ErrPrecondition)}
	TooMany     = Fault{name: "429", told: errors.New("429: too many requests, gave up")}
	ShortRead   = Fault{name: "short read", bytes: firstHalf}
	CutRead     = Fault{name: "cut read", bytes: firstHalf, end: io.ErrUnexpectedEOF}
	FlippedBit  = Fault{name: "flipped bit", bytes: flip}
)

// FlippedBitIn is FlippedBit in another byte than that in the middle.
func FlippedBitIn(at int) Fault {
	return Fault{name: fmt.Sprintf("%s in byte %d", FlippedBit.name, at), bytes: func(data []byte) []byte {
		if at < len(data) {
			data[at] ^= 1
		}
		return data
	}}
}

// Answer is the fault that a store answers with err and does nothing.
func Answer(err error) Fault { return Fault{name: err.Error(), told: err} }

// Then is f, and do is called when it has happened and the caller was not told yet.
func (f Fault) Then(do func()) Fault {
	f.then = do
	return f
}

func (f Fault) String() string { return f.name }

// Hits says whether an operation of this kind can meet the fault in a way that no
// other fault stands for.
func (f Fault) Hits(kind string) bool {
	writes := kind == Put || kind == Delete
	switch {
	case f.bytes != nil:
		return kind == Open || kind == Put && f.name == FlippedBit.name
	case f.done, errors.Is(f.told, objstore.ErrPrecondition):
		return writes
	}
	return true
}

func firstHalf(data []byte) []byte { return data[:len(data)/2] }

func flip(data []byte) []byte {
	if len(data) > 0 {
		data[len(data)/2] ^= 1
	}
	return data
}

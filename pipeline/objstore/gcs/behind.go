package gcs

import (
	"io"
	"sync"
)

// block is some bytes of an object in memory.
type block struct {
	data [512 << 10]byte
	size int
}

// blocks are those not in use, of all uploads.
var blocks = sync.Pool{New: func() any { return new(block) }}

func newBlock() *block {
	b := blocks.Get().(*block)
	b.size = 0
	return b
}

func (b *block) full() bool { return b.size == len(b.data) }

// take takes as much of p as there is room for, and gives the rest.
func (b *block) take(p []byte) (rest []byte) {
	n := copy(b.data[b.size:], p)
	b.size += n
	return p[n:]
}

// pass writes the block and gives it back.
func (b *block) pass(to io.Writer) error {
	_, err := to.Write(b.data[:b.size])
	blocks.Put(b)
	return err
}

// behind passes blocks on in a goroutine of its own, so that who fills them waits only
// where it is too far ahead. Its owner owes it a call of finish.
type behind struct {
	queue chan *block
	ended sync.Once     // closes the queue
	over  chan struct{} // closed when nothing is passed on any more; then err holds
	err   error
}

// newBehind lets so many blocks wait.
func newBehind(to io.Writer, waiting int) *behind {
	b := &behind{queue: make(chan *block, waiting), over: make(chan struct{})}
	go func() {
		defer close(b.over)
		for next := range b.queue {
			if b.err = next.pass(to); b.err != nil {
				return
			}
		}
	}()
	return b
}

// add takes a block over. That an earlier one could not be passed on may show here.
func (b *behind) add(next *block) error {
	select {
	case b.queue <- next:
		return nil
	case <-b.over:
		return b.err
	}
}

// finish waits until all is passed on, and gives the first failure.
func (b *behind) finish() error {
	b.ended.Do(func() { close(b.queue) })
	<-b.over
	return b.err
}

package gcs

import (
	"io"
	"sync"
)

const (
	blockBytes = 512 << 10
	// blocksWaiting is how many blocks a writer may be ahead of the store, so that it
	// goes on while a chunk is on its way.
	blocksWaiting = 4
)

// blocks are those not in use, of all uploads.
var blocks = sync.Pool{New: func() any { return new([blockBytes]byte) }}

// behind passes on what it takes in a goroutine of its own: who writes waits only
// where it is too far ahead. It ends with finish or abandon.
type behind struct {
	to     io.Writer
	block  *[blockBytes]byte // being filled; nil for none
	filled int               // bytes of it
	queue  chan *[blockBytes]byte
	ended  sync.Once     // closes the queue
	over   chan struct{} // closed when nothing is passed on any more; then err holds
	err    error
}

func newBehind(to io.Writer) *behind {
	b := &behind{to: to, queue: make(chan *[blockBytes]byte, blocksWaiting), over: make(chan struct{})}
	go b.passOn()
	return b
}

func (b *behind) passOn() {
	defer close(b.over)
	for block := range b.queue {
		if _, b.err = b.to.Write(block[:]); b.err != nil {
			return
		}
		blocks.Put(block)
	}
}

// Write implements io.Writer. A failure to pass something on may show at a later one.
func (b *behind) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if b.block == nil {
			b.block, b.filled = blocks.Get().(*[blockBytes]byte), 0
		}
		n := copy(b.block[b.filled:], rest)
		rest, b.filled = rest[n:], b.filled+n
		if b.filled < blockBytes {
			continue
		}
		select {
		case b.queue <- b.block:
			b.block = nil
		case <-b.over:
			return 0, b.err
		}
	}
	return len(p), nil
}

// finish passes on the rest, and gives the first failure.
func (b *behind) finish() error {
	b.abandon()
	if b.err == nil && b.block != nil {
		_, b.err = b.to.Write(b.block[:b.filled])
		blocks.Put(b.block)
	}
	return b.err
}

// abandon waits until what was queued is passed on, or cannot be.
func (b *behind) abandon() {
	b.ended.Do(func() { close(b.queue) })
	<-b.over
}

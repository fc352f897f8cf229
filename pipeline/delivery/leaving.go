package delivery

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"iter"

	"github.com/churntier/churntier/pipeline/spill"
)

// leavingList keeps the leavers of one audience in their order, in a temporary
// file.
type leavingList struct {
	file   *spill.File
	out    *bufio.Writer
	enc    *gob.Encoder
	size   int64
	count  int
	atOnce int
}

// Leavers are explained as many at once as take half of memory, leavingSize bytes
// each with their reasons, within bounds: each time all rows of the snapshot are read.
const (
	leavingSize     = 384
	fewestExplained = 64 << 10
	mostExplained   = 256 << 10
)

// newLeavingList makes one for a memory in bytes.
func newLeavingList(temp string, memory int64) (*leavingList, error) {
	f, err := spill.Create(temp)
	if err != nil {
		return nil, err
	}
	l := &leavingList{file: f, atOnce: int(min(max(memory/2/leavingSize, fewestExplained), mostExplained))}
	l.out = bufio.NewWriterSize(l, 64<<10)
	l.enc = gob.NewEncoder(l.out)
	return l, nil
}

// Write appends to the file.
func (l *leavingList) Write(p []byte) (int, error) {
	n, err := l.file.WriteAt(p, l.size)
	l.size += int64(n)
	return n, err
}

func (l *leavingList) add(v leaving) error {
	l.count++
	return l.enc.Encode(v)
}

// each gives the leavers some at a time. They hold until visit returns.
func (l *leavingList) each(visit func([]leaving) error) error {
	if err := l.out.Flush(); err != nil {
		return err
	}
	dec := gob.NewDecoder(bufio.NewReaderSize(io.NewSectionReader(l.file, 0, l.size), 64<<10))
	some, audience := make([]leaving, 0, min(l.count, l.atOnce)), ""
	for i := range l.count {
		var v leaving
		if err := dec.Decode(&v); err != nil {
			return err
		}
		if v.Audience == audience {
			v.Audience = audience // one text for many
		}
		audience = v.Audience
		if some = append(some, v); len(some) == l.atOnce || i == l.count-1 {
			if err := visit(some); err != nil {
				return err
			}
			some = some[:0]
		}
	}
	return nil
}

func (l *leavingList) close() error { return errors.Join(l.file.Close()) }

// bytesLines gives the lines of a text without their ends.
func bytesLines(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			line, rest, _ := bytes.Cut(text, []byte{'\n'})
			if !yield(line) {
				return
			}
			text = rest
		}
	}
}

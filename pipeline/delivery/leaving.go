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
	file  *spill.File
	out   *bufio.Writer
	enc   *gob.Encoder
	size  int64
	count int
}

// explainAtOnce is how many leavers are held in memory to be explained.
const explainAtOnce = 256 << 10

func newLeavingList(temp string) (*leavingList, error) {
	f, err := spill.Create(temp)
	if err != nil {
		return nil, err
	}
	l := &leavingList{file: f}
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

// leavingRecord is what the files need of a leaver.
type leavingRecord struct {
	ID, Audience, Identity string
	Place                  int64
	Moved                  bool
	Why                    Reason
}

func (l *leavingList) add(v leaving) error {
	l.count++
	return l.enc.Encode(leavingRecord{v.ID, v.Audience, v.Before.Identity, v.Place, v.moved, v.why})
}

// each gives the leavers some at a time.
func (l *leavingList) each(visit func([]leaving) error) error {
	if err := l.out.Flush(); err != nil {
		return err
	}
	dec := gob.NewDecoder(bufio.NewReaderSize(io.NewSectionReader(l.file, 0, l.size), 64<<10))
	var some []leaving
	for i := range l.count {
		var r leavingRecord
		if err := dec.Decode(&r); err != nil {
			return err
		}
		v := leaving{moved: r.Moved, why: r.Why}
		v.key, v.Before.Identity, v.Place = newKey(r.ID, r.Audience, false), r.Identity, r.Place
		if some = append(some, v); len(some) == explainAtOnce || i == l.count-1 {
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

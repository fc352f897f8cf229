package delivery

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/churntier/churntier/pipeline/spill"
)

// leavingList keeps the leavers of one series in their order, and their reasons when
// they are known: the first of them in memory, the others in a temporary file.
type leavingList struct {
	temp    string // an existing folder
	buffer  []byte // of records that are not in the file yet
	file    *spill.File
	size    int64 // of the file
	count   int
	parts   []int64 // where the records of each part begin: see part
	reasons []uint8 // by leaver: see reasonCodes
}

// leavingPart is how many leavers a part of a list has; the last one may have fewer.
const leavingPart = 16 << 10

// leavingBuffer is how many bytes of records a list keeps in memory.
const leavingBuffer = 64 << 10

func (l *leavingList) add(v leaving) error {
	if l.count%leavingPart == 0 {
		l.parts = append(l.parts, l.size+int64(len(l.buffer)))
	}
	l.count++
	flags := byte(0)
	for i, set := range []bool{v.Moved, v.Elsewhere, v.HeldOut} {
		if set {
			flags |= 1 << i
		}
	}
	l.buffer = append(binary.AppendVarint(l.buffer, v.Place), flags)
	for _, text := range []string{v.ID, v.Audience, v.Identity, string(v.Why)} {
		l.buffer = append(binary.AppendUvarint(l.buffer, uint64(len(text))), text...)
	}
	if len(l.buffer) < leavingBuffer {
		return nil
	}
	return l.spill()
}

func (l *leavingList) spill() (err error) {
	if l.file == nil {
		if l.file, err = spill.Create(l.temp); err != nil {
			return err
		}
	}
	n, err := l.file.WriteAt(l.buffer, l.size)
	l.size += int64(n)
	l.buffer = l.buffer[:0]
	return err
}

// part gives some leavers: those from the one whose number is n times leavingPart on.
// Several workers may read parts of a list to which nobody is added any more.
func (l *leavingList) part(n int) ([]leaving, error) {
	at := l.parts[n]
	var in io.Reader = bytes.NewReader(l.buffer[max(0, at-l.size):])
	if at < l.size {
		in = io.MultiReader(io.NewSectionReader(l.file, at, l.size-at), in)
	}
	r := leavingReader{in: bufio.NewReaderSize(in, leavingBuffer)}
	some := make([]leaving, min(leavingPart, l.count-n*leavingPart))
	for i := range some {
		some[i] = r.next()
	}
	if r.err != nil {
		return nil, fmt.Errorf("read the list of who left: %w", r.err)
	}
	return some, nil
}

func (l *leavingList) close() error {
	if l.file == nil {
		return nil
	}
	return errors.Join(l.file.Close())
}

// leavingReader reads records of leavers; after an error they are empty.
type leavingReader struct {
	in       *bufio.Reader
	text     []byte // reused
	audience string // of the last
	why      Reason
	err      error
}

func (r *leavingReader) next() (v leaving) {
	place, err := binary.ReadVarint(r.in)
	r.fail(err)
	flags, err := r.in.ReadByte()
	r.fail(err)
	v.Place, v.Moved, v.Elsewhere, v.HeldOut = place, flags&1 != 0, flags&2 != 0, flags&4 != 0
	v.ID = string(r.read())
	if name := r.read(); string(name) != r.audience { // one text for many
		r.audience = string(name)
	}
	v.Identity = string(r.read())
	if why := r.read(); string(why) != string(r.why) {
		r.why = Reason(why)
	}
	v.Audience, v.Why = r.audience, r.why
	return v
}

// read gives the next text, valid until the next call.
func (r *leavingReader) read() []byte {
	n, err := binary.ReadUvarint(r.in)
	r.fail(err)
	if r.err != nil {
		return nil
	}
	if uint64(cap(r.text)) < n {
		r.text = make([]byte, n)
	}
	r.text = r.text[:n]
	_, err = io.ReadFull(r.in, r.text)
	r.fail(err)
	return r.text
}

func (r *leavingReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

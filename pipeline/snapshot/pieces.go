package snapshot

import (
	"context"
	"fmt"
	"sync"

	"github.com/churntier/churntier/pipeline/objstore"
)

// pieces hands out the row groups of parts in a remote store, each once and by one
// request, while the next ones come. It keeps those that are worked on, and for each of
// them up to piecesAhead that follow.
type pieces struct {
	fetching *sync.WaitGroup

	mu   sync.Mutex
	free [][]byte // buffers that were released
}

// piecesAhead is how many row groups are on their way behind the one that is worked on,
// which is decoded faster than a store answers.
const piecesAhead = 3

// piece is one row group of a part, with the bytes between it and the next one.
type piece struct {
	of           *pieces
	part         *inPieces
	index        int
	offset, size int64
	next         *piece // in the order of the snapshot; nil after the last

	begun, taken bool          // by of.mu
	over         chan struct{} // closed when data and err are set
	data         []byte
	err          error
}

// take waits for the piece. It is false for all who take it but the first; the first
// releases it, unless there is an error.
func (p *piece) take(ctx context.Context) (mine bool, err error) {
	if !p.of.begin(p) {
		return false, nil
	}
	select {
	case <-p.over:
		err = p.err
	case <-ctx.Done():
		return false, ctx.Err() // nobody gets the piece any more
	}
	if err != nil {
		p.release()
		return false, err
	}
	return true, nil
}

// begin gives a piece away, and fetches it and those that follow unless they were begun.
func (s *pieces) begin(p *piece) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.taken {
		return false
	}
	p.taken = true
	for n := 0; n <= piecesAhead && p != nil; n, p = n+1, p.next {
		if !p.begun {
			s.fetch(p)
		}
	}
	return true
}

func (s *pieces) fetch(p *piece) {
	p.begun = true
	data := s.buffer(int(p.size))
	s.fetching.Go(func() {
		defer close(p.over)
		p.data = data
		p.err = p.part.fetch(p)
	})
}

// buffer gives memory for n bytes.
func (s *pieces) buffer(n int) []byte {
	if last := len(s.free) - 1; last >= 0 && cap(s.free[last]) >= n {
		data := s.free[last]
		s.free = s.free[:last]
		return data[:n]
	}
	const unit = 1 << 20 // row groups differ a little
	return make([]byte, n, (n+unit-1)/unit*unit)
}

// release gives the memory back.
func (p *piece) release() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.of.free = append(p.of.free, p.data)
	p.data = nil
}

// from gives the bytes of the piece from an offset of the part on.
func (p *piece) from(offset int64) []byte { return p.data[offset-p.offset:] }

// inPieces is a part that comes in pieces. When all of them have come, they and the
// footer are held against its checksum: whoever takes the one that was the last is told.
type inPieces struct {
	input  objstore.ReaderAtCloser
	name   string
	want   objstore.Checksum
	footer objstore.Checksum
	pieces []*piece // in order of offset

	mu      sync.Mutex
	sums    []objstore.Checksum // by piece
	missing int
}

// fetch fills a piece. What is right about it is known when all have come.
func (w *inPieces) fetch(p *piece) error {
	if err := fullAt(w.input, p.data, p.offset); err != nil {
		return inputFailed(w.name, "row group", asNotReady(err))
	}
	if p.offset == 0 && string(p.data[:len(magic)]) != magic {
		return fmt.Errorf("part %s: %w: the start came with other bytes than before", w.name, objstore.ErrChecksum)
	}
	return w.add(p.index, objstore.ChecksumOf(p.data))
}

func (w *inPieces) add(index int, sum objstore.Checksum) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sums[index] = sum
	if w.missing--; w.missing > 0 {
		return nil
	}
	var all objstore.Checksum
	for _, s := range append(w.sums, w.footer) {
		all.Join(s)
	}
	if err := all.Check(w.want); err != nil {
		return fmt.Errorf("part %s: %w", w.name, err)
	}
	return nil
}

// right takes every piece that nobody has, and returns why the part is not what the
// store says, if it is not.
func (w *inPieces) right(ctx context.Context) error {
	for _, p := range w.pieces {
		mine, err := p.take(ctx)
		if err != nil {
			return err
		}
		if mine {
			p.release()
		}
		select {
		case <-p.over:
		case <-ctx.Done():
			return ctx.Err()
		}
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// whole returns an error unless all of the part has come, and was right.
func (w *inPieces) whole() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.missing > 0 {
		return fmt.Errorf("part %s: %d of %d row groups were not read", w.name, w.missing, len(w.pieces))
	}
	return nil
}

// cut lets the parts be read in pieces if all of them can be; else they are copied.
func (f *Files) cut(fetching context.Context) error {
	bounds := make([][]int64, len(f.files))
	for i, file := range f.files {
		_, coming := file.input.(*early)
		if bounds[i] = file.bounds(); !coming || bounds[i] == nil {
			f.bring()
			return nil
		}
	}
	all, last := &pieces{fetching: &f.fetching}, new(piece)
	for i, file := range f.files {
		part, err := f.inPieces(fetching, i, bounds[i])
		if err != nil {
			return err
		}
		for _, p := range part.pieces {
			p.of, last.next, last = all, p, p
		}
		file.pieces = part.pieces
		f.parts = append(f.parts, part)
	}
	return nil
}

// inPieces cuts part i.
func (f *Files) inPieces(fetching context.Context, i int, bounds []int64) (*inPieces, error) {
	part, file := f.Parts[i], f.files[i]
	input, err := f.Source.Bucket.OpenAt(fetching, part.attrs)
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", part.Name, asNotReady(err))
	}
	f.close = append(f.close, input)
	n := len(bounds) - 1
	w := &inPieces{
		input: input, name: part.Name, want: objstore.Checksum{Size: part.Size, CRC32C: part.CRC32C},
		footer: file.input.(*early).footer(file.footer), sums: make([]objstore.Checksum, n), missing: n,
	}
	for k := range n {
		p := &piece{part: w, index: k, offset: bounds[k], size: bounds[k+1] - bounds[k], over: make(chan struct{})}
		w.pieces = append(w.pieces, p)
	}
	return w, nil
}

// ReadAgain lets the parts be copied after all, for who will read rows more than once. It
// is called before any row is read.
func (f *Files) ReadAgain() {
	for _, file := range f.files {
		file.pieces = nil
	}
	f.parts = nil
	f.bring()
}

// Whole returns an error unless every byte of every part has been read and was right,
// or will be before anything else of it is.
func (f *Files) Whole() error {
	for _, part := range f.parts {
		if err := part.whole(); err != nil {
			return err
		}
	}
	return nil
}

// pieceBytes is how large a piece may be: larger row groups are not read in pieces.
const pieceBytes = 8 << 20

// bounds gives where the row groups begin, the first with what is before it, and where
// the footer does: nil where they are not one after the other, or are large.
func (f *File) bounds() []int64 {
	end := int64(len(magic))
	bounds := make([]int64, 0, len(f.groups)+1)
	for _, g := range f.groups {
		start, groupEnd := f.footer, end
		for _, c := range g.chunks {
			if c.elsewhere || c.offset < end || c.offset+c.size > f.footer {
				return nil
			}
			start, groupEnd = min(start, c.offset), max(groupEnd, c.offset+c.size)
		}
		if g.rows == 0 || start > groupEnd {
			return nil
		}
		bounds, end = append(bounds, start), groupEnd
	}
	bounds = append(bounds, f.footer)
	bounds[0] = 0
	for i, start := range bounds[1:] {
		if start-bounds[i] > pieceBytes {
			return nil
		}
	}
	return bounds
}

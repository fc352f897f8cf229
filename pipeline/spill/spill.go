// Package spill keeps records that may be more than memory should hold. Records
// are put into numbered partitions by many goroutines at once; later one
// partition after another is read back, as often as needed. What does not fit
// the bound goes to one temporary file that has no name, so nothing is left
// behind by whatever ends the process.
package spill

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Options says how a Store is cut and bounded. At any time a Store takes at
// most Held bytes, and for each open Writer Partitions x Buffer bytes; a record
// larger than Buffer takes its own size while it is under way.
type Options struct {
	Partitions int    // 0 is 1
	Buffer     int    // bytes a Writer collects for one partition, a header included, before it hands them over
	Held       int64  // bytes handed over that stay in memory; the others go to the file
	Temp       string // an existing folder for the file

	create func(dir string) (disk, error) // os.CreateTemp and os.Remove unless a test says otherwise
}

// Store is a set of partitions of records. It is safe for concurrent use; the
// order of the records of a partition is not defined.
type Store struct {
	options    Options
	partitions []partition
	held       atomic.Int64
	writers    atomic.Int64 // open ones

	mu     sync.Mutex // guards what follows
	file   *File      // nil until something is spilled
	end    int64      // where the file ends
	failed error      // why the records are not all here, or nil
}

// partition holds chunks, each of whole records: some in memory, the others as
// a chain through the file.
type partition struct {
	mu   sync.Mutex
	held [][]byte
	last link
	size int64
}

var (
	errClosed     = errors.New("spill: the store is closed")
	errOpenWriter = errors.New("spill: a writer is still open")
)

// New makes an empty store. Nothing is created in Temp before it is needed.
func New(o Options) *Store {
	o.Partitions, o.Buffer = max(o.Partitions, 1), max(o.Buffer, 1)
	if o.create == nil {
		o.create = createUnnamed
	}
	return &Store{options: o, partitions: make([]partition, o.Partitions)}
}

// Partitions says how many partitions there are.
func (s *Store) Partitions() int { return len(s.partitions) }

// Size gives the bytes of all records handed over to a partition.
func (s *Store) Size(partition int) int64 {
	p := &s.partitions[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// Close gives back the memory and the disk space; after it the store only gives
// errors. It must not run beside another method; calling it again is harmless.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = errClosed
	for i := range s.partitions {
		s.partitions[i] = partition{}
	}
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	return file.Close()
}

// add takes over the records of a chunk, whose first headerSize bytes are room
// for the header. The chunk stays the caller's.
func (s *Store) add(partition int, chunk []byte) error {
	if err := s.failure(); err != nil {
		return err
	}
	p := &s.partitions[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	records := chunk[headerSize:]
	if s.holds(int64(len(records))) {
		p.held = append(p.held, append([]byte(nil), records...))
	} else if err := s.spill(p, chunk); err != nil {
		return s.fail(err)
	}
	p.size += int64(len(records))
	return nil
}

// fail remembers the first error after which records are missing, and gives err.
func (s *Store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
	return err
}

// failure gives the first error after which records are missing, or nil.
func (s *Store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// holds says whether n more bytes may stay in memory, and counts them if so.
func (s *Store) holds(n int64) bool {
	if s.held.Add(n) <= s.options.Held {
		return true
	}
	s.held.Add(-n)
	return false
}

// spill appends the chunk, filled up, to the file and to the chain of p, which is locked.
func (s *Store) spill(p *partition, chunk []byte) error {
	whole := seal(chunk, p.last)
	file, offset, err := s.allot(int64(len(whole)))
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(whole, offset); err != nil {
		return err
	}
	p.last = link{offset: offset, size: int64(len(whole))}
	return nil
}

// allot gives n bytes at the end of the file to the caller alone, creating the
// file first where there is none.
func (s *Store) allot(n int64) (*File, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		file, err := s.options.create(s.options.Temp)
		if err != nil {
			return nil, 0, fail(s.options.Temp, "create", err)
		}
		s.file = &File{dir: s.options.Temp, disk: file}
	}
	offset := s.end
	s.end += n
	return s.file, offset, nil
}

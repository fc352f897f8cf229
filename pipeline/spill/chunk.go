package spill

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"
)

// A chunk in the file is its header, then whole records, then zeros to the end of a page
// as far as its memory has room: a file system takes much less time for whole pages. The
// header is the xxh3 hash of all that follows it, then the offset and the size of the
// chunk of the same partition that was written before, then where the records end.
const (
	headerSize = 32
	pageSize   = 4 << 10
)

// ErrDamaged says that spilled records came back from the disk other than they
// were written.
var ErrDamaged = errors.New("spilled records were read back damaged")

// link points to a chunk in the file; the one with size 0 ends a chain.
type link struct{ offset, size int64 }

// seal fills in the header of a chunk, and zeros behind its records, in its memory.
func seal(chunk []byte, previous link) (whole []byte) {
	whole = chunk[:min((len(chunk)+pageSize-1)/pageSize*pageSize, cap(chunk))]
	clear(whole[len(chunk):])
	binary.LittleEndian.PutUint64(whole[8:], uint64(previous.offset))
	binary.LittleEndian.PutUint64(whole[16:], uint64(previous.size))
	binary.LittleEndian.PutUint64(whole[24:], uint64(len(chunk)))
	binary.LittleEndian.PutUint64(whole, xxh3.Hash(whole[8:]))
	return whole
}

// unseal checks a chunk and gives its records and the link in its header.
func unseal(whole []byte) (records []byte, previous link, err error) {
	if binary.LittleEndian.Uint64(whole) != xxh3.Hash(whole[8:]) {
		return nil, link{}, ErrDamaged
	}
	return whole[headerSize:binary.LittleEndian.Uint64(whole[24:])], link{
		offset: int64(binary.LittleEndian.Uint64(whole[8:])),
		size:   int64(binary.LittleEndian.Uint64(whole[16:])),
	}, nil
}

// Each gives all records of a partition to yield, some whole records at a time;
// the slice is valid until yield returns and must not be changed. It stops at
// the first error of yield and when ctx is done. All writers must be closed;
// where one of them failed, its error comes back from here.
func (s *Store) Each(ctx context.Context, partition int, yield func(records []byte) error) error {
	if s.writers.Load() > 0 {
		return errOpenWriter
	}
	if err := s.failure(); err != nil {
		return err
	}
	p := &s.partitions[partition]
	for _, records := range p.held {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(records); err != nil {
			return err
		}
	}
	return s.follow(ctx, p.last, yield)
}

// follow walks a chain of chunks through the file, the newest first.
func (s *Store) follow(ctx context.Context, next link, yield func([]byte) error) error {
	var chunk, records []byte
	for next.size > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk = slices.Grow(chunk[:0], int(next.size))[:next.size]
		if _, err := s.file.ReadAt(chunk, next.offset); err != nil {
			return err
		}
		var err error
		if records, next, err = unseal(chunk); err != nil {
			return fmt.Errorf("temporary file in %s: %w: check the disk, or choose another folder with --temp", s.options.Temp, err)
		}
		if err := yield(records); err != nil {
			return err
		}
	}
	return nil
}

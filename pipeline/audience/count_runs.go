package audience

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// run is one run of the RLE/bit-packing hybrid.
type run struct {
	count  int    // of codes, without those that fill up the last group of eight
	packed []byte // empty: the code is repeated
	code   uint64
}

// eachRun gives visit the runs of n codes of width bits, which take all of data.
func eachRun(data []byte, n, width int, visit func(run) error) error {
	if width > 32 {
		return fmt.Errorf("codes of %d bits", width)
	}
	for n > 0 {
		r, rest, err := nextRun(data, n, width)
		if err != nil {
			return err
		}
		if err := visit(r); err != nil {
			return err
		}
		data, n = rest, n-r.count
	}
	return checkSize(len(data), 0)
}

// nextRun gives the first run of data, which has at most n codes.
func nextRun(data []byte, n, width int) (r run, rest []byte, err error) {
	head, size := binary.Uvarint(data)
	count, most := head>>1, uint64(n)
	if head&1 == 1 {
		most = (most + 7) / 8 // groups
	}
	switch data = data[max(size, 0):]; {
	case size <= 0 || count == 0:
		return run{}, nil, errFew
	case count > most:
		return run{}, nil, errMany
	}
	bytes := (width + 7) / 8
	if head&1 == 1 {
		bytes = int(count) * width
	}
	if bytes > len(data) {
		return run{}, nil, errFew
	}
	if head&1 == 1 {
		return run{count: min(8*int(count), n), packed: data[:bytes]}, data[bytes:], nil
	}
	var whole [8]byte
	copy(whole[:], data[:bytes])
	r = run{count: int(count), code: binary.LittleEndian.Uint64(whole[:])}
	if r.code>>width != 0 {
		return run{}, nil, fmt.Errorf("the code %d in %d bits", r.code, width)
	}
	return r, data[bytes:], nil
}

// countOnes counts the ones in n levels of one bit.
func countOnes(data []byte, n int) (ones int, err error) {
	err = eachRun(data, n, 1, func(r run) error {
		if len(r.packed) == 0 {
			ones += r.count * int(r.code)
			return nil
		}
		for _, b := range r.packed[:r.count/8] {
			ones += bits.OnesCount8(b)
		}
		if rest := r.count % 8; rest > 0 {
			ones += bits.OnesCount8(r.packed[r.count/8] << (8 - rest))
		}
		return nil
	})
	return ones, err
}

// errOutside says that an index is not in the dictionary.
var errOutside = errors.New("an index is outside the dictionary")

// checkCodes checks that n codes of width bits are below words.
func checkCodes(data []byte, n, width, words int) error {
	return eachRun(data, n, width, func(r run) error {
		if len(r.packed) > 0 {
			r.code = mostOf(r.packed, r.count, width)
		}
		if int64(r.code) >= int64(words) {
			return errOutside
		}
		return nil
	})
}

// mostOf gives the greatest of n codes of width bits, at least 1.
func mostOf(packed []byte, n, width int) (most uint64) {
	mask := uint64(1)<<width - 1
	each := 57 / width
	for i := 0; i < n; i += each {
		codes := bitsAt(packed, i*width)
		for range min(each, n-i) {
			most = max(most, codes&mask)
			codes >>= width
		}
	}
	return most
}

// bitsAt gives 57 bits or more from bit at on, the first in the lowest place, zeros behind
// the last.
func bitsAt(packed []byte, at int) uint64 {
	rest := packed[at/8:]
	if len(rest) < 8 {
		rest = padded(rest)
	}
	return binary.LittleEndian.Uint64(rest) >> (at % 8)
}

// padded gives a few bytes with zeros behind them.
func padded(b []byte) []byte {
	var end [8]byte
	copy(end[:], b)
	return end[:]
}

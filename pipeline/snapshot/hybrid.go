package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// hybrid reads numbers of width bits, at most 32, in the RLE/bit-packing hybrid: runs
// that repeat one number, and runs of numbers side by side, the first in the lowest bits
// (parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"). A packed
// run that ends before it should has the numbers that are there.
type hybrid struct {
	data   []byte // from the open packed run on, else from the next run on
	width  int
	left   int    // numbers of the open run
	packed bool   // whether the open run is packed
	bit    int    // of a packed run: where in data its next number begins
	bytes  int    // of a packed run
	repeat uint32 // else: the number
}

var errFew = errors.New("found a page with fewer values than it declares")

// open goes on to a run that has a number left.
func (h *hybrid) open() error {
	for h.left == 0 {
		if h.packed {
			h.data, h.packed = h.data[h.bytes:], false
		}
		head, n := binary.Uvarint(h.data)
		if n <= 0 {
			return errFew
		}
		h.data = h.data[n:]
		count := int(min(head>>1, math.MaxInt32))
		if head&1 == 0 {
			if err := h.openRepeat(count); err != nil {
				return err
			}
			continue
		}
		h.left = 8 * count
		if h.width == 0 {
			h.repeat = 0
			continue
		}
		h.packed, h.bit = true, 0
		h.bytes = min(count*h.width, len(h.data))
		h.left = min(h.left, 8*h.bytes/h.width)
	}
	return nil
}

func (h *hybrid) openRepeat(count int) error {
	size := (h.width + 7) / 8
	if size > len(h.data) {
		return errFew
	}
	number := uint64(0)
	for i, b := range h.data[:size] {
		number |= uint64(b) << (8 * i)
	}
	if number>>h.width != 0 {
		return fmt.Errorf("found the number %d where %d bits are expected", number, h.width)
	}
	h.data, h.left, h.repeat = h.data[size:], count, uint32(number)
	return nil
}

// numbers fills dst. Those of 32 bits may turn negative.
func (h *hybrid) numbers(dst []int32) error {
	for len(dst) > 0 {
		if err := h.open(); err != nil {
			return err
		}
		n := min(h.left, len(dst))
		if h.packed {
			h.unpack(dst[:n])
		} else {
			fill(dst[:n], int32(h.repeat))
		}
		h.left -= n
		dst = dst[n:]
	}
	return nil
}

// fill sets all of dst to v.
func fill[T any](dst []T, v T) {
	done := min(len(dst), 32)
	for i := range dst[:done] {
		dst[i] = v
	}
	for ; done < len(dst); done *= 2 {
		copy(dst[done:], dst[:done])
	}
}

// unpack fills dst from the open run, which has as many numbers.
func (h *hybrid) unpack(dst []int32) {
	mask, width := uint64(1)<<h.width-1, h.width
	bit, i, whole := h.bit, 0, 8*(len(h.data)-8)
	for ; 4*width <= 64-7 && i+4 <= len(dst) && bit <= whole; i += 4 {
		four, to := binary.LittleEndian.Uint64(h.data[bit>>3:])>>(bit&7), (*[4]int32)(dst[i:])
		to[0] = int32(four & mask)
		to[1] = int32(four >> width & mask)
		to[2] = int32(four >> (2 * width) & mask)
		to[3] = int32(four >> (3 * width) & mask)
		bit += 4 * width
	}
	for ; i < len(dst) && bit <= whole; i++ {
		dst[i] = int32(binary.LittleEndian.Uint64(h.data[bit>>3:]) >> (bit & 7) & mask)
		bit += width
	}
	var end [16]byte // the last bytes, and zeros behind them
	from := max(0, len(h.data)-8)
	copy(end[:], h.data[from:])
	for ; i < len(dst); i++ {
		at := bit - 8*from
		dst[i] = int32(binary.LittleEndian.Uint64(end[at>>3:]) >> (at & 7) & mask)
		bit += width
	}
	h.bit = bit
}

// levels fills dst with numbers of one bit and counts the ones.
func (h *hybrid) levels(dst []int16) (ones int, err error) {
	for len(dst) > 0 {
		if err := h.open(); err != nil {
			return 0, err
		}
		n := min(h.left, len(dst))
		if h.packed {
			ones += h.unpackLevels(dst[:n])
		} else {
			fill(dst[:n], int16(h.repeat))
			ones += n * int(h.repeat)
		}
		h.left -= n
		dst = dst[n:]
	}
	return ones, nil
}

func (h *hybrid) unpackLevels(dst []int16) (ones int) {
	bit := h.bit
	h.bit += len(dst)
	for len(dst) > 0 {
		if bit&7 == 0 && len(dst) >= 8 {
			b := h.data[bit>>3]
			*(*[8]int16)(dst) = levelsOf[b]
			ones += bits.OnesCount8(b)
			bit += 8
			dst = dst[8:]
			continue
		}
		b := h.data[bit>>3] >> (bit & 7)
		n := min(8-bit&7, len(dst))
		for i := range dst[:n] {
			dst[i] = int16(b >> i & 1)
		}
		ones += bits.OnesCount8(b & (1<<n - 1))
		bit += n
		dst = dst[n:]
	}
	return ones
}

// levelsOf are the eight levels in a byte.
var levelsOf = func() (all [256][8]int16) {
	for b := range all {
		for i := range all[b] {
			all[b][i] = int16(b >> i & 1)
		}
	}
	return all
}()

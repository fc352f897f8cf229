package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errDeltas = errors.New("found lengths that are not DELTA_BINARY_PACKED")

// mostDeltas bounds the numbers of one block.
const mostDeltas = 1 << 16

// readDeltas appends numbers in DELTA_BINARY_PACKED to dst, at most so many, and gives
// what follows them (parquet-format, Encodings.md, "Delta Encoding"): the first number,
// then blocks of differences, each less the least of its block, packed in miniblocks
// that have a width each. It wraps as 32-bit numbers do.
func readDeltas(dst []int32, data []byte, most int) (_ []int32, rest []byte, err error) {
	var head [3]uint64 // numbers of a block, miniblocks of a block, numbers in all
	for i := range head {
		value, n := binary.Uvarint(data)
		if n <= 0 {
			return nil, nil, errDeltas
		}
		head[i], data = value, data[n:]
	}
	if head[0] > mostDeltas || head[1] == 0 || head[1] > head[0] || head[0]%(8*head[1]) != 0 {
		return nil, nil, fmt.Errorf("%w: blocks of %d in %d", errDeltas, head[0], head[1])
	}
	if head[2] > uint64(most) {
		return nil, nil, fmt.Errorf("found a page of %d lengths for %d values", head[2], most)
	}
	total, miniblocks := len(dst)+int(head[2]), int(head[1])
	last, n := binary.Varint(data)
	if n <= 0 {
		return nil, nil, errDeltas
	}
	data = data[n:]
	if head[2] > 0 {
		dst = append(dst, int32(last))
	}
	block := deltaBlock{size: int(head[0]) / miniblocks, last: int32(last)}
	for len(dst) < total {
		if dst, data, err = block.read(dst, data, miniblocks, total); err != nil {
			return nil, nil, err
		}
	}
	return dst, data, nil
}

// deltaBlock reads the blocks of one page.
type deltaBlock struct {
	size int   // numbers of a miniblock
	last int32 // number
}

func (b *deltaBlock) read(dst []int32, data []byte, miniblocks, total int) (_ []int32, rest []byte, err error) {
	least, n := binary.Varint(data)
	if n <= 0 || miniblocks > len(data)-n {
		return nil, nil, errDeltas
	}
	widths := data[n : n+miniblocks]
	data = data[n+miniblocks:]
	for _, width := range widths {
		if len(dst) == total {
			break
		}
		bytes := b.size / 8 * int(width)
		if width > 32 || bytes > len(data) {
			return nil, nil, errDeltas
		}
		from := len(dst)
		dst = append(dst, make([]int32, min(b.size, total-from))...)
		packed := hybrid{data: data[:bytes], width: int(width)}
		packed.unpack(dst[from:])
		for i := range dst[from:] {
			b.last += int32(least) + dst[from+i]
			dst[from+i] = b.last
		}
		data = data[bytes:]
	}
	return dst, data, nil
}

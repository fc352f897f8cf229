package audience

import (
	"encoding/binary"
	"fmt"
)

// checkTexts checks n texts whose lengths stand before them, in DELTA_BINARY_PACKED:
// the lengths sum up to the bytes that follow.
func checkTexts(data []byte, n int) error {
	r := deltaReader{data: data}
	block, minis, count := r.uvarint(), r.uvarint(), r.uvarint()
	r.last = r.varint()
	switch {
	case r.short:
		return errFew
	case count != uint64(n):
		return fmt.Errorf("%d lengths for %d texts", count, n)
	case block == 0 || block > 1<<16 || block%128 != 0 || minis == 0 || block%minis != 0 || block/minis%32 != 0:
		return fmt.Errorf("blocks of %d lengths in %d parts", block, minis)
	}
	if n > 0 && !r.add(0) {
		return errFew
	}
	for left := n - 1; left > 0; left -= int(block) {
		if err := r.block(min(left, int(block)), int(minis), int(block/minis)); err != nil {
			return err
		}
	}
	return checkSize(len(r.data), r.total)
}

// deltaReader walks through lengths.
type deltaReader struct {
	data  []byte // not yet read: lengths, and the texts behind them
	last  int64  // the length at hand
	total int    // of the lengths so far
	short bool   // a number was cut off
}

func (r *deltaReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	r.short = r.short || n <= 0
	r.data = r.data[max(n, 0):]
	return v
}

func (r *deltaReader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// add goes on by one length, false when it cannot be one of a text in the page.
func (r *deltaReader) add(delta int64) bool {
	r.last += delta
	if r.last < 0 || r.last > int64(len(r.data)) {
		return false
	}
	r.total += int(r.last)
	return r.total <= len(r.data)
}

// block reads n lengths in miniblocks of size each.
func (r *deltaReader) block(n, minis, size int) error {
	least := r.varint()
	if r.short || minis > len(r.data) {
		return errFew
	}
	widths := r.data[:minis]
	r.data = r.data[minis:]
	for _, width := range widths {
		if n <= 0 {
			return nil
		}
		if err := r.mini(min(n, size), size, int(width), least); err != nil {
			return err
		}
		n -= size
	}
	return nil
}

// mini reads n lengths of a miniblock that has room for size.
func (r *deltaReader) mini(n, size, width int, least int64) error {
	bytes := size / 8 * width
	if width > 32 || bytes > len(r.data) {
		return errFew
	}
	if width == 0 && least == 0 { // all have the length of the one before
		if r.total += n * int(r.last); r.total > len(r.data) {
			return errFew
		}
		return nil
	}
	packed := r.data[:bytes]
	r.data = r.data[bytes:]
	for i := range n {
		delta := least
		if width > 0 {
			delta += int64(bitsAt(packed, i*width) & (1<<width - 1))
		}
		if !r.add(delta) {
			return errFew
		}
	}
	return nil
}

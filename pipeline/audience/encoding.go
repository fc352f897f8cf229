package audience

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The encodings of the Parquet format (github.com/apache/parquet-format,
// Encodings.md). Each function adds values to dst, all at once.

// minRun is from how many equal codes on a run takes fewer bytes than packed bits,
// whatever stands around it.
const minRun = 32

// appendHybrid adds codes, each below 1<<width, in the RLE/bit-packing hybrid: long
// runs as such, and what lies between them packed, in groups of eight.
func appendHybrid(dst []byte, codes []uint16, width int) []byte {
	start, at := 0, 0
	for at < len(codes) {
		n := runLength(codes[at:])
		if n < minRun {
			at = min(at+8, len(codes))
			continue
		}
		dst = appendPackedRun(dst, codes[start:at], width)
		dst = appendRun(dst, codes[at], n, width)
		at += n
		start = at
	}
	return appendPackedRun(dst, codes[start:], width)
}

// runLength counts the codes that are the same as the first.
func runLength[T uint16 | int32](codes []T) int {
	n := 1
	for n < len(codes) && codes[n] == codes[0] {
		n++
	}
	return n
}

// appendRun adds a run of n times the same code.
func appendRun(dst []byte, code uint16, n, width int) []byte {
	dst = append(binary.AppendUvarint(dst, uint64(n)<<1), byte(code))
	if width > 8 {
		dst = append(dst, byte(code>>8))
	}
	return dst
}

// appendPackedRun adds codes as a run of packed bits, filled up with zeros.
func appendPackedRun(dst []byte, codes []uint16, width int) []byte {
	if len(codes) == 0 {
		return dst
	}
	groups := (len(codes) + 7) / 8
	return appendPacked(binary.AppendUvarint(dst, uint64(groups)<<1|1), codes, width)
}

// appendPacked adds codes of width bits each, from the lowest bit up, to a whole
// number of groups of eight. PLAIN booleans have this form too, with a width of 1.
func appendPacked(dst []byte, codes []uint16, width int) []byte {
	const group, spare = 8, 16
	at := len(dst)
	dst = slices.Grow(dst, (len(codes)+group-1)/group*width+spare)
	dst = dst[:cap(dst)]
	for ; len(codes) >= group; codes = codes[group:] {
		packGroup(dst[at:], (*[group]uint16)(codes), uint(width))
		at += width
	}
	if len(codes) > 0 {
		var last [group]uint16
		copy(last[:], codes)
		packGroup(dst[at:], &last, uint(width))
		at += width
	}
	return dst[:at]
}

// packGroup puts the width bytes that eight codes take, and zeros up to the
// sixteenth byte of dst.
func packGroup(dst []byte, c *[8]uint16, width uint) {
	low := uint64(c[0]) | uint64(c[1])<<width | uint64(c[2])<<(2*width) | uint64(c[3])<<(3*width)
	high := uint64(c[4]) | uint64(c[5])<<width | uint64(c[6])<<(2*width) | uint64(c[7])<<(3*width)
	binary.LittleEndian.PutUint64(dst, low|high<<(4*width))
	binary.LittleEndian.PutUint64(dst[8:], high>>(64-4*width))
}

// widthOf is how many bits a code below n takes, at least one.
func widthOf(n int) int { return max(1, bits.Len(uint(n-1))) }

// A block of DELTA_BINARY_PACKED, the sizes that every writer takes.
const (
	deltaBlock = 128
	deltaMini  = 32
)

// appendDeltas adds numbers from 0 in DELTA_BINARY_PACKED: the first, and then in
// blocks how much each differs from the one before it.
func appendDeltas(dst []byte, values []int32) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(values[0]))
	for len(values) > 1 {
		n := min(len(values)-1, deltaBlock)
		dst = appendDeltaBlock(dst, values[:n+1])
		values = values[n:]
	}
	return dst
}

// appendDeltaBlock adds the differences between values, at most deltaBlock.
func appendDeltaBlock(dst []byte, values []int32) []byte {
	if runLength(values) == len(values) { // as the lengths of ids
		return append(dst, 0, 0, 0, 0, 0)
	}
	var all [deltaBlock]int64
	deltas := all[:len(values)-1]
	for i := range deltas {
		deltas[i] = int64(values[i+1]) - int64(values[i])
	}
	least := slices.Min(deltas)
	dst = binary.AppendVarint(dst, least)
	widths := len(dst)
	dst = append(dst, 0, 0, 0, 0) // a byte for each miniblock
	for i := 0; i*deltaMini < len(deltas); i++ {
		var mini [deltaMini]uint64
		most := uint64(0)
		for j, d := range deltas[i*deltaMini : min(len(deltas), (i+1)*deltaMini)] {
			mini[j] = uint64(d - least)
			most |= mini[j]
		}
		dst[widths+i] = byte(bits.Len64(most))
		dst = appendMini(dst, &mini, bits.Len64(most))
	}
	return dst
}

// appendMini packs the values of a miniblock, each of width bits, at most 32.
func appendMini(dst []byte, mini *[deltaMini]uint64, width int) []byte {
	if width == 0 {
		return dst
	}
	var waiting uint64 // bits
	count := 0
	for _, v := range mini {
		waiting |= v << count
		count += width
		if count >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(waiting))
			waiting, count = waiting>>32, count-32
		}
	}
	return dst
}

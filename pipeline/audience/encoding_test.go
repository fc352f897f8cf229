package audience

import (
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// bitAt gives the bits from at on as a number, the lowest first, one at a time.
func bitAt(data []byte, at, width int) (v uint64) {
	for i := range width {
		v |= uint64(data[(at+i)/8]>>((at+i)%8)&1) << i
	}
	return v
}

// hybridIn decodes n codes from runs.
func hybridIn(data []byte, n, width int) (codes []uint16) {
	for len(codes) < n {
		head, size := binary.Uvarint(data)
		data = data[size:]
		if head&1 == 0 {
			for range head >> 1 {
				codes = append(codes, uint16(bitAt(data, 0, width)))
			}
			data = data[(width+7)/8:]
			continue
		}
		for i := range 8 * int(head>>1) {
			codes = append(codes, uint16(bitAt(data, i*width, width)))
		}
		data = data[int(head>>1)*width:]
	}
	return codes[:n]
}

func TestHybrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 16).Draw(t, "width")
		code := rapid.Map(rapid.Uint32Range(0, 1<<width-1), func(v uint32) uint16 { return uint16(v) })
		var codes []uint16
		for range rapid.IntRange(0, 6).Draw(t, "stretches") {
			codes = append(codes, rapid.SliceOfN(code, 0, 40).Draw(t, "codes")...)
			codes = append(codes, slices.Repeat([]uint16{code.Draw(t, "same")}, rapid.IntRange(0, 200).Draw(t, "times"))...)
		}
		prefix := []byte("before")
		data := appendHybrid(slices.Clone(prefix), codes, width)
		if got := hybridIn(data[len(prefix):], len(codes), width); !slices.Equal(got, codes) || !slices.Equal(data[:len(prefix)], prefix) {
			t.Fatalf("%d codes of %d bits: wrote %v, read %v", len(codes), width, codes, got)
		}
	})
}

// deltasIn decodes DELTA_BINARY_PACKED and gives the bytes that follow.
func deltasIn(data []byte) (values []int32, rest []byte) {
	number := func() uint64 {
		v, n := binary.Uvarint(data)
		data = data[n:]
		return v
	}
	signed := func() int64 {
		v, n := binary.Varint(data)
		data = data[n:]
		return v
	}
	block, minis, count := int(number()), int(number()), int(number())
	last := signed()
	if count > 0 {
		values = append(values, int32(last))
	}
	for len(values) < count {
		least, widths := signed(), data[:minis]
		data = data[minis:]
		for _, width := range widths {
			for i := range block / minis {
				last += least + int64(bitAt(data, i*int(width), int(width)))
				if len(values) < count {
					values = append(values, int32(last))
				}
			}
			data = data[block/minis*int(width)/8:]
		}
	}
	return values, data
}

func TestDeltas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int32{0, 1, 20, 70_000, 1<<31 - 1}).Draw(t, "most")
		values := rapid.SliceOfN(rapid.Int32Range(0, most), 0, 600).Draw(t, "values")
		got, rest := deltasIn(append(appendDeltas(nil, values), "after"...))
		if !slices.Equal(got, values) || string(rest) != "after" {
			t.Fatalf("wrote %v, read %v and left %q", values, got, rest)
		}
	})
}

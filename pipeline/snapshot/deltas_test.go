package snapshot

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// encodeDeltas is DELTA_BINARY_PACKED, number by number.
func encodeDeltas(numbers []int32, miniblocks, each int) []byte {
	data := binary.AppendUvarint(nil, uint64(miniblocks*each))
	data = binary.AppendUvarint(data, uint64(miniblocks))
	data = binary.AppendUvarint(data, uint64(len(numbers)))
	if len(numbers) == 0 {
		return binary.AppendVarint(data, 0)
	}
	data = binary.AppendVarint(data, int64(numbers[0]))
	var deltas []int32
	for i := range numbers[1:] {
		deltas = append(deltas, numbers[i+1]-numbers[i])
	}
	for len(deltas) > 0 {
		block := deltas[:min(miniblocks*each, len(deltas))]
		deltas = deltas[len(block):]
		least := slices.Min(block)
		data = binary.AppendVarint(data, int64(least))
		var widths, bodies []byte
		for range miniblocks {
			mini := block[:min(each, len(block))]
			block = block[len(mini):]
			width := 0
			for _, d := range mini {
				width = max(width, bits.Len32(uint32(d-least)))
			}
			body := make([]byte, each*width/8)
			for i, d := range mini {
				for b := range width {
					at := i*width + b
					body[at/8] |= byte(uint32(d-least)>>b&1) << (at % 8)
				}
			}
			widths = append(widths, byte(width))
			if len(mini) > 0 {
				bodies = append(bodies, body...)
			}
		}
		data = append(append(data, widths...), bodies...)
	}
	return data
}

func TestDeltasGiveWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]*rapid.Generator[int32]{rapid.Int32(), rapid.Int32Range(0, 30), rapid.Just(int32(18))}).Draw(t, "numbers")
		want := rapid.SliceOfN(number, 0, 700).Draw(t, "want")
		data := encodeDeltas(want, rapid.SampledFrom([]int{1, 4, 8}).Draw(t, "miniblocks"), rapid.SampledFrom([]int{32, 64}).Draw(t, "each"))
		got, rest, err := readDeltas([]int32{7}, append(data, "after"...), len(want))
		if err != nil || !slices.Equal(got[1:], want) || got[0] != 7 || string(rest) != "after" {
			t.Fatalf("got %v, %q, %v, want %v", got, rest, err, want)
		}
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if got, _, err := readDeltas(nil, data[:cut], len(want)); err == nil {
			t.Fatalf("%d of %d bytes gave %v", cut, len(data), got)
		}
		if _, _, err := readDeltas(nil, data, len(want)-1); err == nil && len(want) > 0 {
			t.Fatal("more numbers than allowed were taken")
		}
	})
}

func FuzzDeltas(f *testing.F) {
	f.Add(encodeDeltas([]int32{18, 18, 3, 40}, 4, 32), uint16(4))
	f.Fuzz(func(t *testing.T, data []byte, most uint16) {
		if got, _, err := readDeltas(nil, data, int(most)); err == nil && len(got) > int(most) {
			t.Fatalf("%d numbers, at most %d", len(got), most)
		}
	})
}

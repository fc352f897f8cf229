package snapshot

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// encodeRun appends one run of the hybrid: a packed one of whole groups of eight, bit by
// bit, or one that repeats the first number.
func encodeRun(dst []byte, numbers []uint32, width int, packed bool) []byte {
	if !packed {
		dst = binary.AppendUvarint(dst, uint64(len(numbers))<<1)
		for i := 0; i < width; i += 8 {
			dst = append(dst, byte(numbers[0]>>i))
		}
		return dst
	}
	groups := (len(numbers) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	bits := make([]byte, groups*width)
	for i, n := range numbers {
		for b := range width {
			at := i*width + b
			bits[at/8] |= byte(n>>b&1) << (at % 8)
		}
	}
	return append(dst, bits...)
}

func TestHybridGivesWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(0, 32).Draw(t, "width")
		number := rapid.Uint32Range(0, uint32(uint64(1)<<width-1))
		var data []byte
		var want []int32
		for range rapid.IntRange(1, 6).Draw(t, "runs") {
			packed := rapid.Bool().Draw(t, "packed")
			n := rapid.IntRange(0, 70).Draw(t, "n")
			run := make([]uint32, n)
			for i := range run {
				run[i] = number.Draw(t, "number")
			}
			if packed {
				run = slices.Concat(run, make([]uint32, -n&7))
			} else if n > 0 {
				run = slices.Repeat(run[:1], n)
			} else {
				run = []uint32{number.Draw(t, "number")}
			}
			data = encodeRun(data, run, width, packed)
			for _, v := range run {
				want = append(want, int32(v))
			}
		}
		h := hybrid{data: data, width: width}
		got := make([]int32, len(want))
		levels := hybrid{data: data, width: width}
		asLevels, ones, wantOnes := make([]int16, len(want)), 0, 0
		for at := 0; at < len(want); {
			n := rapid.IntRange(1, 20).Draw(t, "take")
			n = min(n, len(want)-at)
			if err := h.numbers(got[at : at+n]); err != nil {
				t.Fatal(err)
			}
			if width == 1 {
				k, err := levels.levels(asLevels[at : at+n])
				if err != nil {
					t.Fatal(err)
				}
				ones += k
			}
			at += n
		}
		if !slices.Equal(got, want) {
			t.Fatalf("width %d: got %v, want %v", width, got, want)
		}
		for i, v := range want {
			wantOnes += int(v)
			if width == 1 && int32(asLevels[i]) != v {
				t.Fatalf("level %d is %d, want %d", i, asLevels[i], v)
			}
		}
		if width == 1 && ones != wantOnes {
			t.Fatalf("counted %d ones, want %d", ones, wantOnes)
		}
		if err := h.numbers(make([]int32, 1)); !errors.Is(err, errFew) {
			t.Fatalf("one more than all: %v", err)
		}
	})
}

func TestHybridRefusesWhatIsTooLarge(t *testing.T) {
	h := hybrid{data: []byte{2 << 1, 5}, width: 2}
	if err := h.numbers(make([]int32, 1)); err == nil {
		t.Error("the number 5 in two bits was taken")
	}
	h = hybrid{data: []byte{2 << 1, 2}, width: 1}
	if _, err := h.levels(make([]int16, 1)); err == nil {
		t.Error("the level 2 was taken")
	}
}

// FuzzHybrid: whatever the bytes, it ends with numbers of the width or an error.
func FuzzHybrid(f *testing.F) {
	f.Add([]byte{3, 0xff, 0x01, 8, 1}, byte(1), uint16(20))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 7}, byte(31), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, width byte, n uint16) {
		h := hybrid{data: data, width: int(width % 33)}
		got := make([]int32, n%3000)
		if err := h.numbers(got); err != nil {
			return
		}
		for _, v := range got {
			if uint64(uint32(v))>>h.width != 0 {
				t.Fatalf("%d has more than %d bits", uint32(v), h.width)
			}
		}
		l := hybrid{data: data, width: 1}
		_, _ = l.levels(make([]int16, n%3000))
	})
}

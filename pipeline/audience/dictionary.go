package audience

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Limits of a dictionary: beyond them plain values are as small and faster. Codes
// take at most 16 bits.
const (
	dictionaryTexts   = 16_384
	dictionaryBytes   = 1 << 20
	dictionaryText    = 1 << 10 // bytes; a column made plain has them in every row
	dictionaryNumbers = 1 << 16
)

// dictionary numbers texts in the order of their first appearance.
type dictionary struct {
	codes map[string]uint16
	texts []string

	bytes, longest int // of all texts, of one
}

func newDictionary() *dictionary { return &dictionary{codes: make(map[string]uint16)} }

// code gives the number of s, false when s is new and there is no room for it.
func (d *dictionary) code(s string) (uint16, bool) {
	if code, ok := d.codes[s]; ok {
		return code, true
	}
	if len(d.texts) == dictionaryTexts || d.bytes+len(s) > dictionaryBytes || len(s) > dictionaryText {
		return 0, false
	}
	s = strings.Clone(s)
	code := uint16(len(d.texts))
	d.codes[s] = code
	d.texts = append(d.texts, s)
	d.bytes += len(s)
	d.longest = max(d.longest, len(s))
	return code, true
}

// plain gives the texts in their PLAIN form, each behind its length.
func (d *dictionary) plain() []byte {
	page := make([]byte, 0, d.bytes+4*len(d.texts))
	for _, s := range d.texts {
		page = append(binary.LittleEndian.AppendUint32(page, uint32(len(s))), s...)
	}
	return page
}

func (d *dictionary) bounds() bounds {
	return bounds{[]byte(slices.Min(d.texts)), []byte(slices.Max(d.texts))}
}

func (d *dictionary) reset() {
	clear(d.codes)
	d.texts, d.bytes, d.longest = d.texts[:0], 0, 0
}

// numbering numbers the different values of a column in a row group, in the order of
// their first appearance. Numbers are the same when all their bits are.
type numbering[W uint32 | uint64] struct {
	words []W
	codes []uint16 // one a value
	slots []uint32 // by hash: code+1 of a word, 0 where there is none; at most half are taken
	shift int      // of a hash, to a slot
	tries int      // how many slots may still be found taken
}

// number numbers values. It says false when a dictionary would save less than a quarter
// of their bytes, or when so many hashes fall together that it would take long.
func (d *numbering[W]) number(values []W) bool {
	d.words = d.words[:0]
	d.codes = slices.Grow(d.codes[:0], len(values))[:len(values)]
	d.tries = 8 * len(values)
	d.spread(10)
	most := min(dictionaryNumbers, len(values)/2)
	for i, v := range values {
		slot := d.find(v)
		if d.tries == 0 {
			return false
		}
		if d.slots[slot] == 0 {
			if len(d.words) == most {
				return false
			}
			d.words = append(d.words, v)
			d.slots[slot] = uint32(len(d.words))
		}
		d.codes[i] = uint16(d.slots[slot] - 1)
		if 2*len(d.words) > len(d.slots) {
			d.spread(64 - d.shift + 2)
		}
	}
	bits := 8 * binary.Size(W(0))
	return 4*(len(d.words)*bits+len(values)*widthOf(len(d.words))) <= 3*len(values)*bits
}

// find gives the slot of v, or the free one where it belongs.
func (d *numbering[W]) find(v W) uint64 {
	slot := uint64(v) * 0x9E3779B97F4A7C15 >> d.shift // Fibonacci hashing: 2^64 over the golden ratio
	for d.slots[slot] != 0 && d.words[d.slots[slot]-1] != v && d.tries > 0 {
		slot = (slot + 1) & uint64(len(d.slots)-1)
		d.tries--
	}
	return slot
}

// spread gives the words a table of 1<<size slots.
func (d *numbering[W]) spread(size int) {
	n := 1 << size
	d.slots = slices.Grow(d.slots[:0], n)[:n]
	d.shift = 64 - size
	clear(d.slots)
	for i, v := range d.words {
		d.slots[d.find(v)] = uint32(i + 1)
	}
}

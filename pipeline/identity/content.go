package identity

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"
)

// Hasher hashes the content of rows. It keeps a buffer, so each goroutine has
// its own; the zero value is ready.
type Hasher struct{ buffer []byte }

// ContentHash gives the xxh3 hash, 128 bits, of row i over all columns of the
// batch in their order. Rows are told apart by null and empty, by type and by
// where a column ends; text is the same plain, large or as a dictionary, a time
// in any unit, 0 and -0. Types that Arrow has beside those of a snapshot take
// part by their text form.
func (h *Hasher) ContentHash(batch arrow.RecordBatch, i int) [16]byte {
	h.buffer = h.buffer[:0]
	for _, column := range batch.Columns() {
		arr, k := valueOf(column, i)
		h.buffer = appendContent(h.buffer, arr, k)
	}
	return xxh3.Hash128(h.buffer).Bytes()
}

// appendContent appends a type tag, then the length and the bytes of the value;
// of a null the tag of no type.
func appendContent(dst []byte, arr arrow.Array, i int) []byte {
	if arr.IsNull(i) {
		return append(dst, byte(arrow.NULL))
	}
	dst = append(dst, tag(arr.DataType()), 0, 0, 0, 0)
	start := len(dst)
	dst, ok := appendValue(dst, arr, i)
	if !ok {
		dst = append(dst, arr.ValueStr(i)...)
	}
	binary.LittleEndian.PutUint32(dst[start-4:], uint32(len(dst)-start))
	return dst
}

// tag is the same for both widths of offsets of a text.
func tag(t arrow.DataType) byte {
	if isText(t) {
		return byte(arrow.STRING)
	}
	return byte(t.ID())
}

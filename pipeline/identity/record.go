package identity

import "encoding/binary"

// record is a suspect with all that is compared of it. A record of a list has
// neither order nor content.
type record struct {
	hash    uint64
	row     int64
	content [16]byte
	id      []byte
	order   []byte
}

// recordHeader is the length of what precedes id and order: hash, row, content,
// and the lengths of the two.
const recordHeader = 40

func (r *record) size() int { return recordHeader + len(r.id) + len(r.order) }

// put writes the record to dst, which is size bytes long.
func (r *record) put(dst []byte) {
	binary.LittleEndian.PutUint64(dst, r.hash)
	binary.LittleEndian.PutUint64(dst[8:], uint64(r.row))
	copy(dst[16:], r.content[:])
	binary.LittleEndian.PutUint32(dst[32:], uint32(len(r.id)))
	binary.LittleEndian.PutUint32(dst[36:], uint32(len(r.order)))
	n := copy(dst[recordHeader:], r.id)
	copy(dst[recordHeader+n:], r.order)
}

// take reads the first of some records, pointing into them, and gives the rest.
func (r *record) take(records []byte) []byte {
	r.hash = binary.LittleEndian.Uint64(records)
	r.row = int64(binary.LittleEndian.Uint64(records[8:]))
	copy(r.content[:], records[16:])
	id := recordHeader + int(binary.LittleEndian.Uint32(records[32:]))
	end := id + int(binary.LittleEndian.Uint32(records[36:]))
	r.id, r.order = records[recordHeader:id], records[id:end]
	return records[end:]
}

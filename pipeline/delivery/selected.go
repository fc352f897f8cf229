package delivery

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/spill"
)

// selected is one row of a source: a user whom the publication has in an audience
// or in its control arm.
type selected struct {
	hash     uint64
	id       string
	source   int
	place    int64
	payload  uint64 // hash of what would be sent
	identity string // as in Standing
}

// gathering sorts the selected rows of all sources by key, in partitions by the
// leading bits of the hash, so that one partition at a time is in memory.
type gathering struct {
	store     *spill.Store
	bits      int  // of the number of a partition
	byPayload bool // rows are sorted by their payload, which is a hash too, in place of that of the id
}

// Sizes of what is gathered. A record is a header, the id, the identity.
const (
	recordHeader  = 6 + 2 + 8 + 2 + 4
	idGuess       = 24
	identityGuess = 96
	selectedSize  = 128 // bytes of a row in memory, beside its record
	mostPartition = 1 << 20
	leastBuffer   = 4 << 10
	mostBuffer    = 32 << 10
)

// newGathering cuts so many rows, of a size beside their header, that a partition, the
// records that are held and those on their way take a sixty-fourth of memory each, and
// that a partition fits into the cache of a core. There are at least as many partitions
// as some leading bits of the hash tell apart.
func newGathering(rows, size, memory int64, temp string, leading int) *gathering {
	share := memory / 64
	for rows*(recordHeader+size+selectedSize)>>leading > min(share, mostPartition) && leading < 12 {
		leading++
	}
	return &gathering{bits: leading, store: spill.New(spill.Options{
		Partitions: 1 << leading, Buffer: int(min(max(share>>leading, leastBuffer), mostBuffer)), Held: share, Temp: temp,
	})}
}

// put adds one row, of which id is the id.
func (g *gathering) put(w *spill.Writer, s *selected, id []byte) error {
	p, err := w.Reserve(bucketOf(s.hash, g.bits), recordHeader+len(id)+len(s.identity))
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(p, uint64(s.place)<<16|uint64(s.source))
	binary.LittleEndian.PutUint64(p[8:], s.payload)
	binary.LittleEndian.PutUint16(p[16:], uint16(len(id)))
	binary.LittleEndian.PutUint32(p[18:], uint32(len(s.identity)))
	copy(p[recordHeader+copy(p[recordHeader:], id):], s.identity)
	return nil
}

// each gives the rows of some partitions in the order of hash, id and source, those
// of one partition at a time. They hold until visit returns.
func (g *gathering) each(ctx context.Context, from, to int, visit func([]selected) error) error {
	var p part
	for n := from; n < to; n++ {
		rows, err := g.load(ctx, n, &p)
		if err == nil {
			err = visit(rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// part is one partition at a time; its memory is used again.
type part struct {
	rows, sorted []selected
	cells        []int32
}

// load gives the rows of a partition, sorted.
func (g *gathering) load(ctx context.Context, partition int, p *part) ([]selected, error) {
	p.rows = p.rows[:0]
	err := g.store.Each(ctx, partition, func(records []byte) error {
		text := string(records) // one for the texts of all
		for at := 0; at < len(records); {
			r := records[at:]
			id := recordHeader + int(binary.LittleEndian.Uint16(r[16:]))
			n := id + int(binary.LittleEndian.Uint32(r[18:]))
			row := selected{
				place:    int64(binary.LittleEndian.Uint64(r) >> 16),
				source:   int(binary.LittleEndian.Uint16(r)),
				payload:  binary.LittleEndian.Uint64(r[8:]),
				id:       text[at+recordHeader : at+id],
				identity: text[at+id : at+n],
			}
			if row.hash = row.payload; !g.byPayload {
				row.hash = xxh3.HashString(row.id)
			}
			p.rows = append(p.rows, row)
			at += n
		}
		return nil
	})
	p.sort(g.bits)
	return p.sorted, err
}

// sort sorts rows whose hashes have the same leading bits: by the bits that follow
// into cells of a few rows, then within each.
func (p *part) sort(leading int) {
	n := bits.Len(uint(len(p.rows) / 4))
	cell := func(s *selected) int { return bucketOf(s.hash<<leading, n) }
	p.cells = slices.Grow(p.cells[:0], 1<<n+1)[:1<<n+1]
	clear(p.cells)
	for i := range p.rows {
		p.cells[cell(&p.rows[i])+1]++
	}
	for c := range 1 << n {
		p.cells[c+1] += p.cells[c]
	}
	p.sorted = slices.Grow(p.sorted[:0], len(p.rows))[:len(p.rows)]
	for i := range p.rows {
		at := &p.cells[cell(&p.rows[i])]
		p.sorted[*at] = p.rows[i]
		*at++
	}
	from := int32(0)
	for _, to := range p.cells[:1<<n] {
		if to > from+1 {
			slices.SortFunc(p.sorted[from:to], compareSelected)
		}
		from = to
	}
}

func compareSelected(a, b selected) int {
	if a.hash != b.hash { // nearly always; cmp.Or would compare the ids first
		return order(a.hash < b.hash)
	}
	return cmp.Or(strings.Compare(a.id, b.id), cmp.Compare(a.source, b.source))
}

func (g *gathering) close() error { return errors.Join(g.store.Close()) }

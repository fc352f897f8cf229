package delivery

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/spill"
)

// selected is one row of a source: a user whom the publication has in an audience
// or in its control arm. Its texts belong to the partition that it is of.
type selected struct {
	hash     uint64
	id       []byte
	source   int
	place    int64
	payload  uint64 // hash of what would be sent
	was      uint64 // the same in the form of the delivery before
	identity []byte // as in Standing
}

// renewed gives a payload of the delivery before in the form of this one. It is the
// row's own, or that of another day, where it was so in the former form, and only there.
func (s *selected) renewed(before uint64) uint64 { return before - s.was + s.payload }

// gathering sorts the selected rows of all sources by key, in partitions by the
// leading bits of the hash, so that one partition at a time is in memory.
type gathering struct {
	store     *spill.Store
	bits      int  // of the number of a partition
	byForm    bool // rows have two payloads
	byPayload bool // rows are sorted by their payload, which is a hash too, in place of that of the id
}

// Sizes of what is gathered. A record is a header, the id, the identity.
const (
	recordHeader  = 6 + 2 + 8 + 2 + 4
	idGuess       = 24
	identityGuess = 96
	mostPartition = 2 << 20
	leastBuffer   = 4 << 10
	mostBuffer    = 32 << 10
)

// newGathering cuts so many rows, of a size beside their header, that a partition, the
// records that are held and those on their way take a thirty-second of memory each, and
// that a partition stays near the cores. There are at least as many partitions as some
// leading bits of the hash tell apart.
func newGathering(rows, size, memory int64, temp string, leading int) *gathering {
	share := memory / 32
	for rows*(recordHeader+size+2*spotSize)>>leading > min(share, mostPartition) && leading < 12 {
		leading++
	}
	return &gathering{bits: leading, store: spill.New(spill.Options{
		Partitions: 1 << leading, Buffer: int(min(max(share>>leading, leastBuffer), mostBuffer)), Held: share, Temp: temp,
	})}
}

// put adds one row, with its texts.
func (g *gathering) put(w *spill.Writer, s *selected, id []byte, identity string) error {
	p, err := w.Reserve(bucketOf(s.hash, g.bits), recordHeader+len(id)+len(identity)+g.trailer())
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(p, uint64(s.place)<<16|uint64(s.source))
	binary.LittleEndian.PutUint64(p[8:], s.payload)
	binary.LittleEndian.PutUint16(p[16:], uint16(len(id)))
	binary.LittleEndian.PutUint32(p[18:], uint32(len(identity)))
	end := recordHeader + copy(p[recordHeader:], id)
	end += copy(p[end:], identity)
	if g.byForm {
		binary.LittleEndian.PutUint64(p[end:], s.was)
	}
	return nil
}

// trailer is how many bytes follow the texts of a record.
func (g *gathering) trailer() int {
	if g.byForm {
		return 8
	}
	return 0
}

// each gives some partitions, one at a time. It holds until visit returns.
func (g *gathering) each(ctx context.Context, from, to int, visit func(*part) error) error {
	p := part{gathering: g}
	for n := from; n < to; n++ {
		err := g.load(ctx, n, &p)
		if err == nil {
			err = visit(&p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// part is the rows of a partition in the order of hash, id and source. Its memory is
// used again.
type part struct {
	*gathering
	records       []byte
	spots, sorted []spot
	cells         []int32
	block         []selected // see eachBlock
}

// spot is where a record lies, and the hash by which it is sorted.
type spot struct {
	hash uint64
	at   int
}

const spotSize = 16

// load makes p a partition, sorted.
func (g *gathering) load(ctx context.Context, partition int, p *part) error {
	p.records, p.spots = slices.Grow(p.records[:0], int(g.store.Size(partition))), p.spots[:0]
	err := g.store.Each(ctx, partition, func(records []byte) error {
		p.records = append(p.records, records...)
		return nil
	})
	for at := 0; at < len(p.records); {
		r := p.records[at:]
		id := recordHeader + int(binary.LittleEndian.Uint16(r[16:]))
		hash := binary.LittleEndian.Uint64(r[8:])
		if !g.byPayload {
			hash = xxh3.Hash(r[recordHeader:id])
		}
		p.spots = append(p.spots, spot{hash, at})
		at += id + int(binary.LittleEndian.Uint32(r[18:])) + g.trailer()
	}
	p.sort(g.bits)
	return err
}

// read makes row that at a spot, field by field: a row made first and copied then takes
// several times as long.
func (p *part) read(row *selected, s spot) {
	r := p.records[s.at:]
	id := recordHeader + int(binary.LittleEndian.Uint16(r[16:]))
	end := id + int(binary.LittleEndian.Uint32(r[18:]))
	row.hash = s.hash
	row.id = r[recordHeader:id:id]
	row.source = int(binary.LittleEndian.Uint16(r))
	row.place = int64(binary.LittleEndian.Uint64(r) >> 16)
	row.payload = binary.LittleEndian.Uint64(r[8:])
	row.identity = r[id:end:end]
	if row.was = row.payload; p.byForm {
		row.was = binary.LittleEndian.Uint64(r[end:])
	}
}

// eachBlock gives the rows in their order, some at a time: all that have the same hash
// together. They hold until visit returns, their texts until the partition is loaded anew.
func (p *part) eachBlock(visit func([]selected) error) error {
	const rows = 64 // read together, as they lie anywhere
	for spots := p.sorted; len(spots) > 0; {
		n := min(rows, len(spots))
		for n < len(spots) && spots[n].hash == spots[n-1].hash {
			n++
		}
		p.block = slices.Grow(p.block[:0], n)[:n]
		for i, s := range spots[:n] {
			p.read(&p.block[i], s)
		}
		if err := visit(p.block); err != nil {
			return err
		}
		spots = spots[n:]
	}
	return nil
}

// eachUser gives the rows of one user after another. They hold until visit returns.
func (p *part) eachUser(visit func([]selected) error) error {
	return p.eachBlock(func(rows []selected) error {
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && rows[n].hash == rows[0].hash && bytes.Equal(rows[n].id, rows[0].id) {
				n++
			}
			if err := visit(rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
		}
		return nil
	})
}

// sort sorts rows whose hashes have the same leading bits: by the bits that follow
// into cells of a few rows, then within each.
func (p *part) sort(leading int) {
	n := bits.Len(uint(len(p.spots) / 4))
	p.cells = slices.Grow(p.cells[:0], 1<<n+1)[:1<<n+1]
	clear(p.cells)
	for _, s := range p.spots {
		p.cells[bucketOf(s.hash<<leading, n)+1]++
	}
	for c := range 1 << n {
		p.cells[c+1] += p.cells[c]
	}
	p.sorted = slices.Grow(p.sorted[:0], len(p.spots))[:len(p.spots)]
	for _, s := range p.spots {
		at := &p.cells[bucketOf(s.hash<<leading, n)]
		p.sorted[*at] = s
		*at++
	}
	from := int32(0)
	for _, to := range p.cells[:1<<n] {
		if to > from+1 {
			slices.SortFunc(p.sorted[from:to], p.compare)
		}
		from = to
	}
}

func (p *part) compare(a, b spot) int {
	if a.hash != b.hash { // nearly always
		return order(a.hash < b.hash)
	}
	return compareRecords(p.records[a.at:], p.records[b.at:])
}

// compareRecords orders records by id and source.
func compareRecords(a, b []byte) int {
	id := func(r []byte) []byte { return r[recordHeader : recordHeader+int(binary.LittleEndian.Uint16(r[16:]))] }
	return cmp.Or(bytes.Compare(id(a), id(b)), cmp.Compare(binary.LittleEndian.Uint16(a), binary.LittleEndian.Uint16(b)))
}

func (g *gathering) close() error { return g.store.Close() }

package delivery

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/spill"
)

// newKey gives the key of a standing with its hash.
func newKey(id, audience string, control bool) key {
	return key{xxh3.HashString(id), id, audience, control}
}

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
	store *spill.Store
	bits  int // of the number of a partition
}

// Sizes of what is gathered. A record is a header, the id, the identity.
const (
	recordHeader  = 8 + 8 + 8 + 2 + 2 + 4
	idGuess       = 24
	identityGuess = 96
	selectedSize  = 96 // bytes of a row in memory, beside its record
	leastBuffer   = 4 << 10
	mostBuffer    = 32 << 10
)

// newGathering cuts so many rows, of a size beside their header, that a partition, the
// records that are held and those on their way take a sixty-fourth of memory each.
func newGathering(rows, size, memory int64, temp string) *gathering {
	bits, share := 0, memory/64
	for rows*(recordHeader+size+selectedSize)>>bits > share && bits < 12 {
		bits++
	}
	return &gathering{bits: bits, store: spill.New(spill.Options{
		Partitions: 1 << bits, Buffer: int(min(max(share>>bits, leastBuffer), mostBuffer)), Held: share, Temp: temp,
	})}
}

func (g *gathering) partition(hash uint64) int { return int(hash >> 1 >> (63 - g.bits)) }

// put adds one row.
func (g *gathering) put(w *spill.Writer, s selected) error {
	p, err := w.Reserve(g.partition(s.hash), recordHeader+len(s.id)+len(s.identity))
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(p, s.hash)
	binary.LittleEndian.PutUint64(p[8:], uint64(s.place))
	binary.LittleEndian.PutUint64(p[16:], s.payload)
	binary.LittleEndian.PutUint16(p[24:], uint16(s.source))
	binary.LittleEndian.PutUint16(p[26:], uint16(len(s.id)))
	binary.LittleEndian.PutUint32(p[28:], uint32(len(s.identity)))
	copy(p[recordHeader+copy(p[recordHeader:], s.id):], s.identity)
	return nil
}

// each gives all rows in the order of hash, id and source.
func (g *gathering) each(ctx context.Context, visit func(selected) error) error {
	var rows []selected
	for p := range g.store.Partitions() {
		var err error
		if rows, err = g.load(ctx, p, rows[:0]); err != nil {
			return err
		}
		for _, s := range rows {
			if err := visit(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// load adds the rows of a partition to rows, sorted.
func (g *gathering) load(ctx context.Context, partition int, rows []selected) ([]selected, error) {
	err := g.store.Each(ctx, partition, func(records []byte) error {
		text := string(records) // one for the texts of all
		for at := 0; at < len(records); {
			r := records[at:]
			id := recordHeader + int(binary.LittleEndian.Uint16(r[26:]))
			n := id + int(binary.LittleEndian.Uint32(r[28:]))
			rows = append(rows, selected{
				hash:     binary.LittleEndian.Uint64(r),
				place:    int64(binary.LittleEndian.Uint64(r[8:])),
				payload:  binary.LittleEndian.Uint64(r[16:]),
				source:   int(binary.LittleEndian.Uint16(r[24:])),
				id:       text[at+recordHeader : at+id],
				identity: text[at+id : at+n],
			})
			at += n
		}
		return nil
	})
	slices.SortFunc(rows, func(a, b selected) int {
		if a.hash != b.hash { // nearly always; cmp.Or would compare the ids first
			return cmp.Compare(a.hash, b.hash)
		}
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.source, b.source))
	})
	return rows, err
}

func (g *gathering) close() error { return errors.Join(g.store.Close()) }

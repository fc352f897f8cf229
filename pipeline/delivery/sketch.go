package delivery

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// sketch is what is decided with about one row.
type sketch struct {
	identity string // as in Standing
	payload  uint64 // hash of what would be sent
	was      uint64 // the same, as the state of the delivery before has it: see Format
	rule     Rule   // which the row breaks, "" for none
}

// sketcher makes sketches of the rows of one source.
type sketcher struct {
	*renderer
	audience string              // what the word says: all audiences where one row speaks for all
	lasting  audience.Layout     // what a member who stayed is sent again for
	hasher   *audience.RowHasher // of that; nil where it is nothing
	byLine   bool                // the state of the delivery before has hashes of lines
	spare    int                 // bytes that what is not lasting takes of a payload at most

	said     []arrow.Array // what the words say, of a batch of the most rows
	all      []int32       // the rows of one
	sketches []sketch      // reused
}

// unsaid is how many bytes a date, a change, a reason or a day takes at most as JSON,
// with what stands around it.
const unsaid = 32

func (b *builder) newSketcher(s *source) (*sketcher, error) {
	published := s.files.Schema()
	r, err := newRenderer(&b.Destination, b.Formula, b.columnsOf(published), s.id, b.target.Date, published)
	if err != nil {
		return nil, err
	}
	k := &sketcher{renderer: r, audience: s.audience, lasting: r.layout, byLine: b.last.byLine()}
	if b.Destination.Merged {
		k.audience, k.lasting = strings.Join(b.one(), ","), r.attributes
	}
	k.lasting.Columns = slices.Clone(k.lasting.Columns)
	k.lasting.Columns = slices.DeleteFunc(k.lasting.Columns, func(c audience.Column) bool {
		said := slices.Contains([]string{WordDate, WordChange, WordReason, WordDay}, c.Column) && r.word(c.Column) >= 0
		if said {
			k.spare += len(c.Name) + unsaid
		}
		return said
	})
	if len(k.lasting.Columns) > 0 {
		if k.hasher, err = audience.NewRowHasher(k.lasting, k.schema); err != nil {
			return nil, err
		}
	}
	k.all = firstRows(snapshot.BatchRows)
	for _, f := range r.words {
		k.said = append(k.said, word(f, len(k.all), r.layout.Date, k.all, func(int) said { return said{audience: k.audience} }))
	}
	return k, nil
}

// of gives a sketch of every row, valid until the next call.
func (k *sketcher) of(rows arrow.RecordBatch) ([]sketch, error) {
	n := rows.NumRows()
	columns := slices.Clone(rows.Columns())
	for _, a := range k.said {
		columns = append(columns, array.NewSlice(a, 0, n))
	}
	batch := batchOf(k.schema, columns, n)
	defer batch.Release()
	all := k.all[:n]
	k.sketches = slices.Grow(k.sketches[:0], len(all))[:n]
	clear(k.sketches)
	if err := k.addPayloads(batch, all); err != nil {
		return nil, err
	}
	if k.to.Identifiers == nil {
		return k.sketches, nil
	}
	identities, complete, err := k.identities(batch, all)
	if err != nil {
		return nil, err
	}
	for i := range k.sketches {
		s := &k.sketches[i]
		if !complete[i] {
			s.rule = NoIdentifier
		}
		if k.own == "" {
			s.identity = identities[i]
		}
	}
	return k.sketches, nil
}

// addPayloads hashes the lasting columns, and renders them only where a row may be too
// large for the tool, or where they are to be compared with what was rendered.
func (k *sketcher) addPayloads(batch arrow.RecordBatch, rows []int32) error {
	if k.hasher == nil {
		return nil
	}
	hashes, err := k.hasher.Of(&audience.Block{Batch: batch})
	if err != nil {
		return err
	}
	for i, hash := range hashes {
		k.sketches[i].payload, k.sketches[i].was = hash, hash
	}
	limit := k.to.Payload
	if !k.byLine && (limit == 0 || k.hasher.Longest()+k.spare <= limit) {
		return nil
	}
	return k.eachObject(k.lasting, batch, rows, func(i int, line []byte) error {
		s := &k.sketches[i]
		if k.byLine {
			s.was = xxh3.Hash(line)
		}
		if limit > 0 && len(line)+k.spare > limit {
			s.rule = PayloadTooLarge
		}
		return nil
	})
}

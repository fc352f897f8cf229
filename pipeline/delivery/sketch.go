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

// sketches are what is decided with about the rows of a batch.
type sketches struct {
	payloads   []uint64 // hashes of what would be sent
	was        []uint64 // the same, as the state of the delivery before has it: see Format
	identities []string // as in Standing; nil where all rows are known by their ids
	rules      []Rule   // which a row breaks, "" for none; nil where no row breaks one
}

func (s *sketches) identity(row int) string {
	if s.identities == nil {
		return ""
	}
	return s.identities[row]
}

func (s *sketches) rule(row int) Rule {
	if s.rules == nil {
		return ""
	}
	return s.rules[row]
}

// breaks says that a row breaks a rule.
func (s *sketches) breaks(row int, rule Rule) {
	if s.rules == nil {
		s.rules = make([]Rule, len(s.payloads))
	}
	s.rules[row] = rule
}

// sketcher makes sketches of the rows of one source.
type sketcher struct {
	*renderer
	audience string              // what the word says: all audiences where one row speaks for all
	lasting  audience.Layout     // what a member who stayed is sent again for
	hasher   *audience.RowHasher // of that; nil where it is nothing
	byLine   bool                // the state of the delivery before has hashes of lines
	spare    int                 // bytes that what is not lasting takes of a payload at most

	said   []arrow.Array // what the words say, of a batch of the most rows
	all    []int32       // the rows of one
	hashes []uint64      // of lines; reused
}

// unsaid is how many bytes a date, a change, a reason or a day takes at most as JSON,
// with what stands around it.
const unsaid = 32

func (b *builder) newSketcher(s *source) (*sketcher, error) {
	published := s.files.Schema()
	r, err := b.rendererOf(s.id, published)
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
		k.said = append(k.said, sameWord(f, len(k.all), r.layout.Date, said{audience: k.audience}))
	}
	return k, nil
}

// of gives sketches of all rows, valid until the next call.
func (k *sketcher) of(rows arrow.RecordBatch) (s sketches, err error) {
	n := rows.NumRows()
	columns := slices.Clone(rows.Columns())
	for _, a := range k.said {
		columns = append(columns, array.NewSlice(a, 0, n))
	}
	batch := batchOf(k.schema, columns, n)
	defer batch.Release()
	all := k.all[:n]
	if err := k.addPayloads(&s, batch, all); err != nil || k.to.Identifiers == nil {
		return s, err
	}
	identities, complete, err := k.identities(batch, all)
	if err != nil {
		return s, err
	}
	for i := range all {
		if !complete[i] {
			s.breaks(i, NoIdentifier)
		}
	}
	if k.own == "" {
		s.identities = identities
	}
	return s, nil
}

// addPayloads hashes the lasting columns, and renders them only where a row may be too
// large for the tool, or where they are to be compared with what was rendered.
func (k *sketcher) addPayloads(s *sketches, batch arrow.RecordBatch, rows []int32) (err error) {
	k.hashes = slices.Grow(k.hashes[:0], len(rows))[:len(rows)]
	if k.hasher == nil {
		clear(k.hashes)
		s.payloads, s.was = k.hashes, k.hashes
		return nil
	}
	if s.payloads, err = k.hasher.Of(&audience.Block{Batch: batch}); err != nil {
		return err
	}
	s.was = s.payloads
	limit := k.to.Payload
	if !k.byLine && (limit == 0 || k.hasher.Longest()+k.spare <= limit) {
		return nil
	}
	if k.byLine {
		s.was = k.hashes
	}
	return k.eachObject(k.lasting, batch, rows, func(i int, line []byte) error {
		if k.byLine {
			s.was[i] = xxh3.Hash(line)
		}
		if limit > 0 && len(line)+k.spare > limit {
			s.breaks(i, PayloadTooLarge)
		}
		return nil
	})
}

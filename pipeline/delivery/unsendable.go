package delivery

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/spill"
)

// Rule names what a tool asks of a row. A user whose row breaks one is no member, so
// that the next delivery tries again.
type Rule string

// The rules.
const (
	NoIdentifier        Rule = "no_identifier"        // nothing tells who the user is
	DuplicateIdentifier Rule = "duplicate_identifier" // the tool cannot tell the user from one before
	PayloadTooLarge     Rule = "payload_too_large"
)

// unsendableSchema is that of the list beside a delivery.
var unsendableSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.BinaryTypes.String},
	{Name: "audience", Type: arrow.BinaryTypes.String},
	{Name: "rule", Type: arrow.BinaryTypes.String},
}, nil)

// unsendable sorts out the rows that a tool would not take, counts and lists them.
type unsendable struct {
	*builder
	rules      []uint8    // by place: index into rules; nil where the tool takes any row
	identities *gathering // nil where the tool knows users by their ids
}

var rules = []Rule{"", NoIdentifier, DuplicateIdentifier, PayloadTooLarge}

func newUnsendable(b *builder) *unsendable {
	u := &unsendable{builder: b}
	if b.Destination.Identifiers != nil || b.Destination.Payload > 0 {
		u.rules = make([]uint8, b.rows)
	}
	if b.Destination.Identifiers != nil {
		u.identities = newGathering(b.rows, idGuess, b.Memory, b.Temp, 0)
		u.identities.byPayload = true
	}
	return u
}

// writer gives what look writes to, nil for nothing. The caller closes it.
func (u *unsendable) writer() *spill.Writer {
	if u.identities == nil {
		return nil
	}
	return u.identities.store.Writer()
}

// has says whether the row at a place breaks a rule.
func (u *unsendable) has(place int64) bool { return u.rules != nil && u.rules[place] > 0 }

// look takes a row with its id, its identity and the rule that it breaks. Those of a control arm are never sent;
// they are sorted out by the same rules, so that the arms stay alike.
func (u *unsendable) look(w *spill.Writer, s selected, id []byte, identity string, rule Rule) error {
	if rule != "" {
		u.add(s.place, rule)
		return nil
	}
	if u.sources[s.source].control || identity == "" {
		return nil
	}
	s.payload = known(identity, u.seriesOf(u.sources[s.source].audience))
	s.hash = s.payload
	return u.identities.put(w, &s, id, "")
}

func (u *unsendable) add(place int64, rule Rule) {
	u.rules[place] = uint8(slices.Index(rules, rule))
}

// finish sorts out users whom the tool would take for one, but for the first of them
// by id, and lists all whom it would not take.
func (u *unsendable) finish(ctx context.Context) error {
	if u.rules == nil {
		return nil
	}
	if u.identities != nil {
		err := u.atOnce(ctx, u.identities.store.Partitions(), func(ctx context.Context, n int) error {
			return u.identities.each(ctx, n, n+1, u.addDuplicates)
		})
		if err != nil {
			return err
		}
	}
	return u.list(ctx)
}

// addDuplicates takes rows in the order of identity and id.
func (u *unsendable) addDuplicates(p *part) error {
	return p.eachBlock(func(rows []selected) error {
		first := 0
		for i := range rows {
			if rows[i].hash != rows[first].hash {
				first = i
			}
			if !bytes.Equal(rows[i].id, rows[first].id) {
				u.add(rows[i].place, DuplicateIdentifier)
			}
		}
		return nil
	})
}

// list counts the members whom the tool would not take, and writes who they are.
func (u *unsendable) list(ctx context.Context) (err error) {
	list := newTableWriter(ctx, u.published, u.prefix+"unsendable", unsendableSchema)
	defer list.abort()
	for _, s := range u.sources {
		if s.control {
			continue
		}
		if err := u.listOf(ctx, list, s); err != nil {
			return err
		}
	}
	err = list.end()
	u.intent.UnsendableRows = list.files
	return err
}

func (u *unsendable) listOf(ctx context.Context, list *tableWriter, s *source) error {
	end := s.first + s.files.Rows()
	if !slices.ContainsFunc(u.rules[s.first:end], func(rule uint8) bool { return rule > 0 }) {
		return nil
	}
	var ids identity.IDs
	var id, audience, rule textColumn
	return s.each(ctx, []string{s.id}, func(rows arrow.RecordBatch, first int64) error {
		if err := ids.Load(rows.Column(0)); err != nil {
			return err
		}
		for r := range ids.Len() {
			if at := u.rules[first+int64(r)]; at > 0 {
				u.intent.Unsendable[rules[at]]++
				id.add(ids.At(r))
				audience.add([]byte(s.audience))
				rule.add([]byte(rules[at]))
			}
		}
		if id.valid.n == 0 {
			return nil
		}
		err := list.write([]arrow.Array{id.array(), audience.array(), rule.array()}, id.valid.n)
		id.empty()
		audience.empty()
		rule.empty()
		return err
	})
}

// close frees what was gathered.
func (u *unsendable) close() error {
	if u.identities == nil {
		return nil
	}
	return u.identities.close()
}

// known is the hash of an identity in a series.
func known(identity, series string) uint64 { return xxh3.HashString(series + "\x00" + identity) }

// taken is what the tool knows users by, as hashes.
type taken struct{ hashes []uint64 }

// add adds an identity, unless it is the id, which no two users share.
func (t *taken) add(identity, series string) {
	if identity != "" {
		t.hashes = append(t.hashes, known(identity, series))
	}
}

func (t *taken) sort() { slices.Sort(t.hashes) }

func (t *taken) has(identity, series string) bool {
	_, found := slices.BinarySearchFunc(t.hashes, known(identity, series), cmp.Compare[uint64])
	return found
}

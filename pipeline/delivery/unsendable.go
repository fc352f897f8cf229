package delivery

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

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
	list       *tableWriter
	places     []bool // nil where there is none
	identities *gathering
	put        *spill.Writer
}

func newUnsendable(ctx context.Context, b *builder) *unsendable {
	u := &unsendable{builder: b, list: newTableWriter(ctx, b.published, b.prefix+"unsendable", unsendableSchema)}
	if b.Destination.Identifiers != nil {
		u.identities = newGathering(b.rows, idGuess, b.Memory, b.Temp)
		u.put = u.identities.store.Writer()
	}
	return u
}

// has says whether the row at a place breaks a rule.
func (u *unsendable) has(place int64) bool { return u.places != nil && u.places[place] }

// look takes a row and the rule that it breaks by itself. Those of a control arm are
// never sent; they are sorted out by the same rules, so that the arms stay alike.
func (u *unsendable) look(s selected, rule Rule) error {
	if rule != "" {
		return u.add(s, rule)
	}
	if u.sources[s.source].control || s.identity == "" {
		return nil
	}
	s.hash, s.identity = known(s.identity, u.seriesOf(u.sources[s.source].audience)), ""
	return u.identities.put(u.put, s)
}

func (u *unsendable) add(s selected, rule Rule) error {
	if u.places == nil {
		u.places = make([]bool, u.rows)
	}
	u.places[s.place] = true
	if u.sources[s.source].control {
		return nil
	}
	u.intent.Unsendable[rule]++
	u.list.text(0, s.id)
	u.list.text(1, u.sources[s.source].audience)
	u.list.text(2, string(rule))
	return u.list.endRow()
}

// finish sorts out users whom the tool would take for one, but for the first of them
// by id, and ends the list.
func (u *unsendable) finish(ctx context.Context) (err error) {
	if u.identities != nil {
		if err := u.put.Close(); err != nil {
			return err
		}
		u.put = nil
		first := selected{place: -1}
		err = u.identities.each(ctx, func(s selected) error {
			if first.place < 0 || s.hash != first.hash {
				first = s
			}
			if s.id == first.id {
				return nil
			}
			return u.add(s, DuplicateIdentifier)
		})
	}
	if err == nil {
		u.intent.UnsendableRows, err = u.list.close()
	}
	return err
}

// abort lets go of what is open.
func (u *unsendable) abort() error {
	u.list.abort()
	if u.identities == nil {
		return nil
	}
	var err error
	if u.put != nil {
		err = u.put.Close()
	}
	return errors.Join(err, u.identities.close())
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

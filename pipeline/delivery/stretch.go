package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/publish"
)

// stretch is a range of hashes whose users are compared by one worker: some buckets
// of the state before, all of whose files end where it does, and some of the new one.
// Stretches depend on how the states are cut, and on nothing else.
type stretch struct {
	*builder
	bits, n int // its number among the leading bits of a hash
	cut     int // leading bits that are a bucket of the new state
	before  *Intent
	place   int64 // of the first leaver

	merge   *merge
	state   []publish.File
	leavers map[string]*leavingList // by series
	taken   taken
}

// standings counts those of the state after i.
func (i *Intent) standings() int64 {
	n := int64(0)
	for _, f := range i.State {
		n += f.Rows
	}
	return n
}

// bucketBits says by how many leading bits of the hash a state of about so many
// standings is cut: into buckets of a quarter to all of most, as the state before is
// where that still fits.
func bucketBits(standings, most int64, before *Intent) int {
	cut := 0
	if before != nil && standings>>before.bits() >= most/4 {
		cut = before.bits()
	}
	for cut < mostBucketBits && standings>>cut > most {
		cut++
	}
	return cut
}

const mostBucketBits = 12

// layers says into how many files the state of a bucket is put, one over the other.
func (i *Intent) layers() int { return max(1, i.Layers) }

// layered says whether the new state, whose buckets have so many bits, is a layer over
// the one before: the rows that changed. It is written whole where these are nearly all,
// where they are not told from others, and when the layers have grown to half of what
// they are over.
func (b *builder) layered(cut int, lost func(standing) bool) bool {
	i := b.last
	if i == nil || i.Buckets != 1<<cut || i.layers() >= cmp.Or(b.Job.layers, mostLayers) || b.intent.Kind == Full || b.whole || b.Cadence != nil || i.byLine() || lost != nil {
		return false
	}
	over := int64(0)
	for at, f := range i.State {
		if at%i.layers() > 0 {
			over += f.Rows
		}
	}
	return 3*over < i.standings()
}

const mostLayers = 8

// bits gives how many leading bits of the hash are the number of a state's bucket.
func (i *Intent) bits() int { return max(0, bits.Len(uint(i.Buckets))-1) }

// stretches cuts the hashes as coarsely as the coarser of both states is cut. Leavers
// of each have places of their own, one for every standing before, after those of all
// rows.
func (b *builder) stretches(cut int) []*stretch {
	coarse := cut
	if b.last != nil && len(b.last.State) > 0 {
		coarse = min(cut, b.last.bits())
	}
	all := make([]*stretch, 1<<coarse)
	place := b.rows
	for n := range all {
		s := &stretch{builder: b, bits: coarse, n: n, cut: cut, place: place, leavers: map[string]*leavingList{}}
		if b.last != nil {
			some := *b.last
			each := len(some.State) >> coarse
			some.State = some.State[n*each : (n+1)*each]
			s.before = &some
			place += some.standings()
		}
		all[n] = s
	}
	return all
}

// compare holds the members now against those before, and writes the new state.
func (s *stretch) compare(ctx context.Context, g *gathering, lost func(standing) bool) (err error) {
	before, err := s.openState(ctx, s.before, lost)
	if err != nil {
		return err
	}
	before.within(s.bits, s.n)
	defer func() { err = errors.Join(err, before.close()) }()
	state := newStateWriter(ctx, s.published, fmt.Sprintf("deliveries/%s/%08d/state/%s-", s.Name, s.intent.N, s.By))
	defer state.abort()
	state.bits, state.number, state.closed = s.cut, s.n<<(s.cut-s.bits), &s.builder.states
	s.merge = &merge{
		date: s.target.Date, cadence: s.Cadence, sources: s.sources, whole: s.whole, layered: s.overlay, silent: !s.send(Stayed), place: s.place, one: s.one(),
		broken: s.unsendable.has, mark: s.mark, left: s.leave, keep: state.add,
	}
	codes := make([]int32, len(s.sources))
	for i, from := range s.sources {
		codes[i] = state.rows.audiences.code(from.audience)
	}
	now := outline{in: true, last: arrow.Date32(s.target.Date.Days()), left: never}
	s.merge.kept = func(row *selected, old *stateLayer) error {
		return state.put(&stateRow{
			hash: row.hash, id: row.id, audience: codes[row.source], control: s.sources[row.source].control, place: row.place,
			outlines: outlines{now, old.outline()}, payload: row.payload, payloadBefore: row.renewed(old.payload()),
			identity: row.identity, identityBefore: row.identity,
		})
	}
	each := 1 << (g.bits - s.bits)
	err = g.each(ctx, s.n*each, (s.n+1)*each, func(p *part) error { return s.merge.run(p, before) })
	if err == nil {
		err = s.merge.finish(before)
	}
	if err == nil {
		err = state.openBucket((s.n+1)<<(s.cut-s.bits) - 1)
	}
	if err != nil {
		return err
	}
	if s.overlay {
		s.state = slices.Clone(s.before.State)
	}
	files, err := state.close()
	s.state = append(s.state, files...)
	return err
}

// give hands over what was found, in the order of stretches.
func (s *stretch) give() {
	if s.merge != nil {
		s.intent.Counts.add(s.merge.Counts)
		s.users += s.merge.users
	}
	s.intent.State = append(s.intent.State, s.state...)
	s.builder.taken.hashes = append(s.builder.taken.hashes, s.taken.hashes...)
	for series, l := range s.leavers {
		s.builder.leavers[series] = append(s.builder.leavers[series], l)
	}
}

// mark takes what is to be sent of a row.
func (s *stretch) mark(row *selected, m mark) {
	if c := changes[m.change]; c != "" && s.send(c) {
		s.marks.set(row.place, m)
	}
	s.taken.add(string(row.identity), s.seriesOf(s.sources[row.source].audience))
}

// leave takes a leaver.
func (s *stretch) leave(v leaving) error {
	series := s.seriesOf(v.Audience)
	l := s.leavers[series]
	if l == nil {
		l = &leavingList{temp: s.Temp}
		s.leavers[series] = l
	}
	return l.add(v)
}

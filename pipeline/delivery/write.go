package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/snapshot"
)

// write writes the files of each series: members as far as they are to be sent, then
// those who left, who are explained meanwhile.
func (b *builder) write(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	b.explained = sync.OnceValue(func() error { return b.explain(ctx) })
	go func() { _ = b.explained() }() // its error is that of whoever waits for it
	defer func() {
		cancel()
		_ = b.explained() // ends before what it reads is closed
	}()
	var all []portion
	for _, name := range b.series() {
		s := &series{builder: b, ctx: ctx, audience: name}
		defer s.abort()
		some, err := s.portions()
		if err != nil {
			return inAudience(name, err)
		}
		for _, prepare := range some {
			all = append(all, func(ctx context.Context) (func() error, error) {
				write, err := prepare(ctx)
				return func() error { return inAudience(name, write()) }, inAudience(name, err)
			})
		}
	}
	err := inOrder(ctx, b.Workers, len(all), func(ctx context.Context, i int) (func() error, error) {
		return all[i](ctx)
	}, func(write func() error) error { return write() })
	if err != nil {
		return err
	}
	return b.awaitCommits()
}

// portion is some of what a series is made of. Any worker may prepare it; what it gives
// writes it, after all portions before.
type portion func(ctx context.Context) (write func() error, err error)

func inAudience(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("audience %s: %w", name, err)
}

// series names the audiences that have files: those of the delivery in their order,
// then others that users leave. "" stands for all of them in one.
func (b *builder) series() []string {
	if b.Destination.Merged {
		return []string{""}
	}
	all := make([]string, 0, len(b.Audiences))
	var others []string
	for _, a := range b.Audiences {
		all = append(all, a.Name)
	}
	for name := range b.leavers {
		if !b.has(name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return append(all, others...)
}

// portions gives all that the series is made of.
func (s *series) portions() (all []portion, err error) {
	then := func(write func() error) {
		all = append(all, func(context.Context) (func() error, error) { return write, nil })
	}
	var as *form
	for _, from := range s.sources {
		if from.control || s.seriesOf(from.audience) != s.audience {
			continue
		}
		if as, err = s.formOf(from.id, from.files.Schema()); err != nil {
			return nil, err
		}
		then(s.begins(as))
		all = append(all, s.members(as, from)...)
		s.whole = s.whole || s.intent.Kind == Full && s.marks.any(from.first, from.first+from.files.Rows())
	}
	if as == nil && s.builder.leavers[s.audience] == nil {
		return nil, nil
	}
	if as == nil {
		if as, err = s.formOf(s.withoutSource(s.audience)); err != nil {
			return nil, err
		}
		then(s.begins(as))
	}
	if s.Destination.Leavers == ByFile {
		then(func() error {
			err := s.finish(s.keeps(s.audience), s.builder.rows)
			s.removes, s.rows = true, 0
			return err
		})
	}
	all = append(all, s.leavers(as)...)
	then(func() error { return s.finish(!s.removes && s.keeps(s.audience), s.places) })
	return all, nil
}

// keeps says whether the audience has a file also without rows.
func (b *builder) keeps(name string) bool {
	return b.intent.Kind == Full && b.Destination.Empty && slices.ContainsFunc(b.Audiences, func(a Audience) bool { return a.Name == name && a.Keep })
}

// withoutSource gives the columns that a series has when nothing is published of
// its audience: the delivery's own, as texts.
func (b *builder) withoutSource(name string) (id string, published *arrow.Schema) {
	id = "id"
	for _, a := range b.Audiences {
		if a.Name == name || len(b.Audiences) > 0 && !b.has(name) {
			id = a.ID
		}
	}
	fields := []arrow.Field{{Name: id, Type: arrow.BinaryTypes.String}}
	for _, c := range b.Columns {
		known := func(f arrow.Field) bool { return f.Name == c.From }
		if !slices.ContainsFunc(fields, known) && !slices.ContainsFunc(words, known) {
			fields = append(fields, arrow.Field{Name: c.From, Type: arrow.BinaryTypes.String, Nullable: true})
		}
	}
	return id, arrow.NewSchema(fields, nil)
}

// members gives the rows of a source that are to be sent.
func (s *series) members(as *form, from *source) (all []portion) {
	for _, split := range snapshot.Cut(from.files.Parts, pieceRows) {
		each := func(ctx context.Context, visit func(of lot, rows []int32) error) error {
			return s.eachWanted(ctx, as, from, split, visit)
		}
		all = append(all, func(ctx context.Context) (func() error, error) {
			if s.Destination.Format == formatParquet {
				return func() error { return each(s.ctx, s.write) }, nil
			}
			return s.renderAhead(ctx, each)
		})
	}
	return all
}

// mostAhead is of how many bytes of text a portion is rendered before it is its turn.
const mostAhead = 32 << 20

var errAhead = errors.New("enough is rendered")

// renderAhead renders the lots that each gives, as many as are kept; the rest is
// rendered when it is written.
func (s *series) renderAhead(ctx context.Context, each func(context.Context, func(lot, []int32) error) error) (write func() error, err error) {
	var ahead []rendered
	size := 0
	err = each(ctx, func(of lot, rows []int32) error {
		if size >= cmp.Or(s.ahead, mostAhead) {
			return errAhead
		}
		r, err := render(of, rows)
		ahead, size = append(ahead, r), size+len(r.text)
		return err
	})
	more := errors.Is(err, errAhead)
	if err != nil && !more {
		return nil, err
	}
	return func() error {
		for _, r := range ahead {
			if err := s.writeRendered(r); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		written := len(ahead)
		return each(s.ctx, func(of lot, rows []int32) error {
			if written--; written >= 0 {
				return nil
			}
			r, err := render(of, rows)
			if err != nil {
				return err
			}
			return s.writeRendered(r)
		})
	}, nil
}

func (s *series) writeRendered(r rendered) error { return s.write(r.lot(), firstRows(len(r.places))) }

// eachWanted gives the rows of a split that are to be sent. They hold until visit
// returns.
func (b *builder) eachWanted(ctx context.Context, as *form, from *source, split snapshot.Split, visit func(of lot, rows []int32) error) error {
	var wanted []int32
	return from.eachOf(ctx, from.files.Split(split, names(from.files.Schema())), func(rows arrow.RecordBatch, first int64) error {
		wanted = wanted[:0]
		for r := range int(rows.NumRows()) {
			if b.marks.change[first+int64(r)] > 0 {
				wanted = append(wanted, int32(r))
			}
		}
		if len(wanted) == 0 {
			return nil
		}
		batch := withWords(rows, as.schema, b.target.Date, wanted, func(row int) said {
			m := b.marks.at(first + int64(row))
			return said{audience: b.audiencesOf(m, from), day: int(m.day), change: changes[m.change]}
		})
		defer batch.Release()
		return visit(lot{
			batch: batch,
			each: func(rows []int32, visit func(int, []byte) error) error {
				return as.each(batch, rows, visit)
			},
			place: func(row int32) int64 { return first + int64(row) },
		}, wanted)
	})
}

// audiencesOf names the audiences that a row speaks for, joined by commas, which no
// name holds.
func (b *builder) audiencesOf(m mark, from *source) string {
	if !b.Destination.Merged {
		return from.audience
	}
	var all []string
	for i, a := range b.Audiences {
		if m.audiences&(1<<i) != 0 {
			all = append(all, a.Name)
		}
	}
	return strings.Join(all, ",")
}

// leavers tells of who left.
func (s *series) leavers(as *form) (all []portion) {
	for _, l := range s.builder.leavers[s.audience] {
		for n := range l.parts {
			all = append(all, func(context.Context) (func() error, error) {
				if err := s.explained(); err != nil {
					return nil, err
				}
				some, err := l.part(n)
				if err != nil {
					return nil, err
				}
				t, err := s.tellOf(as, some, l.reasons[n*leavingPart:])
				return func() error {
					for reason, n := range t.reasons {
						s.intent.Reasons[reason] += n
					}
					return s.write(t.lot, firstRows(t.rows))
				}, err
			})
		}
	}
	return all
}

// told are rows that tell of leavers, and of all leavers, told of or not, how many left
// for which reason.
type told struct {
	lot
	rows    int
	reasons map[Reason]int64
}

// tellOf counts the reasons of leavers, and encodes those whom the tool is to be told of.
func (s *series) tellOf(as *form, some []leaving, reasons []uint8) (told, error) {
	t := told{reasons: map[Reason]int64{}}
	leavers, why := make([]leaving, 0, len(some)), make([]Reason, 0, len(some))
	for i, l := range some {
		reason := s.builder.reasons[reasons[i]]
		if !l.Moved {
			t.reasons[reason]++
		}
		if s.tells(as, l, reason) {
			leavers, why = append(leavers, l), append(why, reason)
		}
	}
	t.rows = len(leavers)
	if t.rows == 0 {
		return t, nil
	}
	of, err := as.leavers(leavers, func(row int) said {
		return said{audience: leavers[row].Audience, change: Left, reason: why[row]}
	})
	if t.lot = of; err != nil || s.Destination.Format == formatParquet {
		return t, err
	}
	rendered, err := render(of, firstRows(t.rows))
	t.lot = rendered.lot()
	return t, err
}

// tells says whether the series tells of a leaver. A list of all members takes the
// place of the one before, unless it is of nobody and has no file. Nobody is told of who cannot be
// told from another user: one whose identity a member has now, or whose identity has
// no column any more.
func (s *series) tells(as *form, l leaving, why Reason) bool {
	switch {
	case s.Destination.Leavers == ByNulls && why == Absent && !s.SendAbsent:
		return false
	case s.Destination.Leavers == ByFile && s.whole, s.Destination.Leavers == ByColumn && s.intent.Kind == Full:
		return false
	case s.Destination.Leavers == ByColumn && !as.tells():
		return false
	case s.Destination.Identifiers == nil:
		return true
	}
	identity, known := as.identityOf(l)
	return known && !s.taken.has(identity, s.audience)
}

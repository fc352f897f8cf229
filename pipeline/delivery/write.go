package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/snapshot"
)

// write writes the files of each series: members as far as they are to be sent, then
// those who left.
func (b *builder) write(ctx context.Context) error {
	if err := b.explain(ctx); err != nil {
		return err
	}
	for _, name := range b.series() {
		if err := b.writeSeries(ctx, name); err != nil {
			return fmt.Errorf("audience %s: %w", name, err)
		}
	}
	return b.awaitCommits()
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

func (b *builder) writeSeries(ctx context.Context, name string) error {
	s := &series{builder: b, ctx: ctx, audience: name}
	defer func() { s.abort() }()
	for _, from := range b.sources {
		if from.control || b.seriesOf(from.audience) != name {
			continue
		}
		if err := s.render(from.id, from.files.Schema()); err != nil {
			return err
		}
		if err := b.writeMembers(ctx, s, from); err != nil {
			return err
		}
	}
	if s.as == nil && b.leavers[name] == nil {
		return nil
	}
	if s.as == nil {
		if err := s.render(b.withoutSource(name)); err != nil {
			return err
		}
	}
	if b.Destination.Leavers == ByFile {
		if err := s.finish(b.keeps(name), b.rows); err != nil {
			return err
		}
		s.whole = b.intent.Kind == Full && s.rows > 0
		s.removes, s.rows = true, 0
	}
	return errors.Join(b.writeLeavers(s), s.finish(!s.removes && b.keeps(name), b.places))
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

// writeMembers writes the rows of a source that are to be sent.
func (b *builder) writeMembers(ctx context.Context, s *series, from *source) error {
	splits := snapshot.Cut(from.files.Parts, renderedRows)
	if b.Destination.Format == formatParquet {
		for _, split := range splits {
			if err := b.eachWanted(ctx, s.as, from, split, s.write); err != nil {
				return err
			}
		}
		return nil
	}
	return inOrder(ctx, b.Workers, len(splits), func(ctx context.Context, i int) (all []rendered, err error) {
		err = b.eachWanted(ctx, s.as, from, splits[i], func(of lot, rows []int32) error {
			r, err := render(of, rows)
			all = append(all, r)
			return err
		})
		return all, err
	}, func(all []rendered) error {
		for i := range all {
			if err := s.write(all[i].lot(), firstRows(len(all[i].places))); err != nil {
				return err
			}
		}
		return nil
	})
}

// renderedRows is about how many rows of a source are encoded by one worker at once.
const renderedRows = 1 << 17

// eachWanted gives the rows of a split that are to be sent. They hold until visit
// returns.
func (b *builder) eachWanted(ctx context.Context, as *renderer, from *source, split snapshot.Split, visit func(of lot, rows []int32) error) error {
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

// writeLeavers tells of who left.
func (b *builder) writeLeavers(s *series) error {
	type part struct {
		*leavingList
		n int
	}
	var parts []part
	for _, l := range b.leavers[s.audience] {
		for n := range l.parts {
			parts = append(parts, part{l, n})
		}
	}
	return inOrder(s.ctx, b.Workers, len(parts), func(_ context.Context, i int) (told, error) {
		some, err := parts[i].part(parts[i].n)
		if err != nil {
			return told{}, err
		}
		return s.tellOf(some, parts[i].reasons[parts[i].n*leavingPart:])
	}, func(t told) error {
		for reason, n := range t.reasons {
			b.intent.Reasons[reason] += n
		}
		return s.write(t.lot, firstRows(t.rows))
	})
}

// told are rows that tell of leavers, and of all leavers, told of or not, how many left
// for which reason.
type told struct {
	lot
	rows    int
	reasons map[Reason]int64
}

// tellOf counts the reasons of leavers, and encodes those whom the tool is to be told of.
func (s *series) tellOf(some []leaving, reasons []uint8) (told, error) {
	t := told{reasons: map[Reason]int64{}}
	var leavers []leaving
	var why []Reason
	for i, l := range some {
		reason := s.builder.reasons[reasons[i]]
		if !l.Moved {
			t.reasons[reason]++
		}
		if s.tells(l, reason) {
			leavers, why = append(leavers, l), append(why, reason)
		}
	}
	t.rows = len(leavers)
	if t.rows == 0 {
		return t, nil
	}
	of, err := s.as.leavers(leavers, func(row int) said {
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
func (s *series) tells(l leaving, why Reason) bool {
	switch {
	case s.Destination.Leavers == ByNulls && why == Absent && !s.SendAbsent:
		return false
	case s.Destination.Leavers == ByFile && s.whole, s.Destination.Leavers == ByColumn && s.intent.Kind == Full:
		return false
	case s.Destination.Leavers == ByColumn && !s.as.tells():
		return false
	case s.Destination.Identifiers == nil:
		return true
	}
	identity, known := s.as.identityOf(l)
	return known && !s.taken.has(identity, s.audience)
}

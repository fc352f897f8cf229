package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// Audience is one audience of a delivery.
type Audience struct {
	Name string
	ID   string // column of ids in its published Parquet file
	Rule string // hash of what selects its members
	Keep bool   // whether a file is written when there is no row
}

// Delivery is what one tool receives: which audiences of a prediction, in what form,
// and when.
type Delivery struct {
	Name      string
	To        *objstore.Bucket
	Audiences []Audience
	Columns   []Column // nil for those of the published files
	Form      Form
	Changes   bool // send changes, not all members
	FullEvery int  // with Changes: every so many deliveries are full ones, 0 for none but the first
	Cadence   *Cadence
	Rules     Rules
}

// Job is one attempt to deliver.
type Job struct {
	Delivery
	Ledger  *publish.Ledger
	Now     time.Time
	By      string // of this attempt, never given twice
	Temp    string // an existing folder
	Memory  int64  // bytes that the sorting of users may take
	Explain Explainer
}

// builder stages what one delivery sends.
type builder struct {
	*Job
	published *objstore.Bucket
	target    Target
	last      *Intent
	intent    *Intent
	prefix    string // of staged files
	send      func(Change) bool

	sources []*source
	rows    int64
	marks   []mark // by place
	leavers map[string]*leavingList
	merged  *merge
}

// mark is what is to be sent of one row.
type mark struct {
	change uint8 // index into changes, from 1; 0 for nothing
	day    uint8
}

var changes = []Change{"", Entered, Moved, Updated, Stayed}

// build stages files and state of delivery n and gives the intent.
func (j *Job) build(ctx context.Context, kind Kind, target Target, p *publish.Published, last *Intent, lost func(standing) bool) (_ *Intent, err error) {
	n, previous := 0, -1
	if last != nil {
		n, previous = last.N+1, last.N
	}
	b := &builder{Job: j, published: j.Ledger.Bucket(), target: target, last: last, leavers: map[string]*leavingList{}}
	b.prefix = fmt.Sprintf("deliveries/%s/%08d/%s-", j.Name, n, j.By)
	b.intent = &Intent{
		Format: Format, N: n, Kind: kind, Date: target.Date, Seq: target.Seq, Run: target.Run, Previous: previous,
		Files: []File{}, Rules: map[string]string{}, Reasons: map[Reason]int64{},
	}
	b.send = func(c Change) bool { return kind == Full || c != Stayed }
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.openSources(ctx, p); err != nil {
		return nil, err
	}
	if err := b.compare(ctx, lost); err != nil {
		return nil, err
	}
	if err := b.write(ctx); err != nil {
		return nil, err
	}
	for _, a := range b.Audiences {
		b.intent.Rules[a.Name] = a.Rule
	}
	return b.intent, nil
}

func (b *builder) has(name string) bool {
	return slices.ContainsFunc(b.Audiences, func(a Audience) bool { return a.Name == name })
}

// compare sorts the members now, holds them against those of the delivery before,
// and writes the new state.
func (b *builder) compare(ctx context.Context, lost func(standing) bool) (err error) {
	b.marks = make([]mark, b.rows)
	g := newGathering(b.rows, b.Memory, b.Temp)
	defer func() { err = errors.Join(err, g.close()) }()
	if err := b.gather(ctx, g); err != nil {
		return err
	}
	before, err := b.openState(ctx, b.last, lost)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, before.close()) }()
	state := newStateWriter(ctx, b.published, fmt.Sprintf("deliveries/%s/%08d/state/%s-", b.Name, b.intent.N, b.By))
	defer state.abort()
	m := &merge{
		date: b.target.Date, cadence: b.Cadence, sources: b.sources, place: b.rows,
		keep: state.add,
		mark: func(place int64, c Change, day int) {
			b.marks[place] = mark{uint8(slices.Index(changes, c)), uint8(day)}
		},
		left: b.leave,
	}
	if err := m.run(ctx, g, before); err != nil {
		return err
	}
	b.intent.Counts = m.Counts
	b.intent.State, err = state.close()
	return err
}

// gather reads the id of every row, and a hash of what would be sent of it.
func (b *builder) gather(ctx context.Context, g *gathering) (err error) {
	w := g.store.Writer()
	defer func() { err = errors.Join(err, w.Close()) }()
	var ids identity.IDs
	for i, s := range b.sources {
		payloads, err := b.newPayloads(s)
		if err != nil {
			return err
		}
		columns := names(s.files.Schema())
		at := slices.Index(columns, s.id)
		err = s.each(ctx, columns, func(rows arrow.RecordBatch, first int64) error {
			if err := ids.Load(rows.Column(at)); err != nil {
				return err
			}
			sums, err := payloads.of(rows)
			if err != nil {
				return err
			}
			for r := range ids.Len() {
				id := string(ids.At(r))
				if err := g.put(w, selected{xxh3.HashString(id), id, i, first + int64(r), sums[r]}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// leave takes a leaver.
func (b *builder) leave(s standing, moved, selected bool) error {
	l := b.leavers[s.Audience]
	if l == nil {
		var err error
		if l, err = newLeavingList(b.Temp); err != nil {
			return err
		}
		b.leavers[s.Audience] = l
	}
	return l.add(leaving{s, moved, selected})
}

// columnsOf gives the columns that are delivered of a source.
func (b *builder) columnsOf(published *arrow.Schema) []Column {
	if b.Columns != nil {
		return b.Columns
	}
	var all []Column
	for _, f := range published.Fields() {
		all = append(all, Column{Name: f.Name, From: f.Name})
	}
	if b.Cadence != nil && !published.HasField(WordDay) {
		all = append(all, Column{Name: WordDay, From: WordDay})
	}
	if b.Changes {
		all = append(all, Column{Name: WordChange, From: WordChange}, Column{Name: WordReason, From: WordReason})
	}
	return all
}

// write writes the files of each audience: its members as far as they are to be
// sent, then those who left.
func (b *builder) write(ctx context.Context) error {
	for _, name := range b.series() {
		if err := b.writeSeries(ctx, name); err != nil {
			return fmt.Errorf("audience %s: %w", name, err)
		}
	}
	return nil
}

// series names the audiences that have files: those of the delivery in their order,
// then others that users leave.
func (b *builder) series() []string {
	var all, others []string
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
	i := slices.IndexFunc(b.sources, func(s *source) bool { return s.audience == name && !s.control })
	id, published := "id", arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil)
	if i >= 0 {
		id, published = b.sources[i].id, b.sources[i].files.Schema()
	} else if b.leavers[name] == nil {
		return nil
	} else {
		id, published = b.withoutSource(name)
	}
	schema, columns := extended(published), b.columnsOf(published)
	l, err := layout(columns, id, b.target.Date, schema)
	if err != nil {
		return err
	}
	s, err := b.newSeries(ctx, name, l, schema)
	if err != nil {
		return err
	}
	s.tells = slices.ContainsFunc(columns, func(c Column) bool { return c.From == WordChange })
	defer s.abort()
	if i >= 0 {
		if err := b.writeMembers(ctx, s, b.sources[i]); err != nil {
			return err
		}
	}
	if err := b.writeLeavers(ctx, s, id); err != nil {
		return err
	}
	return s.finish(b.intent.Kind == Full && b.keeps(name))
}

func (b *builder) keeps(name string) bool {
	return slices.ContainsFunc(b.Audiences, func(a Audience) bool { return a.Name == name && a.Keep })
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

func (b *builder) writeMembers(ctx context.Context, s *series, from *source) error {
	var wanted []int32
	return from.each(ctx, names(from.files.Schema()), func(rows arrow.RecordBatch, first int64) error {
		wanted = wanted[:0]
		of := func(row int) said {
			m := b.marks[first+int64(row)]
			return said{day: int(m.day), change: changes[m.change]}
		}
		for r := range int(rows.NumRows()) {
			if c := of(r).change; c != "" && b.send(c) {
				wanted = append(wanted, int32(r))
			}
		}
		if len(wanted) == 0 {
			return nil
		}
		batch := withWords(rows, s.schema, s.audience, b.target.Date, of)
		defer batch.Release()
		return s.write(batch, wanted, func(row int32) int64 { return first + int64(row) })
	})
}

// writeLeavers explains who left, and writes them where the form tells of leavers.
func (b *builder) writeLeavers(ctx context.Context, s *series, id string) error {
	list := b.leavers[s.audience]
	if list == nil {
		return nil
	}
	return list.each(func(some []leaving) error {
		reasons, err := b.explain(ctx, some)
		if err != nil {
			return err
		}
		ids, rows := make([]string, len(some)), make([]int32, len(some))
		for i, l := range some {
			ids[i], rows[i] = l.ID, int32(i)
			if !l.moved {
				b.intent.Reasons[reasons[i]]++
			}
		}
		if b.intent.Kind == Full || !s.tells {
			return nil
		}
		batch, err := leavers(s.schema, id, ids, s.audience, b.target.Date, func(row int) said {
			return said{change: Left, reason: reasons[row]}
		})
		if err != nil {
			return err
		}
		defer batch.Release()
		return s.write(batch, rows, func(row int32) int64 { return some[row].Place })
	})
}

func (b *builder) close() error {
	var errs []error
	for _, s := range b.sources {
		errs = append(errs, s.files.Close())
	}
	for _, l := range b.leavers {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

// payloads hashes what would be sent of rows, but the date, the change and the
// reason: what makes a member who stayed be sent again.
type payloads struct {
	*series
	sums []uint64
}

func (b *builder) newPayloads(s *source) (*payloads, error) {
	published := s.files.Schema()
	columns := slices.DeleteFunc(slices.Clone(b.columnsOf(published)), func(c Column) bool {
		return slices.Contains([]string{WordDate, WordChange, WordReason, WordDay}, c.From) && !published.HasField(c.From)
	})
	schema := extended(published)
	l, err := layout(columns, s.id, b.target.Date, schema)
	if err != nil {
		return nil, fmt.Errorf("audience %s: %w", s.audience, err)
	}
	return &payloads{series: &series{builder: &builder{Job: &Job{Delivery: Delivery{Form: Form{Format: formatJSONL}}}}, audience: s.audience, layout: l, schema: schema}}, nil
}

func (p *payloads) of(rows arrow.RecordBatch) ([]uint64, error) {
	batch := withWords(rows, p.schema, p.audience, p.layout.Date, func(int) said { return said{} })
	defer batch.Release()
	all := make([]int32, rows.NumRows())
	for i := range all {
		all[i] = int32(i)
	}
	text, err := p.text(batch, all)
	if err != nil {
		return nil, err
	}
	p.sums = p.sums[:0]
	for line := range bytesLines(text) {
		p.sums = append(p.sums, xxh3.Hash(line))
	}
	if len(p.sums) != len(all) {
		return nil, fmt.Errorf("%d lines for %d rows", len(p.sums), len(all))
	}
	return p.sums, nil
}

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
	"github.com/churntier/churntier/pipeline/spill"
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

	Destination Destination
	Formula     string // csv: refuse or quote texts that a spreadsheet would run
	SendAbsent  bool   // ByNulls: tell also of users who are not in the snapshot any more

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
	published   *objstore.Bucket
	target      Target
	publication *publish.Published // nil when the date is withdrawn
	last        *Intent
	intent      *Intent
	prefix      string // of staged files
	send        func(Change) bool

	sources    []*source
	rows       int64
	places     int64  // of rows and leavers together
	whole      bool   // files are lists that do not say what changed: nobody is in two of one date
	marks      []mark // by place
	unsendable *unsendable
	taken      taken                   // what the tool knows the members by that are told of
	leavers    map[string]*leavingList // by series
}

// build stages files and state of delivery n and gives the intent.
func (j *Job) build(ctx context.Context, kind Kind, target Target, p *publish.Published, last *Intent, lost func(standing) bool) (_ *Intent, err error) {
	n, previous := 0, -1
	if last != nil {
		n, previous = last.N+1, last.N
	}
	b := &builder{Job: j, published: j.Ledger.Bucket(), target: target, publication: p, last: last, leavers: map[string]*leavingList{}}
	b.prefix = fmt.Sprintf("deliveries/%s/%08d/%s-", j.Name, n, j.By)
	b.intent = &Intent{
		Format: Format, Delivery: j.Name, N: n, Kind: kind, Date: target.Date, Seq: target.Seq, Run: target.Run, Previous: previous,
		Files: []File{}, Rules: map[string]string{}, Reasons: map[Reason]int64{}, Unsendable: map[Rule]int64{},
	}
	b.send = func(c Change) bool { return kind == Full || b.whole || c != Stayed }
	defer func() { err = errors.Join(err, b.close()) }()
	if err := j.check(); err != nil {
		return nil, err
	}
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

// check says what stands against the columns: nothing that the tool would take for
// something else is ever written.
func (j *Job) check() error {
	var columns []string
	for _, c := range j.Columns {
		columns = append(columns, c.Name)
	}
	var faults []error
	for _, f := range j.Destination.Check(columns) {
		faults = append(faults, fmt.Errorf("%w: %s; expected %s", ErrColumns, f.Found, f.Expected))
	}
	if n := len(j.Audiences); j.Destination.Merged && n > MaxMerged {
		faults = append(faults, fmt.Errorf("%w: %d audiences in one payload, at most %d", ErrColumns, n, MaxMerged))
	}
	return errors.Join(faults...)
}

func (b *builder) has(name string) bool {
	return slices.ContainsFunc(b.Audiences, func(a Audience) bool { return a.Name == name })
}

// one names the audiences, in their order, where one row speaks for all of them.
func (b *builder) one() []string {
	if !b.Destination.Merged {
		return nil
	}
	all := []string{}
	for _, a := range b.Audiences {
		all = append(all, a.Name)
	}
	return all
}

// seriesOf gives the series in which an audience is told of, "" for the one of all.
func (b *builder) seriesOf(audience string) string {
	if b.Destination.Merged {
		return ""
	}
	return audience
}

// compare sorts the members now, holds them against those of the delivery before,
// and writes the new state.
func (b *builder) compare(ctx context.Context, lost func(standing) bool) (err error) {
	b.marks = make([]mark, b.rows)
	size := int64(idGuess)
	if b.Destination.Identifiers != nil {
		size += identityGuess
	}
	g := newGathering(b.rows, size, b.Memory, b.Temp)
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
		date: b.target.Date, cadence: b.Cadence, sources: b.sources, whole: b.whole, place: b.rows, one: b.one(),
		broken: b.unsendable.has, keep: state.add, mark: b.mark, left: b.leave,
	}
	if err := m.run(ctx, g, before); err != nil {
		return err
	}
	b.taken.sort()
	b.intent.Counts, b.places = m.Counts, m.place
	b.intent.State, err = state.close()
	return err
}

// gather reads the id of every row, what the tool knows the user by and a hash of
// what would be sent, and sorts out the rows that it would not take.
func (b *builder) gather(ctx context.Context, g *gathering) (err error) {
	b.unsendable = newUnsendable(ctx, b)
	defer func() { err = errors.Join(err, b.unsendable.abort()) }()
	w := g.store.Writer()
	for i := range b.sources {
		if err := b.gatherSource(ctx, g, w, i); err != nil {
			return errors.Join(fmt.Errorf("audience %s: %w", b.sources[i].audience, err), w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return b.unsendable.finish(ctx)
}

func (b *builder) gatherSource(ctx context.Context, g *gathering, w *spill.Writer, i int) error {
	s := b.sources[i]
	sketches, err := b.newSketcher(s)
	if err != nil {
		return err
	}
	b.whole = !b.Changes && b.Destination.Leavers == ByColumn && !sketches.tells()
	var ids identity.IDs
	columns := names(s.files.Schema())
	at := slices.Index(columns, s.id)
	return s.each(ctx, columns, func(rows arrow.RecordBatch, first int64) error {
		if err := ids.Load(rows.Column(at)); err != nil {
			return err
		}
		all, err := sketches.of(rows)
		if err != nil {
			return err
		}
		for r := range ids.Len() {
			id := string(ids.At(r))
			v := selected{xxh3.HashString(id), id, i, first + int64(r), all[r].payload, all[r].identity}
			if err := errors.Join(g.put(w, v), b.unsendable.look(v, all[r].rule)); err != nil {
				return err
			}
		}
		return nil
	})
}

// mark takes what is to be sent of a row.
func (b *builder) mark(row *selected, m mark) {
	b.marks[row.place] = m
	b.taken.add(row.identity, b.seriesOf(b.sources[row.source].audience))
}

// leave takes a leaver.
func (b *builder) leave(s standing, moved bool, why Reason) error {
	series := b.seriesOf(s.Audience)
	l := b.leavers[series]
	if l == nil {
		var err error
		if l, err = newLeavingList(b.Temp, b.Memory); err != nil {
			return err
		}
		b.leavers[series] = l
	}
	return l.add(leaving{s.ID, s.Audience, s.Before.Identity, s.Place, moved, why})
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

package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline/audience"
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
	Workers int    // pieces of work done at once, at least one
	Explain Explainer

	bucketRows int64 // most standings of a bucket; 0 is tableFileRows
	layers     int   // most of a state; 0 is mostLayers
	ahead      int   // bytes of text that a portion renders before its turn; 0 is mostAhead
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
	users      int64 // of rows: one may be in several audiences
	places     int64 // of rows and leavers together
	overlay    bool  // the new state is a layer over the one before
	whole      bool  // files are lists that do not say what changed: nobody is in two of one date
	marks      marks // of rows that are to be sent
	unsendable *unsendable
	taken      taken                     // what the tool knows the members by that are told of
	leavers    map[string][]*leavingList // by series, one after the other
	reasons    reasonCodes
	explained  func() error      // waits until the reasons of leavers are known
	states     audience.Recycler // of the files of the state
	committing errgroup.Group    // puts files in place while the next ones are written
	committed  []*objstore.Written
	closing    errgroup.Group // closes what is not needed any more
}

// build stages files and state of delivery n and gives the intent.
func (j *Job) build(ctx context.Context, kind Kind, target Target, p *publish.Published, last *Intent, lost func(standing) bool) (_ *Intent, err error) {
	n, previous := 0, -1
	if last != nil {
		n, previous = last.N+1, last.N
	}
	b := &builder{Job: j, published: j.Ledger.Bucket(), target: target, publication: p, last: last, leavers: map[string][]*leavingList{}}
	b.prefix = fmt.Sprintf("deliveries/%s/%08d/%s-", j.Name, n, j.By)
	b.intent = &Intent{
		Format: Format, Delivery: j.Name, N: n, Kind: kind, Date: target.Date, Seq: target.Seq, Run: target.Run, Previous: previous,
		Files: []File{}, Rules: map[string]string{}, Reasons: map[Reason]int64{}, Unsendable: map[Rule]int64{},
	}
	b.send = func(c Change) bool { return kind == Full || b.whole || c != Stayed }
	b.committing.SetLimit(commitsAtOnce)
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
	b.marks = newMarks(b.rows, b.Cadence != nil, b.Destination.Merged)
	size := int64(idGuess)
	if b.Destination.Identifiers != nil {
		size += identityGuess
	}
	known := int64(0)
	if b.last != nil {
		known = b.last.standings()
	}
	cut := bucketBits(max(b.rows, known), cmp.Or(b.bucketRows, tableFileRows), b.last)
	g := newGathering(b.rows, size, b.Memory, b.Temp, cut)
	g.byForm = b.last.byLine()
	defer b.closing.Go(g.close)
	if err := b.gather(ctx, g); err != nil {
		return err
	}
	b.places = b.rows + known
	if b.overlay = b.layered(cut, lost); b.overlay {
		b.intent.Layers = b.last.layers() + 1
	}
	stretches := b.stretches(cut)
	err = b.atOnce(ctx, len(stretches), func(ctx context.Context, n int) error {
		return stretches[n].compare(ctx, g, lost)
	})
	for _, s := range stretches {
		s.give()
	}
	b.intent.Buckets = 1 << cut
	b.taken.sort()
	return err
}

// atOnce does n pieces of work, as many at once as there are workers.
func (b *builder) atOnce(ctx context.Context, n int, work func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, b.Workers))
	for i := range n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return work(ctx, i)
		})
	}
	return g.Wait()
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
	_ = b.committing.Wait() // its error was told, or comes from one that was
	errs := []error{b.closing.Wait()}
	for _, s := range b.sources {
		errs = append(errs, s.files.Close())
	}
	for _, lists := range b.leavers {
		for _, l := range lists {
			errs = append(errs, l.close())
		}
	}
	return errors.Join(errs...)
}

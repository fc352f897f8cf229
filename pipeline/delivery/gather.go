package delivery

import (
	"context"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/snapshot"
	"github.com/churntier/churntier/pipeline/spill"
)

// gather reads the id of every row, what the tool knows the user by and a hash of
// what would be sent, and sorts out the rows that it would not take.
func (b *builder) gather(ctx context.Context, g *gathering) (err error) {
	b.unsendable = newUnsendable(b)
	defer func() { err = errors.Join(err, b.unsendable.close()) }()
	pieces, err := b.pieces()
	if err != nil {
		return err
	}
	idle := make(chan *gatherer, max(1, b.Workers))
	for range cap(idle) {
		idle <- b.newGatherer(g)
	}
	err = b.atOnce(ctx, len(pieces), func(ctx context.Context, i int) error {
		w, p := <-idle, pieces[i]
		defer func() { idle <- w }()
		return inAudience(b.sources[p.source].audience, w.gather(ctx, p))
	})
	for range cap(idle) {
		err = errors.Join(err, (<-idle).close())
	}
	if err != nil {
		return err
	}
	return b.unsendable.finish(ctx)
}

// piece is some rows of a source, read by one worker at once.
type piece struct {
	source int
	split  snapshot.Split
}

// pieceRows is about how many rows a piece has.
const pieceRows = 1 << 17

// pieces cuts the sources.
func (b *builder) pieces() ([]piece, error) {
	var all []piece
	for i, s := range b.sources {
		as, err := b.rendererOf(s.id, s.files.Schema())
		if err != nil {
			return nil, inAudience(s.audience, err)
		}
		b.whole = !b.Changes && b.Destination.Leavers == ByColumn && !as.tells()
		for _, split := range snapshot.Cut(s.files.Parts, pieceRows) {
			all = append(all, piece{i, split})
		}
	}
	return all, nil
}

// gatherer is one worker's.
type gatherer struct {
	*builder
	*gathering
	put      *spill.Writer
	look     *spill.Writer // nil where nobody is known by another identity than the id
	source   int           // of the sketcher
	sketches *sketcher     // nil before the first piece
	ids      identity.IDs
}

func (b *builder) newGatherer(g *gathering) *gatherer {
	return &gatherer{builder: b, gathering: g, put: g.store.Writer(), look: b.unsendable.writer()}
}

func (w *gatherer) close() error {
	err := w.put.Close()
	if w.look != nil {
		err = errors.Join(err, w.look.Close())
	}
	return err
}

func (w *gatherer) gather(ctx context.Context, p piece) (err error) {
	s := w.sources[p.source]
	if w.sketches == nil || w.source != p.source {
		w.source = p.source
		if w.sketches, err = w.newSketcher(s); err != nil {
			return err
		}
	}
	columns := names(s.files.Schema())
	at := slices.Index(columns, s.id)
	return s.eachOf(ctx, s.files.Split(p.split, columns), func(rows arrow.RecordBatch, first int64) error {
		if err := w.ids.Load(rows.Column(at)); err != nil {
			return err
		}
		return w.add(rows, first)
	})
}

// add adds the rows of a batch, whose ids are loaded.
func (w *gatherer) add(rows arrow.RecordBatch, first int64) error {
	all, err := w.sketches.of(rows)
	if err != nil {
		return err
	}
	row := selected{source: w.source}
	for r, payload := range all.payloads {
		id := w.ids.At(r)
		row.hash, row.place, row.payload, row.was = xxh3.Hash(id), first+int64(r), payload, all.was[r]
		identity, rule := all.identity(r), all.rule(r)
		if err := w.gathering.put(w.put, &row, id, identity); err != nil {
			return err
		}
		if w.look == nil && rule == "" {
			continue
		}
		if err := w.unsendable.look(w.look, row, id, identity, rule); err != nil {
			return err
		}
	}
	return nil
}

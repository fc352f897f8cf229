package delivery

import (
	"context"
	"errors"
	"fmt"
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
	writers := make(chan *writers, max(1, b.Workers))
	for range cap(writers) {
		writers <- b.newWriters(g)
	}
	err = b.atOnce(ctx, len(pieces), func(ctx context.Context, i int) error {
		p := &pieces[i]
		p.writers = <-writers
		defer func() { writers <- p.writers }()
		if err := p.gather(ctx, g); err != nil {
			return fmt.Errorf("audience %s: %w", b.sources[p.source].audience, err)
		}
		return nil
	})
	for range cap(writers) {
		err = errors.Join(err, (<-writers).close())
	}
	if err != nil {
		return err
	}
	return b.unsendable.finish(ctx)
}

// writers are those of one worker.
type writers struct {
	put  *spill.Writer
	look *spill.Writer // nil where nobody is known by another identity than the id
}

func (b *builder) newWriters(g *gathering) *writers {
	return &writers{g.store.Writer(), b.unsendable.writer()}
}

func (w *writers) close() error {
	err := w.put.Close()
	if w.look != nil {
		err = errors.Join(err, w.look.Close())
	}
	return err
}

// piece is some rows of a source, read by one worker.
type piece struct {
	*builder
	source   int
	split    snapshot.Split
	sketches *sketcher
	ids      identity.IDs
	*writers
}

// pieces cuts the sources.
func (b *builder) pieces() ([]piece, error) {
	var all []piece
	for i, s := range b.sources {
		sketches, err := b.newSketcher(s)
		if err != nil {
			return nil, fmt.Errorf("audience %s: %w", s.audience, err)
		}
		b.whole = !b.Changes && b.Destination.Leavers == ByColumn && !sketches.tells()
		for _, split := range snapshot.Cut(s.files.Parts, pieceRows) {
			all = append(all, piece{builder: b, source: i, split: split})
		}
	}
	return all, nil
}

// pieceRows is about how many rows a piece has.
const pieceRows = 1 << 18

func (p *piece) gather(ctx context.Context, g *gathering) (err error) {
	s := p.sources[p.source]
	if p.sketches, err = p.newSketcher(s); err != nil {
		return err
	}
	columns := names(s.files.Schema())
	at := slices.Index(columns, s.id)
	return s.eachOf(ctx, s.files.Split(p.split, columns), func(rows arrow.RecordBatch, first int64) error {
		if err := p.ids.Load(rows.Column(at)); err != nil {
			return err
		}
		return p.add(g, rows, first)
	})
}

// add adds the rows of a batch, whose ids are loaded.
func (p *piece) add(g *gathering, rows arrow.RecordBatch, first int64) error {
	all, err := p.sketches.of(rows)
	if err != nil {
		return err
	}
	for r := range all {
		id, sketch := p.ids.At(r), &all[r]
		row := selected{hash: xxh3.Hash(id), source: p.source, place: first + int64(r), payload: sketch.payload, was: sketch.was}
		if err := g.put(p.put, &row, id, sketch.identity); err != nil {
			return err
		}
		if err := p.unsendable.look(p.look, row, id, sketch); err != nil {
			return err
		}
	}
	return nil
}

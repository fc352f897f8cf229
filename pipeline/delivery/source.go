package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// source is the members of one audience of the publication, or its control arm, as
// the run wrote them. All rows of all sources are numbered through: a row's place.
type source struct {
	audience string
	control  bool
	id       string // column of ids in its files
	files    *snapshot.Files
	first    int64 // place of its first row
}

// openSources opens the members and the control arms of the wanted audiences of
// what is published. An audience that the publication does not have has no source.
func (b *builder) openSources(ctx context.Context, p *publish.Published) error {
	if p == nil {
		return nil
	}
	for _, a := range b.Audiences {
		at := slices.IndexFunc(p.Manifest.Audiences, func(m publish.Audience) bool { return m.Name == a.Name })
		if at < 0 {
			return fmt.Errorf("%w: what is published of %s has no audience %q; it is delivered from the next date on", ErrColumns, p.Date, a.Name)
		}
		m := &p.Manifest.Audiences[at]
		for _, control := range []bool{false, true} {
			if err := b.openSource(ctx, a, control, m.ParquetFiles(control)); err != nil {
				return fmt.Errorf("audience %s: %w", a.Name, err)
			}
		}
	}
	return nil
}

func (b *builder) openSource(ctx context.Context, a Audience, control bool, listed []publish.File) error {
	if len(listed) == 0 {
		return nil
	}
	var found []objstore.Attrs
	for _, f := range listed {
		attrs, err := b.published.Stat(ctx, f.Key)
		if err != nil {
			return err
		}
		if attrs.Size != f.Bytes {
			return fmt.Errorf("%w: %s has %d bytes, %d were published", objstore.ErrChecksum, b.published.URL(f.Key), attrs.Size, f.Bytes)
		}
		found = append(found, attrs)
	}
	files, err := snapshot.Open(ctx, snapshot.PinFiles(b.published, found), snapshot.VerifyRead, b.Temp, snapshot.DefaultLimits())
	if err != nil {
		return err
	}
	s := &source{audience: a.Name, control: control, id: a.ID, files: files, first: b.rows}
	b.sources = append(b.sources, s)
	b.rows += files.Rows()
	if !files.Has(a.ID) {
		return fmt.Errorf("%w: the Parquet file has no column %q for the id; it was published by another config, run with --force or wait for the next date", ErrColumns, a.ID)
	}
	return nil
}

// each reads all rows of the source in order; at is the place of the first row of a
// batch.
func (s *source) each(ctx context.Context, columns []string, visit func(rows arrow.RecordBatch, at int64) error) (err error) {
	for _, split := range snapshot.Cut(s.files.Parts, snapshot.SplitRows) {
		if err := s.eachOf(ctx, s.files.Split(split, columns), visit); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) eachOf(ctx context.Context, r *snapshot.SplitReader, visit func(arrow.RecordBatch, int64) error) (err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		batch, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = visit(batch.Record, s.first+batch.First)
		}
		if err != nil {
			return err
		}
	}
}

package pipeline

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// Shard is one written file of a run.
type Shard struct {
	Output int // index of its file series in the plan
	Split  int
	File   publish.File
}

// shards are the open files of one split. A file is created when its first row
// comes, so an empty one is never written.
type shards struct {
	plan  *Plan
	split int
	open  []*shard // by output
}

// shard is one file being written.
type shard struct {
	key     string
	format  string
	out     *objstore.Writer
	encoder interface {
		Close() error
		Rows() int64
	}
}

func (p *Plan) newShards(split int) *shards {
	return &shards{plan: p, split: split, open: make([]*shard, len(p.outputs))}
}

// write appends one batch to the files that take some of its rows.
func (s *shards) write(ctx context.Context, b *judged) error {
	for i, o := range s.plan.outputs {
		var err error
		switch {
		case o.name == rejectedTable && o.audience < 0:
			err = s.reject(ctx, i, b.rejected)
		case o.audience < 0:
			err = s.append(ctx, i, b, b.scored)
		case o.control:
			err = s.append(ctx, i, b, b.arms[o.audience].Control)
		default:
			err = s.append(ctx, i, b, b.arms[o.audience].Members)
		}
		if err != nil {
			return fmt.Errorf("write %s %s: %w", o.name, o.form.extension(), err)
		}
	}
	return nil
}

func (s *shards) append(ctx context.Context, i int, b *judged, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	if err := s.create(ctx, i); err != nil {
		return err
	}
	return s.open[i].encoder.(audience.Encoder).Write(&b.Block, rows)
}

func (s *shards) reject(ctx context.Context, i int, rows []audience.RejectedRow) error {
	if len(rows) == 0 {
		return nil
	}
	if err := s.create(ctx, i); err != nil {
		return err
	}
	return s.open[i].encoder.(*audience.RejectedEncoder).Write(rows)
}

// create opens the file of output i, unless it is open.
func (s *shards) create(ctx context.Context, i int) error {
	if s.open[i] != nil {
		return nil
	}
	o := s.plan.outputs[i]
	f := &shard{key: s.plan.key(o, s.split), format: o.form.Format}
	var err error
	if f.out, err = s.plan.Output.Create(ctx, f.key); err != nil {
		return err
	}
	s.open[i] = f
	if o.encode == nil {
		f.encoder, err = audience.NewRejected(f.out, audience.ParquetOptions{Compression: s.plan.Rules.Compression})
	} else {
		f.encoder, err = o.encode(f.out)
	}
	return err
}

// close writes the ends of all files, which stay invisible.
func (s *shards) close() error {
	for _, f := range s.open {
		if f == nil {
			continue
		}
		if err := f.encoder.Close(); err != nil {
			return fmt.Errorf("write %s: %w", f.key, err)
		}
	}
	return nil
}

// commitsAtOnce bounds how many files of a split are committed side by side.
const commitsAtOnce = 16

// commit makes the closed files visible, side by side, and gives them by output.
func (s *shards) commit() ([]Shard, error) {
	var g errgroup.Group
	g.SetLimit(commitsAtOnce)
	files := make([]publish.File, len(s.open))
	for i, f := range s.open {
		if f == nil {
			continue
		}
		g.Go(func() error {
			w, err := f.out.Commit()
			if err != nil {
				return fmt.Errorf("write %s: %w", f.key, err)
			}
			files[i] = fileOf(f.key, f.format, f.encoder.Rows(), w)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var done []Shard
	for i, f := range s.open {
		if f != nil {
			done = append(done, Shard{Output: i, Split: s.split, File: files[i]})
		}
	}
	return done, nil
}

// abort drops every file that is not committed.
func (s *shards) abort() {
	for _, f := range s.open {
		if f != nil && f.out != nil {
			f.out.Abort()
		}
	}
}

func fileOf(key, format string, rows int64, w objstore.Written) publish.File {
	return publish.File{Key: key, Format: format, Rows: rows, Bytes: w.Size, SHA256: w.SHA256, CRC32C: publish.Checksum(w.CRC32C)}
}

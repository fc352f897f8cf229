package snapshot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// Part is one file of a snapshot at the version that the run reads. Rows and
// GroupRows are known once its footer is read.
type Part struct {
	Name       string // relative to the folder of the date
	Size       int64
	Generation string
	CRC32C     uint32
	Rows       int64
	GroupRows  []int64

	attrs objstore.Attrs
}

// Pinned is a snapshot whose parts are fixed: name, version, size and checksum.
type Pinned struct {
	Source Source
	Date   date.Date
	Parts  []Part   // in order of name
	Others []string // files and folders beside the parts that are not read
}

// checksumsAtOnce bounds how many parts are checksummed side by side.
const checksumsAtOnce = 4

// Pin finds the snapshot of date d and fixes its parts. Nothing is read yet.
func Pin(ctx context.Context, s Source, d date.Date) (*Pinned, error) {
	found, others, err := s.Find(ctx, d)
	if err != nil {
		return nil, err
	}
	return &Pinned{Source: s, Date: d, Parts: partsOf(found, s.Folder(d)), Others: others}, nil
}

// PinFiles fixes single files of a bucket, such as those of an exclude list.
func PinFiles(b *objstore.Bucket, files []objstore.Attrs) *Pinned {
	return &Pinned{Source: Source{Bucket: b}, Parts: partsOf(files, "")}
}

func partsOf(found []objstore.Attrs, folder string) []Part {
	parts := make([]Part, len(found))
	for i, a := range found {
		parts[i] = Part{Name: strings.TrimPrefix(a.Key, folder), Size: a.Size, Generation: a.Generation, CRC32C: a.CRC32C, attrs: a}
	}
	slices.SortFunc(parts, func(x, y Part) int { return cmp.Compare(x.Name, y.Name) })
	return parts
}

// Sum fills the CRC32C of every part. Where the store keeps none, the part is
// read once, whole, to compute it; what is read later is held to it.
func (p *Pinned) Sum(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(checksumsAtOnce)
	for i := range p.Parts {
		part := &p.Parts[i]
		g.Go(func() (err error) {
			if part.CRC32C, err = p.Source.Bucket.Checksum(ctx, part.attrs); err != nil {
				return fmt.Errorf("checksum of part %s: %w", part.Name, err)
			}
			part.attrs.CRC32C, part.attrs.HasCRC32C = part.CRC32C, true
			return nil
		})
	}
	return g.Wait()
}

// Rows counts the rows of all parts, as their footers say.
func (p *Pinned) Rows() int64 {
	n := int64(0)
	for _, part := range p.Parts {
		n += part.Rows
	}
	return n
}

// Bytes counts those of all parts as they are stored.
func (p *Pinned) Bytes() int64 {
	n := int64(0)
	for _, part := range p.Parts {
		n += part.Size
	}
	return n
}

// Unchanged lists the snapshot again and returns ErrNotReady when a part was
// added, removed or replaced since it was pinned.
func (p *Pinned) Unchanged(ctx context.Context) error {
	now, err := Pin(ctx, p.Source, p.Date)
	if err != nil {
		return err
	}
	if !p.Same(now) {
		return fmt.Errorf("%w: the parts of %s changed while they were read; nothing was published, run again when the snapshot is complete",
			ErrNotReady, p.Date)
	}
	return nil
}

// Same says whether o names the same versions of the same parts.
func (p *Pinned) Same(o *Pinned) bool {
	return slices.EqualFunc(p.Parts, o.Parts, func(x, y Part) bool {
		return x.attrs.Key == y.attrs.Key && x.Size == y.Size && x.Generation == y.Generation
	})
}

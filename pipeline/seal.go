package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// ErrStaged says that a file of the run does not read back as it was written.
// Nothing is published.
var ErrStaged = errors.New("a written file does not read back")

// ErrProjection says that the night is published and latest/ does not show it
// yet; the next run makes it so.
var ErrProjection = errors.New("published, but latest/ could not be updated")

// readBackAtOnce bounds how many staged files are read back side by side.
const readBackAtOnce = 4

const (
	// readAtOnce is up to how many bytes a Parquet file in a remote store is read back
	// into memory; a larger one passes through it.
	readAtOnce = 1 << 20
	// footerBytes is about how long the footers of larger files are at most.
	footerBytes = 64 << 10
)

// seal makes sure that the run is whole and writes its manifest, whose SHA-256 it
// gives.
func (r *run) seal(ctx context.Context) (string, error) {
	r.Progress.Stage("check what was written", 0, 0)
	if err := r.inputs.unchanged(ctx, &r.Night); err != nil {
		return "", err
	}
	if err := r.readBack(ctx); err != nil {
		return "", err
	}
	return r.ledger.Seal(ctx, r.manifest)
}

// readBack reads every staged file again and compares size and rows with the
// manifest.
func (r *run) readBack(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readBackAtOnce)
	for _, f := range r.manifest.Files() {
		g.Go(func() error {
			rows, err := countRows(ctx, r.Output, f)
			if err != nil {
				return fmt.Errorf("%w: %s: %w", ErrStaged, f.Key, err)
			}
			if rows != f.Rows {
				return fmt.Errorf("%w: %s has %d rows, %d were written", ErrStaged, f.Key, rows, f.Rows)
			}
			return nil
		})
	}
	return g.Wait()
}

// countRows reads a staged file again. Its size and checksum must be what was
// written: by the store's word, and of every byte where the store is a remote one.
func countRows(ctx context.Context, b *objstore.Bucket, f publish.File) (rows int64, err error) {
	attrs, err := b.Stat(ctx, f.Key)
	if err != nil {
		return 0, err
	}
	there, written := objstore.Checksum{Size: attrs.Size, CRC32C: attrs.CRC32C}, objstore.Checksum{Size: f.Bytes, CRC32C: uint32(f.CRC32C)}
	if !attrs.HasCRC32C {
		there.CRC32C = written.CRC32C
	}
	if err := there.Check(written); err != nil {
		return 0, err
	}
	attrs.CRC32C, attrs.HasCRC32C = written.CRC32C, true
	switch parquet := f.Format == formatParquet; {
	case parquet && b.InPlace():
		return countInPlace(ctx, b, attrs)
	case parquet && attrs.Size > readAtOnce:
		return countPassing(ctx, b, attrs)
	}
	r, err := b.Open(ctx, attrs)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if f.Format == formatParquet {
		return countWhole(r, attrs.Size)
	}
	return countText(r, f)
}

func countInPlace(ctx context.Context, b *objstore.Bucket, a objstore.Attrs) (rows int64, err error) {
	r, err := b.OpenAt(ctx, a)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return audience.CountParquet(r, a.Size)
}

// countPassing counts the rows of a Parquet file on its way; every byte is held against
// the checksum.
func countPassing(ctx context.Context, b *objstore.Bucket, a objstore.Attrs) (rows int64, err error) {
	r, err := b.OpenForward(ctx, a, footerBytes)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	rows, err = audience.CountParquet(r, a.Size)
	if failed := r.Verify(); failed != nil {
		return 0, failed // whatever was found in other bytes
	}
	return rows, err
}

// countWhole takes a Parquet file of so many bytes into memory in one go.
func countWhole(r io.Reader, size int64) (int64, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // the end, where the checksum is known
		return 0, err
	}
	return audience.CountParquet(bytes.NewReader(data), size)
}

func countText(r io.Reader, f publish.File) (int64, error) {
	count := audience.CountCSV
	switch f.Format {
	case formatJSONL:
		count = audience.CountJSONL
	case formatJSON: // distribution.json is no table
		_, err := io.Copy(io.Discard, r)
		return f.Rows, err
	}
	if strings.HasSuffix(f.Key, gzipped) {
		return audience.CountGzip(r, count)
	}
	return count(r)
}

// alreadyPublished ends a run whose date needs nothing; the outcome is what is
// published of the date, or that it was withdrawn.
func (r *run) alreadyPublished(ctx context.Context, a publish.Admission) (*Outcome, error) {
	out := &Outcome{Status: AlreadyPublished, Run: a.Entry.Run, Seq: a.Entry.Seq, Message: a.Why, Differs: a.Decision == publish.OtherInputs}
	there, found, err := r.ledger.Published(ctx, r.Date)
	switch {
	case err != nil:
		return nil, err
	case found:
		out.Run, out.Seq, out.Manifest = there.Run, there.Seq, there.Manifest
	default:
		out.Status, out.Run = Withdrawn, ""
	}
	if r.DryRun {
		return out, nil
	}
	return out, project(ctx, r.ledger)
}

func project(ctx context.Context, ledger *publish.Ledger) error {
	if _, err := ledger.Project(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrProjection, err)
	}
	return nil
}

package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/churntier/churntier/pipeline/objstore"
)

// Sender puts the staged files of a delivery into the place of the tool.
type Sender struct {
	Log *Log
	To  *objstore.Bucket
	By  string // of this attempt, never given twice

	// Stale is asked right before a file is claimed why nothing of a delivery may be
	// sent any more; "" where it may. nil: nothing becomes stale.
	Stale func(context.Context, *Intent) (string, error)
}

// Send puts every file of i that nobody has claimed yet, and ends the delivery; when
// it has become stale the rest is given up. It may be called again after any error,
// and by several processes at once: each file is put by one of them, once.
func (s *Sender) Send(ctx context.Context, i *Intent) error {
	// A place that cannot be reached fails here, before anything is claimed.
	if _, err := s.To.Objects(ctx, ""); err != nil {
		return fmt.Errorf("%w: %w", ErrPut, err)
	}
	for _, f := range i.Files {
		stale, err := s.file(ctx, i, f)
		if err != nil {
			return err
		}
		if stale != "" {
			return s.Abandon(ctx, i, stale)
		}
	}
	return s.end(ctx, Ending{N: i.N})
}

// Abandon says of every file that nobody has claimed yet that it is never put, and
// ends the delivery with the reason.
func (s *Sender) Abandon(ctx context.Context, i *Intent, why string) error {
	for _, f := range i.Files {
		if _, err := s.claim(ctx, i.N, f.K, Claim{By: s.By, Abandoned: true}); err != nil {
			return err
		}
	}
	return s.end(ctx, Ending{N: i.N, Why: why})
}

func (s *Sender) end(ctx context.Context, e Ending) error {
	return s.Log.create(ctx, s.Log.doneKey(e.N), e, &e)
}

// claim says whether this attempt alone is the one that the claim is for.
func (s *Sender) claim(ctx context.Context, n, k int, c Claim) (bool, error) {
	var there Claim
	err := s.Log.create(ctx, s.Log.claimKey(n, k), c, &there)
	return err == nil && there == c, err
}

// file claims, puts and acknowledges one file, unless it is claimed, or the delivery
// is stale. What is staged is checked before the claim: nothing is claimed that cannot
// be put.
func (s *Sender) file(ctx context.Context, i *Intent, f File) (stale string, err error) {
	staged, err := s.Log.bucket.Stat(ctx, f.Key)
	if err == nil {
		err = s.check(ctx, staged, f)
	}
	if err == nil && s.Stale != nil {
		stale, err = s.Stale(ctx, i)
	}
	if err != nil || stale != "" {
		return stale, err
	}
	ours, err := s.claim(ctx, i.N, f.K, Claim{By: s.By})
	if err != nil || !ours {
		return "", err
	}
	if err := s.put(ctx, staged, f); err != nil {
		return "", fmt.Errorf("%w: %s is uncertain and will not be sent again: %w", ErrPut, s.To.URL(f.Name), err)
	}
	ack := Claim{By: s.By}
	return "", s.Log.create(ctx, s.Log.ackKey(i.N, f.K), ack, &ack)
}

func (s *Sender) check(ctx context.Context, staged objstore.Attrs, f File) error {
	crc, err := s.Log.bucket.Checksum(ctx, staged)
	if err == nil {
		err = objstore.Checksum{Size: staged.Size, CRC32C: crc}.Check(objstore.Checksum{Size: f.Bytes, CRC32C: uint32(f.CRC32C)})
	}
	if err != nil {
		err = fmt.Errorf("staged file %s: %w", s.Log.bucket.URL(f.Key), err)
	}
	return err
}

// put copies the staged bytes to the tool.
func (s *Sender) put(ctx context.Context, staged objstore.Attrs, f File) (err error) {
	in, err := s.Log.bucket.Open(ctx, staged)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := s.To.Create(ctx, f.Name)
	if err != nil {
		return err
	}
	defer out.Abort()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	_, err = out.Commit()
	return err
}

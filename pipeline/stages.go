package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// This file and identify.go hold what every engine calls: one function a stage,
// each on one piece of work. They share nothing but the plan, which they do not
// change, so an engine may call them from as many goroutines or machines as it
// likes.

// Engine runs the stages of a plan over all its splits.
type Engine interface {
	// Name names the engine in the manifest.
	Name() string
	// Identify answers a question about every row; the caller closes the fates.
	Identify(ctx context.Context, p *Plan, q Question) (*identity.Fates, error)
	// Measure counts the scores without writing anything, and once the categories
	// are cut, the users within the limits of audiences.
	Measure(ctx context.Context, p *Plan, found *Findings) (*Tally, error)
	// Write writes the shards of every split and gives them in order of split. What
	// was assumed is proved on the way; ErrShared says that it does not hold.
	Write(ctx context.Context, p *Plan, found *Findings) (Written, error)
}

// ErrMemory says that a step needs more memory for users than it may use.
var ErrMemory = errors.New("not enough memory")

// CheckLimits returns ErrMemory when finding the limits of audiences takes more
// than so many bytes.
func (p *Plan) CheckLimits(memory int64) error {
	if need := p.selects.LimitMemory(); need > memory {
		return fmt.Errorf("%w: the limits of the audiences take %d MiB, %d are allowed (--memory)", ErrMemory, need>>20, memory>>20)
	}
	return nil
}

// MeasureSplit counts the fates and scores of one split, and shows who could be in
// an audience with a limit to its top.
func (p *Plan) MeasureSplit(ctx context.Context, s snapshot.Split, found *Findings) (*Tally, error) {
	rows, err := p.newRows(s, found, nil)
	if err != nil {
		return nil, err
	}
	for {
		if _, err := rows.next(ctx); errors.Is(err, io.EOF) {
			return rows.tally, rows.close()
		} else if err != nil {
			return nil, errors.Join(err, rows.close())
		}
	}
}

// Written is what one split wrote, or all of them.
type Written struct {
	Tally  *Tally
	Shards []Shard
}

// Staged is what one split wrote. Its owner owes it a call of Finish.
type Staged struct {
	tally  *Tally
	shards *shards
}

// Finish waits until the shards are in the store and visible, under the run's prefix.
// On an error those that are not yet never will be. It may be called while other splits
// are written, as long as the context of WriteSplit lasts.
func (s *Staged) Finish() (Written, error) {
	done, err := s.shards.commit()
	if err != nil {
		s.shards.abort()
		return Written{}, err
	}
	return Written{Tally: s.tally, Shards: done}, nil
}

// WriteSplit scores one split and writes its shards. Its ids go to the proof of what was
// assumed, nil for none. On an error nothing of the open shards becomes visible.
func (p *Plan) WriteSplit(ctx context.Context, s snapshot.Split, found *Findings, ids *identity.ProofCollector) (_ *Staged, err error) {
	rows, err := p.newRows(s, found, ids)
	if err != nil {
		return nil, err
	}
	shards := p.newShards(s.Index)
	defer func() {
		err = errors.Join(err, rows.close())
		if err != nil {
			shards.abort()
		}
	}()
	for {
		b, err := rows.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := shards.write(ctx, b); err != nil {
			return nil, b.locate(err)
		}
	}
	return &Staged{rows.tally, shards}, shards.close()
}

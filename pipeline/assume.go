package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Who shares an id with another row is known only when all rows were read. Where
// nobody did in the publication before, a night of several splits is written on the
// assumption that every id is on one row, and proves it on the way. Where the proof
// fails nothing was sealed: the night begins anew under the name of another run, and
// finds out first. The files of the run given up are orphans, as those of one that was
// killed. A night of one split always finds out first, which takes little.

// ErrShared says that ids were assumed to be on one row each, and are not.
var ErrShared = errors.New("rows share an id")

// errAssumed says that a run came to nothing because of what it assumed, or may have.
var errAssumed = errors.New("assumed that no rows share an id")

// refuseUnlessAssumed is refuseContent but for a run that came to nothing because of what
// it assumed, or may have: whose rows would not be written if it were known that they
// share an id. A damaged part is so in any case.
func (r *run) refuseUnlessAssumed(ctx context.Context, err error) error {
	if r.assumes && (errors.Is(err, ErrShared) || isContentFault(err) && !errors.Is(err, snapshot.ErrDamaged)) {
		return fmt.Errorf("%w: %w", errAssumed, err)
	}
	return r.refuseContent(ctx, err)
}

// likelyUnique says whether the night, if it has several splits, may assume that no rows
// share an id: when nobody is on a list of those never scored, and the publication
// before had no duplicates.
func (r *run) likelyUnique(ctx context.Context) (bool, error) {
	if len(r.Exclude) > 0 {
		return false, nil
	}
	before, err := r.ledger.Past(ctx, r.Date, 1)
	return len(before) == 1 && before[0].Manifest.Rows.Duplicates == 0, err
}

// opens gives how the parts are opened: for one reading, where what is assumed leaves no
// other question about the rows than where they go. If other bytes than those of a part
// were read, the content of some row may be at fault before it shows; then too the night
// begins anew and finds out first.
func (r *run) opens() opener {
	others := r.Mode == Live && (len(r.Suppress) > 0 || r.Rules.Holdout != nil && r.Rules.Holdout.ByContact ||
		slices.ContainsFunc(r.Rules.Audiences, func(a Audience) bool { return a.Limit > 0 }))
	if r.assumes && !others && !distribution.NeedsCounts(r.Rules.Categories) {
		return snapshot.OpenOnce
	}
	return snapshot.Open
}

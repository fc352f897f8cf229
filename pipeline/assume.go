package pipeline

import (
	"context"
	"errors"

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

// mayBeAssumed says whether an error of staging may be due to rows that would not be
// written if it were known that they share an id. A damaged part is so in any case.
func mayBeAssumed(err error) bool {
	return errors.Is(err, ErrShared) || isContentFault(err) && !errors.Is(err, snapshot.ErrDamaged)
}

// likelyUnique says whether the night may assume that no rows share an id: when it has
// several splits, nobody is on a list of those never scored, and the publication before
// had no duplicates.
func (r *run) likelyUnique(ctx context.Context) (bool, error) {
	if len(r.plan.Splits) < 2 || len(r.plan.excludedAndDuplicates().Lists) > 0 {
		return false, nil
	}
	before, err := r.ledger.Past(ctx, r.Date, 1)
	return len(before) == 1 && before[0].Manifest.Rows.Duplicates == 0, err
}

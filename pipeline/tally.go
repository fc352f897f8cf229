package pipeline

import (
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/selection"
)

// ErrCounts says that a count that must be conserved was not: a defect of this
// program or of the machine, never of the input. Nothing is published.
var ErrCounts = errors.New("counts are not conserved")

// Tally counts the fates of rows. Tallies of splits add up to that of the night,
// in any order.
type Tally struct {
	Read, Rejected, Excluded, Duplicates, Ineligible, Scored int64

	Reasons map[string]int64    // rejected and duplicate rows by reason
	Counts  distribution.Counts // scored rows by score
	Missing []int64             // rows with a null or NaN, by column of Plan.Inputs
	Unseen  []int64             // rows with a category that the model does not know, the same
	Newest  date.Date           // newest day of the as_of column

	Suppressed int64            // scored rows that are in no audience, whatever its rules
	NoContact  int64            // of these, rows without the contact that a list goes by
	Tops       []*selection.Top // by audience: who is within its limit; nil for one without

	Chosen *distribution.Counts // users that the first audience takes, by score; nil unless they are counted
	Told   []Why                // of each user that is asked for, "" while no row was found; nil when no one is
}

// NewTally gives a tally without rows.
func (p *Plan) NewTally() *Tally {
	t := &Tally{Reasons: map[string]int64{}, Missing: make([]int64, len(p.Inputs)), Unseen: make([]int64, len(p.Inputs)), Tops: make([]*selection.Top, len(p.selects.Audiences))}
	for i, a := range p.selects.Audiences {
		if a.Limit > 0 {
			t.Tops[i] = selection.NewTop(a.Limit)
		}
	}
	if p.counting {
		t.Chosen = new(distribution.Counts)
	}
	if p.asked != nil {
		t.Told = make([]Why, len(p.asked.next))
	}
	return t
}

// tell notes what a row says of an asked user. Of several rows, the one that the
// duplicates policy keeps speaks for the user.
func (t *Tally) tell(at int32, why Why) {
	if t.Told[at] == "" || t.Told[at] == Duplicate {
		t.Told[at] = why
	}
}

// Add adds the rows of o.
func (t *Tally) Add(o *Tally) {
	t.Read += o.Read
	t.Rejected += o.Rejected
	t.Excluded += o.Excluded
	t.Duplicates += o.Duplicates
	t.Ineligible += o.Ineligible
	t.Scored += o.Scored
	for reason, n := range o.Reasons {
		t.Reasons[reason] += n
	}
	t.Counts.Merge(&o.Counts)
	for i := range o.Missing {
		t.Missing[i] += o.Missing[i]
		t.Unseen[i] += o.Unseen[i]
	}
	if o.Newest.After(t.Newest) {
		t.Newest = o.Newest
	}
	t.Suppressed += o.Suppressed
	t.NoContact += o.NoContact
	for i, top := range o.Tops {
		if top != nil {
			t.Tops[i].Merge(top)
		}
	}
	if o.Chosen != nil {
		t.Chosen.Merge(o.Chosen)
	}
	for at, why := range o.Told {
		if why != "" {
			t.tell(int32(at), why)
		}
	}
}

// Conserved checks that every row that the footers promise had exactly one fate
// and that every scored row is in the distribution once.
func (t *Tally) Conserved(rows int64) error {
	fates := t.Rejected + t.Excluded + t.Duplicates + t.Ineligible + t.Scored
	reasons := int64(0)
	for _, n := range t.Reasons {
		reasons += n
	}
	switch {
	case t.Read != rows:
		return fmt.Errorf("%w: the footers promise %d rows, %d were read", ErrCounts, rows, t.Read)
	case fates != t.Read:
		return fmt.Errorf("%w: %d rows were read, %d had a fate", ErrCounts, t.Read, fates)
	case reasons != t.Rejected+t.Duplicates:
		return fmt.Errorf("%w: %d rows were rejected or duplicates, %d have a reason", ErrCounts, t.Rejected+t.Duplicates, reasons)
	case t.Counts.Total() != t.Scored:
		return fmt.Errorf("%w: %d rows were scored, %d are in the distribution", ErrCounts, t.Scored, t.Counts.Total())
	}
	return nil
}

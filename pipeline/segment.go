package pipeline

import (
	"slices"

	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/selection"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// segmenter selects the audiences from the batches of one split.
type segmenter struct {
	plan     *Plan
	found    *Findings
	selector *selection.Selector
	rows     selection.Rows

	ids          *identity.IDs
	contacts     identity.IDs
	useContacts  bool
	listContacts bool // a list suppresses by contact
	byID         []identity.Fate
	byContact    []identity.Fate
}

func (p *Plan) newSegmenter(found *Findings) *segmenter {
	s := &segmenter{
		plan: p, found: found, selector: p.selects.NewSelector(),
		useContacts: p.usesContacts(), listContacts: len(p.listsFor(useSuppress, true)) > 0,
	}
	s.rows.ID, s.rows.Key = s.id, s.key
	return s
}

// load readies a batch whose rows are decided.
func (s *segmenter) load(b snapshot.Batch, judged *judged, ids *identity.IDs) error {
	n := int(b.Record.NumRows())
	s.ids = ids
	s.rows.Rows = filter.Rows{Record: b.Record, Hundredths: judged.Hundredths, Category: judged.Category}
	s.rows.Scored = judged.scored
	s.byID = slices.Grow(s.byID[:0], n)[:n]
	listed, err := s.found.Suppressed.Fill(b.First, s.byID)
	if err != nil {
		return err
	}
	s.rows.Suppressed = nil
	if listed || s.listContacts {
		s.rows.Suppressed = s.suppressed
	}
	if !s.useContacts {
		return nil
	}
	s.byContact = slices.Grow(s.byContact[:0], n)[:n]
	if _, err := s.found.Contacts.Fill(b.First, s.byContact); err != nil {
		return err
	}
	return s.contacts.LoadContacts(b.Record.Column(s.plan.column(s.plan.Rules.Contact)))
}

// suppressed tells whether a list names the user of a row. Where lists go by
// contact, a user without one is suppressed: whether a list means them is unknown.
func (s *segmenter) suppressed(i int) bool {
	return s.byID[i] == identity.Listed ||
		s.listContacts && (s.contacts.Reason(i) != identity.Good || s.byContact[i] == identity.Listed)
}

func (s *segmenter) id(i int) []byte { return s.ids.At(i) }

// key is what the holdout goes by: the contact, unless there is none or too many
// users share it.
func (s *segmenter) key(i int) []byte {
	if s.plan.Rules.Holdout.ByContact && s.contacts.Reason(i) == identity.Good && s.byContact[i] != identity.Crowded {
		return s.contacts.At(i)
	}
	return s.ids.At(i)
}

// measure adds to the tally who could be within the limits of audiences, and who
// is counted.
func (s *segmenter) measure(t *Tally) error {
	n, err := s.selector.Measure(&s.rows, t.Tops)
	t.Suppressed += int64(n)
	if t.Chosen != nil && err == nil {
		for _, i := range s.selector.Candidates(0) {
			t.Chosen[s.rows.Hundredths[i]]++
		}
	}
	return err
}

// segment gives the arms of all audiences, valid until the next batch.
func (s *segmenter) segment(t *Tally) ([]selection.Arms, error) {
	arms, n, err := s.selector.Select(&s.rows, s.found.Cuts)
	t.Suppressed += int64(n)
	if s.listContacts {
		for _, i := range s.rows.Scored {
			if s.contacts.Reason(int(i)) != identity.Good {
				t.NoContact++
			}
		}
	}
	return arms, err
}

// explain says of some scored rows of the batch that was segmented last why they are
// no members of audience a.
func (s *segmenter) explain(a int, asked []int32) ([]Why, error) {
	return s.selector.Explain(&s.rows, a, s.found.Cuts[a], asked)
}

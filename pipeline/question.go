package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Question asks of every row of the snapshot whether its key, the value of one
// column, is on a list or on other rows too. Rows without a valid key are Kept.
type Question struct {
	Title   string // of the stage, for people
	Column  string // of the snapshot: where the keys are
	Contact bool   // keys are contacts, compared as identity.Normalise gives them; else they are ids
	Policy  identity.Policy
	Lists   []KeyList // of keys of the same kind (see snapshot.SameKind)
}

// KeyList is an opened list of keys. Who opened it closes it.
type KeyList struct {
	Use     string // what the list is for: exclude or suppress
	URL     string // for people
	Column  string // where the keys are
	Contact bool   // the keys are contacts
	Files   *snapshot.Files
}

// excludedAndDuplicates asks which rows may not be scored because of their id.
func (p *Plan) excludedAndDuplicates() Question {
	return Question{Title: "identify", Column: p.Rules.ID, Policy: p.Rules.Duplicates, Lists: p.listsFor(useExclude, false)}
}

// suppressedIDs asks which rows' ids are on a suppression list.
func (p *Plan) suppressedIDs() Question {
	return Question{Title: "look up suppressed ids", Column: p.Rules.ID, Policy: identity.Crowd, Lists: p.listsFor(useSuppress, false)}
}

// suppressedContacts asks which rows' contacts are on a suppression list, and which
// are shared by too many users to stand for one.
func (p *Plan) suppressedContacts() Question {
	return Question{
		Title: "look up contacts", Column: p.Rules.Contact, Contact: true, Policy: identity.Crowd, Lists: p.listsFor(useSuppress, true),
	}
}

func (p *Plan) listsFor(use string, contact bool) []KeyList {
	var lists []KeyList
	for _, l := range p.Lists {
		if l.Use == use && l.Contact == contact {
			lists = append(lists, l)
		}
	}
	return lists
}

// Keys names what is compared, for people.
func (q Question) Keys() string {
	if q.Contact {
		return "contacts"
	}
	return "ids"
}

// Listed counts the rows of all lists.
func (q Question) Listed() int64 {
	n := int64(0)
	for _, l := range q.Lists {
		n += l.Files.Rows()
	}
	return n
}

// comparesRows says whether the policy compares more of rows than their keys: the
// plan's Columns.
func (q Question) comparesRows() bool {
	return q.Policy == identity.KeepIdentical || q.Policy == identity.KeepLatest
}

// Reading is one piece of the keys to read: a split of the snapshot or of a list.
type Reading struct {
	Listed bool
	Split  snapshot.Split

	question Question
	source   KeyList // of the snapshot only its files and column
	base     int64   // row number of the source's first row
}

// Readings lists the pieces of the snapshot, then those of the question's lists,
// whose rows are numbered after those of the snapshot. A list of contacts that
// holds none is ErrList.
func (p *Plan) Readings(ctx context.Context, q Question) ([]Reading, error) {
	all := q.readings(KeyList{Column: q.Column, Files: p.Parts}, p.Splits, 0)
	base := p.Parts.Rows()
	for _, l := range q.Lists {
		pieces := q.readings(l, snapshot.Cut(l.Files.Parts, p.SplitRows), base)
		for i := range pieces {
			pieces[i].Listed = true
		}
		if q.Contact {
			if err := l.requireContact(ctx, pieces); err != nil {
				return nil, err
			}
		}
		all = append(all, pieces...)
		base += l.Files.Rows()
	}
	return all, nil
}

func (q Question) readings(source KeyList, splits []snapshot.Split, base int64) []Reading {
	pieces := make([]Reading, len(splits))
	for i, s := range splits {
		pieces[i] = Reading{Split: s, question: q, source: source, base: base}
	}
	return pieces
}

var errFound = errors.New("a contact was found")

// requireContact refuses a list whose rows are all without a contact: it would
// name no one without a word. It reads no further than to the first contact.
func (l KeyList) requireContact(ctx context.Context, pieces []Reading) error {
	var ids identity.IDs
	for _, r := range pieces {
		err := r.eachBatch(ctx, []string{l.Column}, func(b snapshot.Batch) error {
			if err := r.load(&ids, b); err != nil {
				return err
			}
			for i := range ids.Len() {
				if ids.Reason(i) == identity.Good {
					return errFound
				}
			}
			return nil
		})
		if errors.Is(err, errFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%s %w %s: column %q: no row holds a contact", l.Use, ErrList, l.URL, l.Column)
}

package pipeline

import (
	"context"
	"errors"

	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/selection"
)

// Findings is what had to be found out about the whole snapshot before a row of it
// is written. Stages only read it.
type Findings struct {
	Assumed    bool                    // that no rows share an id and none is excluded, which who writes has to prove
	Fates      *identity.Fates         // excluded and duplicate rows
	Suppressed *identity.Fates         // rows whose id is on a suppression list
	Contacts   *identity.Fates         // rows whose contact is on one, or is crowded
	Categories distribution.Categories // nil until they are cut
	Cuts       []selection.Cut         // of the limits, by audience; nil until they are found
}

// Close frees the fates.
func (f *Findings) Close() error {
	return errors.Join(f.Fates.Close(), f.Suppressed.Close(), f.Contacts.Close())
}

// findOut asks what the night has to know: nothing is read twice that no rule asks
// for. The caller closes the findings, also after an error.
func (r *run) findOut(ctx context.Context, engine Engine) (*Findings, error) {
	f := &Findings{Fates: identity.NoFates(), Suppressed: identity.NoFates(), Contacts: identity.NoFates()}
	for _, ask := range []func(context.Context, Engine, *Findings) error{r.identify, r.lookUp, r.cut, r.limit} {
		if err := ask(ctx, engine, f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// identify finds the excluded and duplicate rows, or assumes that there are none.
func (r *run) identify(ctx context.Context, engine Engine, f *Findings) error {
	if f.Assumed = r.assumes; f.Assumed {
		return nil
	}
	fates, err := engine.Identify(ctx, r.plan, r.plan.excludedAndDuplicates())
	if err == nil {
		f.Fates = fates
	}
	return err
}

// lookUp finds the rows that lists suppress and the contacts that are crowded.
func (r *run) lookUp(ctx context.Context, engine Engine, f *Findings) error {
	if r.Mode != Live {
		return nil
	}
	if q := r.plan.suppressedIDs(); len(q.Lists) > 0 {
		fates, err := engine.Identify(ctx, r.plan, q)
		if err != nil {
			return err
		}
		f.Suppressed = fates
	}
	if q := r.plan.suppressedContacts(); r.plan.usesContacts() {
		fates, err := engine.Identify(ctx, r.plan, q)
		if err != nil {
			return err
		}
		f.Contacts = fates
	}
	return nil
}

// usesContacts tells whether contacts have to be compared.
func (p *Plan) usesContacts() bool {
	return len(p.listsFor(useSuppress, true)) > 0 || p.Rules.Holdout != nil && p.Rules.Holdout.ByContact
}

// cut gives the categories. Cuts by share depend on every score, so these are
// counted first.
func (r *run) cut(ctx context.Context, engine Engine, f *Findings) (err error) {
	if !distribution.NeedsCounts(r.Rules.Categories) {
		f.Categories, err = distribution.Cut(r.Rules.Categories, nil)
		return err
	}
	r.Progress.Stage("measure", r.plan.Parts.Rows(), r.plan.Parts.Bytes())
	tally, err := engine.Measure(ctx, r.plan, f)
	if err == nil {
		f.Categories, err = distribution.Cut(r.Rules.Categories, &tally.Counts)
	}
	return err
}

// limit finds where the limits of audiences fall, which depends on all who would
// be in them.
func (r *run) limit(ctx context.Context, engine Engine, f *Findings) error {
	cuts := make([]selection.Cut, len(r.Rules.Audiences))
	if r.Mode == Live && r.plan.selects.Limited() {
		r.Progress.Stage("find limits", r.plan.Parts.Rows(), r.plan.Parts.Bytes())
		tally, err := engine.Measure(ctx, r.plan, f)
		if err != nil {
			return err
		}
		for i, top := range tally.Tops {
			if top != nil {
				cuts[i] = top.Cut()
			}
		}
	}
	f.Cuts = cuts
	return nil
}

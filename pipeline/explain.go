package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/selection"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// ErrOtherInputs says that the snapshot, a list, the model or the config is not
// what was published any more.
var ErrOtherInputs = errors.New("not what was published")

// Explainer says why users are not members of the audiences of one publication.
// It asks either the snapshot or the run's own files.
type Explainer struct {
	engine Engine
	rules  Rules
	plan   *Plan // of the snapshot, or of the run's table of scores; nil without one
	found  *Findings
	run    *evidence // nil when the snapshot is asked
}

// ExplainBySnapshot reads the snapshot again as the run of p did: n is that night.
// It is exact, and ErrOtherInputs unless the fingerprint of the night is still that
// of the run. Nothing is written. Close it.
func ExplainBySnapshot(ctx context.Context, n Night, p *publish.Published, engine Engine) (*Explainer, error) {
	in, err := pin(ctx, &n)
	if err != nil {
		return nil, err
	}
	if err := in.check(ctx, &n, p.Manifest.Fingerprint); err != nil {
		return nil, err
	}
	n.Verify = snapshot.VerifyRead
	n.Rules = n.Rules.selecting()
	plan, err := newPlan(ctx, &n, in)
	if err != nil {
		return nil, err
	}
	e := &Explainer{engine: engine, rules: n.Rules, plan: plan}
	// What the run had found of the same inputs needs no second proof.
	r := &run{Night: n, inputs: in, plan: plan, assumes: p.Manifest.Rows.Excluded+p.Manifest.Rows.Duplicates == 0}
	if e.found, err = r.findOut(ctx, engine); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// check returns ErrOtherInputs unless the inputs have this fingerprint.
func (in *inputs) check(ctx context.Context, n *Night, fingerprint string) error {
	if err := in.sum(ctx); err != nil {
		return err
	}
	now, err := in.fingerprint(n)
	if err == nil && now != fingerprint {
		err = fmt.Errorf("the snapshot, a list, the model or the config of %s is %w", n.Date, ErrOtherInputs)
	}
	return err
}

// selecting gives the rules without what only the files take, so that less is read.
// Where whole rows are compared, the same columns have to be read.
func (r Rules) selecting() Rules {
	if r.Duplicates != identity.Reject {
		return r
	}
	r.Scores, r.Passthrough, r.OrderBy, r.AsOf = false, nil, "", ""
	audiences := make([]Audience, len(r.Audiences))
	for i, a := range r.Audiences {
		a.Files = nil
		audiences[i] = a
	}
	r.Audiences = audiences
	return r
}

// Explain gives why each outsider is no member, in their order. Memory is that of
// the outsiders; each call reads the rows once.
func (e *Explainer) Explain(ctx context.Context, outsiders []Outsider) ([]Why, error) {
	q, err := e.rules.ask(outsiders)
	if err != nil {
		return nil, err
	}
	told, err := e.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	if e.run != nil {
		err = e.run.complete(ctx, q, told)
	}
	for at, why := range told {
		switch why {
		case "":
			told[at] = Absent
		case selection.Member:
			return nil, fmt.Errorf("%w: a user who is no member of audience %q is one by the snapshot", ErrCounts, outsiders[at].Audience)
		}
	}
	return told, err
}

// ask reads the rows and gives what they say of the asked, "" of those that are in
// none.
func (e *Explainer) ask(ctx context.Context, q *asked) ([]Why, error) {
	if e.plan == nil {
		return make([]Why, len(q.next)), nil
	}
	e.plan.asked = q
	e.plan.Progress.Stage("explain", e.plan.Parts.Rows(), e.plan.Parts.Bytes())
	t, err := e.engine.Measure(ctx, e.plan, e.found)
	if err != nil {
		return nil, err
	}
	return t.Told, nil
}

// Close frees what was opened.
func (e *Explainer) Close() error {
	var errs []error
	if e.plan != nil {
		errs = append(errs, e.plan.Close())
	}
	if e.found != nil {
		errs = append(errs, e.found.Close())
	}
	return errors.Join(errs...)
}

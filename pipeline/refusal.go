package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// ErrRefused says that a gate, or the content of the inputs, stopped the night.
// Nothing was published; a person has to look.
var ErrRefused = errors.New("refused")

// ErrGate is the ErrRefused of a gate, which an operator can let pass.
var ErrGate = fmt.Errorf("%w by a gate", ErrRefused)

// ContentFaults are the kinds of error that say that an input breaks its contract.
var ContentFaults = []error{
	snapshot.ErrSchema, snapshot.ErrDamaged, snapshot.ErrEmpty, score.ErrSchema, filter.ErrType, identity.ErrNaN, ErrList,
	audience.ErrColumn, audience.ErrValue, audience.ErrText, audience.ErrFormula,
}

func isContentFault(err error) bool {
	return !errors.Is(err, snapshot.ErrNotReady) && slices.ContainsFunc(ContentFaults, func(kind error) bool { return errors.Is(err, kind) })
}

// refuseContent turns an error of the inputs' content into a refusal with
// evidence; any other error is given back as it is.
func (r *run) refuseContent(ctx context.Context, err error) error {
	if !isContentFault(err) {
		return err
	}
	err = fmt.Errorf("%w: %w", ErrRefused, err)
	if r.DryRun || r.Mode != Live {
		return err
	}
	return r.keep(ctx, err, publish.Refusal{Kind: "input"})
}

// refuseGates keeps the evidence of a night that gates refused and gives the error
// that says why, with what explains it; advice may be empty.
func (r *run) refuseGates(ctx context.Context, refused []gate.Result, advice string) error {
	var names, why []string
	for _, g := range refused {
		names, why = append(names, g.Name), append(why, g.Message)
	}
	if advice != "" {
		why = append(why, advice)
	}
	err := fmt.Errorf("%w (%s): %s", ErrGate, strings.Join(names, ", "), strings.Join(why, " "))
	if r.DryRun {
		return err
	}
	rejected, copied := r.keepRejected(ctx)
	return errors.Join(r.keep(ctx, err, publish.Refusal{
		Kind: "gate", Rows: &r.manifest.Rows,
		RejectedReasons: r.manifest.RejectedReasons, Gates: r.manifest.Gates, Advice: advice, Rejected: rejected,
	}), copied)
}

// keep writes the evidence of a refusal under the name of this run and gives the
// refusal with the place of it.
func (r *run) keep(ctx context.Context, refusal error, evidence publish.Refusal) error {
	evidence.Prediction, evidence.Date, evidence.Run, evidence.Fingerprint = r.Prediction, r.Date, r.name, r.fingerprint
	evidence.Message = refusal.Error()
	err := r.ledger.Claim(ctx)
	if err == nil {
		err = r.ledger.Refuse(ctx, evidence)
	}
	if err != nil {
		return errors.Join(refusal, err)
	}
	return fmt.Errorf("%w (evidence: %s)", refusal, r.Output.URL(publish.RefusalPrefix(r.Date, r.name)))
}

// keepRejected copies the rejected rows to the evidence, for the staged run is an
// orphan that a clean-up deletes.
func (r *run) keepRejected(ctx context.Context) ([]publish.File, error) {
	var kept []publish.File
	for _, f := range r.manifest.Table(rejectedTable) {
		from := f.Key
		f.Key = publish.RefusalPrefix(r.Date, r.name) + strings.TrimPrefix(f.Key, r.plan.prefix)
		if err := copyObject(ctx, r.Output, from, f.Key); err != nil {
			return nil, fmt.Errorf("keep the rejected rows: %w", err)
		}
		kept = append(kept, f)
	}
	return kept, nil
}

func copyObject(ctx context.Context, b *objstore.Bucket, from, to string) (err error) {
	attrs, err := b.Stat(ctx, from)
	if err != nil {
		return err
	}
	in, err := b.Open(ctx, attrs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := b.Create(ctx, to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Abort()
		return err
	}
	_, err = out.Commit()
	return err
}

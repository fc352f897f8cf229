package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
)

// Status says how a run ended well.
type Status string

// The ways to end well.
const (
	Published        Status = "published"
	AlreadyPublished Status = "already-published"
	Withdrawn        Status = "withdrawn" // and not published again
	DryRun           Status = "dry-run"
	Previewed        Status = "preview"
	NothingToDo      Status = "archived"
)

// Outcome is what a run did.
type Outcome struct {
	Status   Status
	Run      string
	Seq      int
	Message  string            // for people; "" when the status says it all
	Differs  bool              // already published or withdrawn, and not from these inputs
	Manifest *publish.Manifest // nil when nothing was computed
	Warnings []string
}

// attempts bounds how often a run starts again because a fence took its place in
// the log.
const attempts = 3

// Run publishes one night, or says why not. This is the product from top to
// bottom: look what is published, fix the inputs, decide the rows, write the
// shards, check the counts and the gates, seal, commit, project.
//
// Nothing of a run is visible before its commit. After an error the last
// publication stands as it was, and running again is safe.
func Run(ctx context.Context, n Night, engine Engine) (*Outcome, error) {
	if n.Mode == Archived {
		return &Outcome{Status: NothingToDo, Message: "mode is archived: nothing to do"}, nil
	}
	ledger, err := publish.Open(ctx, n.Output, n.Prediction)
	if err != nil {
		return nil, err
	}
	assume := true
	for tries := 0; tries < attempts; {
		out, err := attempt(ctx, n, engine, ledger, assume)
		switch {
		case errors.Is(err, errAssumed):
			assume = false
		case errors.Is(err, publish.ErrRetry):
			tries++
		default:
			return out, err
		}
	}
	return nil, fmt.Errorf("%s: a clean-up took this run's place in the log %d times: %w", n.Date, attempts, publish.ErrRetry)
}

// attempt is one run under one name. It may assume that no rows share an id.
func attempt(ctx context.Context, n Night, engine Engine, ledger *publish.Ledger, assume bool) (*Outcome, error) {
	// P0 admit: the log is read before the inputs, so that a commit which falls
	// between the two is noticed at our own commit.
	log, err := ledger.Log(ctx, n.Date)
	if err != nil {
		return nil, err
	}
	r := &run{Night: n, ledger: ledger, log: log, name: n.NewRun()}
	if err := r.admit(ctx); err != nil {
		return nil, r.refuseContent(ctx, err)
	}
	if n.Mode == Live {
		if a := publish.Admit(log, r.fingerprint, n.Force); !a.Fresh() {
			return r.alreadyPublished(ctx, a)
		}
	}
	if assume {
		if r.assumes, err = r.likelyUnique(ctx); err != nil {
			return nil, err
		}
	}
	if r.plan, err = newPlanOf(ctx, &n, r.inputs, r.opens()); err != nil {
		return nil, r.refuseUnlessAssumed(ctx, err)
	}
	defer func() { _ = r.plan.Close() }() // only read from
	if len(r.plan.Splits) < 2 {
		r.assumes = false
		r.plan.Parts.ReadAgain()
	}
	// With nothing to wait for, a night is refused before it writes.
	if r.Turn == nil {
		if err := r.lookBack(ctx); err != nil {
			return nil, err
		}
	}
	return r.publish(ctx, engine)
}

// run is one attempt at one date on its way from plan to publication.
type run struct {
	Night
	ledger      *publish.Ledger
	log         publish.Log
	name        string
	fingerprint string
	inputs      *inputs
	plan        *Plan
	assumes     bool // see assume.go

	found      *Findings
	tally      *Tally
	categories distribution.Categories
	past       []past
	baseline   *past // nil for none

	distributionFiles []publish.File
	manifest          *publish.Manifest
	warnings          []string
}

// admit fixes the inputs and takes their fingerprint.
func (r *run) admit(ctx context.Context) (err error) {
	if r.inputs, err = pin(ctx, &r.Night); err != nil {
		return err
	}
	if others := r.inputs.parts.Others; len(others) > 0 {
		r.warnings = append(r.warnings, fmt.Sprintf("%d files or folders of the snapshot do not match snapshot.files (%q) and are not read: %.200q",
			len(others), r.Snapshot.Files, others))
	}
	if err = r.inputs.sum(ctx); err != nil {
		return err
	}
	r.fingerprint, err = r.inputs.fingerprint(&r.Night)
	return err
}

func (r *run) publish(ctx context.Context, engine Engine) (*Outcome, error) {
	// P1 stage: every shard under the run's own prefix, which nobody looks at.
	shards, err := r.stage(ctx, engine)
	if err != nil {
		return nil, r.refuseUnlessAssumed(ctx, err)
	}
	// P2 gates: exact counts, then judgement against the last publications.
	if err := r.check(engine.Name(), shards); err != nil {
		return nil, err
	}
	if err := r.awaitTurn(ctx); err != nil {
		return nil, err
	}
	r.warnOfResults()
	err = r.judge(ctx)
	out := &Outcome{Run: r.name, Manifest: r.manifest, Warnings: r.warnings}
	if r.DryRun { // a refused night is shown as well
		out.Status = DryRun
		return out, err
	}
	if err != nil {
		return nil, err
	}
	// P3 seal: the inputs have not changed, what was written reads back, and the
	// manifest is the last object of the run.
	sum, err := r.seal(ctx)
	if err != nil {
		return nil, err
	}
	if r.Mode == Preview {
		out.Status = Previewed
		return out, nil
	}
	// P4 commit: one create-if-absent makes the run the publication of its date.
	entry := publish.Entry{Run: r.name, Fingerprint: r.fingerprint, ManifestSHA256: sum}
	committed, err := r.ledger.Commit(ctx, r.log, entry)
	if err != nil {
		return nil, err
	}
	if !committed.Ours {
		return r.alreadyPublished(ctx, publish.Admission{Entry: committed.Entry, Why: "another run of the same inputs was first"})
	}
	out.Status, out.Seq = Published, committed.Entry.Seq
	// P5 project: the one fixed path follows the log.
	return out, project(ctx, r.ledger)
}

// stage decides every row and writes the shards of all splits, and the files that
// depend on the whole.
func (r *run) stage(ctx context.Context, engine Engine) ([]Shard, error) {
	if !r.DryRun && r.Mode == Live {
		if err := r.ledger.Claim(ctx); err != nil {
			return nil, err
		}
	}
	p := r.plan
	p.prefix = publish.RunPrefix(r.Date, r.name)
	if r.Mode == Preview {
		p.prefix = publish.PreviewPrefix(r.Date, r.name)
	}
	found, err := r.findOut(ctx, engine)
	defer func() { _ = found.Close() }() // temporary files only
	if err != nil {
		return nil, err
	}
	r.found = found
	r.Progress.Stage("score and write", p.Parts.Rows(), p.Parts.Bytes())
	written, err := engine.Write(ctx, p, found)
	if err == nil {
		err = p.Parts.Whole()
	}
	if err != nil {
		return nil, err
	}
	r.tally = written.Tally
	r.categories = found.Categories.CountIn(&r.tally.Counts)
	return r.complete(ctx, written.Shards)
}

// check counts again: every row has one fate, every score one category.
func (r *run) check(engine string, shards []Shard) error {
	if err := r.tally.Conserved(r.plan.Parts.Rows()); err != nil {
		return err
	}
	if err := distribution.Check(&r.tally.Counts, r.categories); err != nil {
		return fmt.Errorf("%w: %w", ErrCounts, err)
	}
	r.manifest = r.describe(engine, shards)
	if err := r.manifest.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrCounts, err)
	}
	return nil
}

// awaitTurn lets earlier dates end before anything looks at them.
func (r *run) awaitTurn(ctx context.Context) error {
	if r.Turn == nil {
		return nil
	}
	if err := r.Turn(ctx); err != nil {
		return err
	}
	return r.lookBack(ctx)
}

// lookBack reads what the lists and the scores are compared with besides the gates'
// history.
func (r *run) lookBack(ctx context.Context) error {
	if err := r.checkLists(ctx); err != nil {
		return r.refuseContent(ctx, err)
	}
	return r.readBaseline(ctx)
}

// judge asks the gates; a refusal keeps its evidence and publishes nothing. A
// preview is not judged: it is never targeted.
func (r *run) judge(ctx context.Context) error {
	if r.Mode != Live {
		return nil
	}
	var err error
	if r.past, err = history(ctx, r.ledger, r.Date); err != nil {
		return err
	}
	tonight, before := r.night(), nightsOf(r.past)
	results := gate.Judge(tonight, before, r.Gates, r.Accept)
	r.record(results)
	if refused := gate.Refused(results); len(refused) > 0 {
		return r.refuseGates(ctx, refused, gate.Advice(tonight, before, refused))
	}
	return nil
}

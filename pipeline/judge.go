package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// ErrRefused says that a gate, or the content of the inputs, stopped the night.
// Nothing was published; a person has to look.
var ErrRefused = errors.New("refused")

// historyNights is how many earlier publications the gates look back on.
const historyNights = 7

// past is an earlier publication with its distribution.
type past struct {
	publish.Published
	report *Report
}

func history(ctx context.Context, ledger *publish.Ledger, before date.Date) ([]past, error) {
	published, err := ledger.Past(ctx, before, historyNights)
	if err != nil {
		return nil, err
	}
	all := make([]past, len(published))
	for i, p := range published {
		report, err := ReadReport(ctx, ledger.Bucket(), publish.RunPrefix(p.Manifest.Date, p.Manifest.Run))
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", p.Date, err)
		}
		all[i] = past{Published: p, report: report}
	}
	return all, nil
}

func nightsOf(all []past) []gate.Night {
	nights := make([]gate.Night, len(all))
	for i, p := range all {
		nights[i] = nightOf(p.Manifest, p.report)
	}
	return nights
}

// nightOf is what the gates see of a run.
func nightOf(m *publish.Manifest, rep *Report) gate.Night {
	n := gate.Night{
		Date: m.Date, Read: m.Rows.Read, Rejected: m.Rows.Rejected, Duplicates: m.Rows.Duplicates,
		Scored: m.Rows.Scored, Counts: rep.Counts,
	}
	for _, c := range rep.Categories {
		n.Categories = append(n.Categories, gate.Share{Name: c.Name, From: c.From, Count: c.Count})
	}
	for _, in := range rep.Inputs {
		n.Features = append(n.Features, gate.Feature{Name: in.Name, Nulls: in.Nulls, Rows: in.Rows})
	}
	return n
}

// night is what the gates see of tonight.
func (r *run) night() gate.Night {
	n := nightOf(r.manifest, r.report())
	n.AsOf, n.DataDate, n.InputsOf = r.AsOf, r.tally.Newest, r.sameInputs()
	for i, a := range r.manifest.Audiences {
		n.Audiences = append(n.Audiences, gate.Members{Name: a.Name, Members: a.Members, Expect: r.Rules.Audiences[i].Expect})
	}
	return n
}

// sameInputs gives the earlier date that was published from the same bytes, or no
// date: yesterday's snapshot under tonight's name.
func (r *run) sameInputs() date.Date {
	sums := func(inputs []publish.Input) []string {
		all := make([]string, len(inputs))
		for i, in := range inputs {
			all[i] = fmt.Sprint(in.Size, in.CRC32C)
		}
		slices.Sort(all)
		return all
	}
	tonight := sums(r.manifest.Inputs)
	for _, p := range r.past {
		if slices.Equal(sums(p.Manifest.Inputs), tonight) {
			return p.Date
		}
	}
	return date.Date{}
}

// record puts the gates' results into the manifest.
func (r *run) record(results []gate.Result) {
	r.manifest.Gates = nil
	for _, g := range results {
		r.manifest.Gates = append(r.manifest.Gates, publish.Gate{
			Name: g.Name, Value: g.Value, Warn: g.Warn, Refuse: g.Refuse, Status: string(g.Status), Message: g.Message,
		})
		if g.Status == gate.Warn {
			r.warnings = append(r.warnings, g.Message)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Accept)) {
		r.manifest.Accepted = append(r.manifest.Accepted, publish.Accepted{Gate: name, Reason: r.Accept[name]})
	}
	for _, c := range r.categories {
		if c.Count == 0 {
			r.warnings = append(r.warnings, fmt.Sprintf("category %s is empty", c.Name))
		}
	}
}

// refuse keeps the evidence of a refused night and gives the error that says why.
func (r *run) refuse(ctx context.Context, refused []gate.Result) error {
	var names, why []string
	for _, g := range refused {
		names, why = append(names, g.Name), append(why, g.Message)
	}
	err := fmt.Errorf("%w by gate %s: %s", ErrRefused, strings.Join(names, ", "), strings.Join(why, "; "))
	if r.DryRun {
		return err
	}
	rejected, copied := r.keepRejected(ctx)
	return errors.Join(err, copied, r.ledger.Refuse(ctx, publish.Refusal{
		Prediction: r.Prediction, Date: r.Date, Run: r.name, Kind: "gate", Message: err.Error(), Fingerprint: r.fingerprint,
		Rows: &r.manifest.Rows, RejectedReasons: r.manifest.RejectedReasons, Gates: r.manifest.Gates, Rejected: rejected,
	}))
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

// refuseInput turns an error of the inputs' content into a refusal with evidence;
// any other error is given back as it is.
func refuseInput(ctx context.Context, n *Night, ledger *publish.Ledger, err error) error {
	broken := []error{snapshot.ErrSchema, snapshot.ErrDamaged, snapshot.ErrEmpty, score.ErrSchema, ErrList, audience.ErrColumn, audience.ErrValue, audience.ErrText, audience.ErrFormula}
	if !slices.ContainsFunc(broken, func(kind error) bool { return errors.Is(err, kind) }) {
		return err
	}
	err = fmt.Errorf("%w: %w", ErrRefused, err)
	if n.DryRun || n.Mode != Live {
		return err
	}
	return errors.Join(err, ledger.Refuse(ctx, publish.Refusal{
		Prediction: n.Prediction, Date: n.Date, Run: n.NewRun(), Kind: "input", Message: err.Error(),
	}))
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
)

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
		if all[i], err = reported(ctx, ledger, p); err != nil {
			return nil, fmt.Errorf("history of %s: %w", p.Date, err)
		}
	}
	return all, nil
}

func reported(ctx context.Context, ledger *publish.Ledger, p publish.Published) (past, error) {
	report, err := readReport(ctx, ledger.Bucket(), p.Manifest)
	return past{Published: p, report: report}, err
}

// ErrBaseline says that the config pins a baseline that nothing can be compared
// with.
var ErrBaseline = errors.New("gates.psi.baseline")

// readBaseline reads the publication of the pinned date, which must be there: a
// gate that quietly compares with nothing is none. Dates up to the baseline itself,
// as a backfill runs them, are not compared with it.
func (r *run) readBaseline(ctx context.Context) error {
	switch {
	case r.Baseline.IsZero():
		return nil
	case !r.Baseline.Before(r.Date):
		r.warn("gates.psi.baseline: %s is no earlier date than %s, so nothing is compared with it", r.Baseline, r.Date)
		return nil
	}
	p, found, err := r.ledger.Published(ctx, r.Baseline)
	if err == nil && !found {
		return fmt.Errorf("%w: nothing is published for %s, or it was withdrawn; name a date that churntier show lists, or none", ErrBaseline, r.Baseline)
	}
	if err == nil {
		var b past
		b, err = reported(ctx, r.ledger, p)
		r.baseline = &b
	}
	if err != nil {
		return fmt.Errorf("gates.psi.baseline %s: %w", r.Baseline, err)
	}
	return nil
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
		n.Features = append(n.Features, gate.Feature{Name: in.Name, Nulls: in.Nulls, Rows: in.Rows, Unseen: in.Unseen})
	}
	for _, a := range m.Accepted {
		n.Accepted = append(n.Accepted, a.Gate)
	}
	if m.Model != nil {
		n.Model = gate.Model{Name: m.Model.Name, SHA256: m.Model.SHA256}
	}
	return n
}

// night is what the gates see of tonight.
func (r *run) night() gate.Night {
	n := nightOf(r.manifest, r.report())
	n.AsOf, n.DataDate, n.InputsOf = r.Rules.AsOf, r.tally.Newest, r.sameInputs()
	n.ByShare = distribution.NeedsCounts(r.Rules.Categories)
	for i := range n.Features {
		n.Features[i].Partial = r.isOneHot(n.Features[i].Name)
	}
	if r.baseline != nil {
		b := nightOf(r.baseline.Manifest, r.baseline.report)
		n.Baseline = &b
	}
	for i, a := range r.manifest.Audiences {
		n.Audiences = append(n.Audiences, gate.Members{Name: a.Name, Members: a.Members, Expect: r.Rules.Audiences[i].Expect})
	}
	return n
}

// isOneHot tells whether the features of that name are dummies of a column.
func (r *run) isOneHot(name string) bool {
	return slices.ContainsFunc(r.plan.Inputs, func(in score.Input) bool { return in.OneHot && in.Name() == name })
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
		switch g.Status {
		case gate.Warn:
			r.warnings = append(r.warnings, g.Message)
		case gate.Accepted:
			r.manifest.Accepted = append(r.manifest.Accepted, publish.Accepted{Gate: g.Name, Reason: r.Accept[g.Name]})
		}
	}
}

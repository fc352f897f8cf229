package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
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
		report, err := readReport(ctx, ledger.Bucket(), p.Manifest)
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
	n.AsOf, n.DataDate, n.InputsOf = r.Rules.AsOf, r.tally.Newest, r.sameInputs()
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
		switch g.Status {
		case gate.Warn:
			r.warnings = append(r.warnings, g.Message)
		case gate.Accepted:
			r.manifest.Accepted = append(r.manifest.Accepted, publish.Accepted{Gate: g.Name, Reason: r.Accept[g.Name]})
		}
	}
	for _, name := range r.categories.Empty() {
		r.warn("category %s is empty", name)
	}
	r.warnOfAudiences()
}

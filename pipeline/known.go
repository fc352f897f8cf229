package pipeline

import (
	"context"
	"slices"

	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/selection"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Known says why outsiders are no members of what p published as far as that follows
// from what is known of them, without a look at the snapshot or at the scores; "" of
// the others. It is exact. Of n only the rules, without their scorer and model, and the
// output have to be there.
//
// Whoever another audience took is neither suppressed nor held out. Whom an audience
// can refuse for one reason alone, it refused for that. Who has no score where the run
// excluded nobody and found nobody ineligible was rejected, or is a duplicate, or is not
// there: the run has a table of the former.
func Known(ctx context.Context, n Night, p *publish.Published, outsiders []Outsider) ([]Why, error) {
	told := make([]Why, len(outsiders))
	refusal, err := n.Rules.refusals(p.Manifest)
	if err != nil {
		return nil, err
	}
	var unscored []int
	rows := p.Manifest.Rows
	for at, o := range outsiders {
		switch {
		case o.HeldOut:
			told[at] = selection.HeldOut
		case o.Elsewhere:
			told[at] = refusal[o.Audience]
		case o.Unscored && rows.Excluded+rows.Ineligible == 0:
			told[at] = Absent
			unscored = append(unscored, at)
		}
	}
	if len(unscored) == 0 || rows.Rejected+rows.Duplicates == 0 {
		return told, nil
	}
	return told, n.reject(ctx, p, outsiders, unscored, told)
}

// reject tells some outsiders, by their index, who are in the table of rejected rows.
func (n Night) reject(ctx context.Context, p *publish.Published, outsiders []Outsider, some []int, told []Why) error {
	asked := make([]Outsider, len(some))
	for i, at := range some {
		asked[i] = outsiders[at]
	}
	q, err := n.Rules.ask(asked)
	if err != nil {
		return err
	}
	n.Verify = snapshot.VerifyRead
	whys := make([]Why, len(some))
	run := evidence{Night: n, published: p.Manifest}
	err = run.rejected(ctx, q, whys)
	for i, why := range whys {
		if why != "" {
			told[some[i]] = why
		}
	}
	return err
}

// refusals gives the refusal of each audience; none unless these are for certain the
// rules of the run.
func (r Rules) refusals(m *publish.Manifest) (map[string]Why, error) {
	of := map[string]Why{}
	if same, err := r.decided(m); !same {
		return of, err
	}
	for _, a := range r.Audiences {
		of[a.Name] = r.refusal(a)
	}
	return of, nil
}

// refusal gives the one reason for which an audience can refuse a user whom another
// one took, "" where there are several.
func (r Rules) refusal(a Audience) (only Why) {
	for why, can := range map[Why]bool{
		selection.Score:     a.Category != "" || a.Range != [2]uint16{0, 10000},
		selection.Filter:    a.Where != "",
		selection.Exclusive: slices.Index(r.Exclusive, a.Name) > 0,
		selection.Limit:     a.Limit > 0,
	} {
		switch {
		case can && only != "":
			return ""
		case can:
			only = why
		}
	}
	return only
}

// decided tells whether a run, of which m is the manifest, is for certain one by these
// rules: they give its fingerprint with its inputs. Of a run with lists the columns of
// these would have to be known too.
func (r Rules) decided(m *publish.Manifest) (bool, error) {
	if m.Model != nil {
		r.Model = &Model{SHA256: m.Model.SHA256}
	}
	in := inputs{parts: &snapshot.Pinned{}}
	for _, i := range m.Inputs {
		var p snapshot.Part
		p.Name, p.Size, p.CRC32C = i.Name, i.Size, uint32(i.CRC32C)
		in.parts.Parts = append(in.parts.Parts, p)
	}
	now, err := in.fingerprint(&Night{Rules: r, Mode: Mode(m.Mode)})
	return now == m.Fingerprint, err
}

package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/selection"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// evidence is what the files of a run say of users, beside its table of scores.
type evidence struct {
	Night
	published *publish.Manifest
}

// ExplainByRun asks the files of the run of p alone, for when the snapshot cannot be
// asked any more. Of n only the audiences, their order, the column of ids and the
// output have to be there.
//
// It knows who was scored if the scores are published, and who was rejected or held
// out. Everyone else is Absent, though the user may have been excluded or
// ineligible; and who is in an audience's range and in no exclusive audience before
// it, is said to have failed its filter. Close it.
func ExplainByRun(ctx context.Context, n Night, p *publish.Published, engine Engine) (*Explainer, error) {
	n.Date, n.Mode, n.Verify = p.Date, Live, snapshot.VerifyRead
	n.Exclude, n.Suppress = nil, nil
	e := &Explainer{engine: engine, rules: n.Rules, run: &evidence{Night: n, published: p.Manifest}}
	scores := p.Manifest.Table(scoresTable)
	if scores == nil {
		return e, nil
	}
	parts, err := pinFiles(ctx, n.Output, scores)
	if err != nil {
		return nil, err
	}
	if n.Rules, err = n.Rules.ofScores(p.Manifest); err != nil {
		return nil, err
	}
	if e.plan, err = newPlan(ctx, &n, &inputs{parts: parts}); err != nil {
		return nil, err
	}
	e.found = &Findings{
		Fates: identity.NoFates(), Suppressed: identity.NoFates(), Contacts: identity.NoFates(),
		Categories: categoriesOf(p.Manifest), Cuts: make([]selection.Cut, len(n.Rules.Audiences)),
	}
	return e, nil
}

// ofScores gives rules by which the table of scores of a run is read as if it were a
// snapshot: its scores, and the categories and ranges of the audiences.
func (r Rules) ofScores(m *publish.Manifest) (Rules, error) {
	scorer, err := score.FromColumn(audience.ScoreColumn, 0, 100)
	out := Rules{ID: r.ID, Duplicates: identity.Reject, Scorer: scorer}
	for _, c := range m.Categories {
		out.Categories = append(out.Categories, distribution.Rule{Name: c.Name})
	}
	for _, a := range r.Audiences {
		out.Audiences = append(out.Audiences, Audience{Name: a.Name, Category: a.Category, Range: a.Range})
	}
	return out, err
}

func categoriesOf(m *publish.Manifest) distribution.Categories {
	var all distribution.Categories
	for _, c := range m.Categories {
		all = append(all, distribution.Category{Name: c.Name, From: uint16(c.From), To: uint16(c.To)})
	}
	return all
}

// complete changes what the scores say, "" where they say nothing, by what the other
// files do.
func (v *evidence) complete(ctx context.Context, q *asked, told []Why) error {
	for at, why := range told {
		if why == selection.Member {
			told[at] = selection.Filter
		}
	}
	return errors.Join(v.rejected(ctx, q, told), v.exclusive(ctx, q, told), v.heldOut(ctx, q, told))
}

// rejected explains who has no score by the table of rejected rows.
func (v *evidence) rejected(ctx context.Context, q *asked, told []Why) error {
	var reasons identity.IDs
	return v.eachBatch(ctx, v.published.Table(rejectedTable), []string{"id", "reason"}, func(ids *identity.IDs, b snapshot.Batch) error {
		if err := reasons.Load(b.Record.Column(1)); err != nil {
			return err
		}
		for i := range ids.Len() {
			reason, why := string(reasons.At(i)), Rejected
			switch {
			case strings.HasPrefix(reason, "id_"):
				continue // what stands there in place of the id names no one
			case strings.HasPrefix(reason, "duplicate_"):
				why = Duplicate
			}
			q.each(ids.At(i), func(at int32) {
				if told[at] == "" || told[at] == Duplicate { // as Tally.tell
					told[at] = why
				}
			})
		}
		return nil
	})
}

// exclusive finds who is in an exclusive audience before the one that is asked
// about.
func (v *evidence) exclusive(ctx context.Context, q *asked, told []Why) error {
	for k, name := range v.Rules.Exclusive {
		err := v.eachMember(ctx, name, false, func(id []byte) {
			q.each(id, func(at int32) {
				place := slices.Index(v.Rules.Exclusive, v.Rules.Audiences[q.audience[at]].Name)
				if place > k && told[at] == selection.Filter {
					told[at] = selection.Exclusive
				}
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// heldOut finds who is in a control arm: whoever is in one is held out of every
// audience.
func (v *evidence) heldOut(ctx context.Context, q *asked, told []Why) error {
	for _, a := range v.Rules.Audiences {
		err := v.eachMember(ctx, a.Name, true, func(id []byte) {
			q.each(id, func(at int32) { told[at] = selection.HeldOut })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachMember visits the ids of an audience as it was published, or of its control
// arm. Of an audience that was published without ids, it visits none.
func (v *evidence) eachMember(ctx context.Context, name string, control bool, visit func(id []byte)) error {
	at := slices.IndexFunc(v.published.Audiences, func(a publish.Audience) bool { return a.Name == name })
	if at < 0 {
		return nil
	}
	files := v.published.Audiences[at].ParquetFiles(control)
	return v.eachBatch(ctx, files, []string{v.Rules.idColumn(name)}, func(ids *identity.IDs, _ snapshot.Batch) error {
		for i := range ids.Len() {
			visit(ids.At(i))
		}
		return nil
	})
}

// idColumn names the column of ids in the Parquet file of an audience.
func (r *Rules) idColumn(audience string) string {
	at := slices.IndexFunc(r.Audiences, func(a Audience) bool { return a.Name == audience })
	for _, f := range r.Audiences[at].Files {
		for _, c := range f.Columns {
			if f.Format == formatParquet && c.From == r.ID && c.Hash == "" && c.Normalise == "" {
				return c.Name
			}
		}
	}
	return r.ID
}

// eachBatch reads columns of some files of the run, the ids first. Files without
// ids are not read.
func (v *evidence) eachBatch(ctx context.Context, listed []publish.File, columns []string, do func(*identity.IDs, snapshot.Batch) error) (err error) {
	if len(listed) == 0 {
		return nil
	}
	pinned, err := pinFiles(ctx, v.Output, listed)
	if err != nil {
		return err
	}
	files, err := snapshot.Open(ctx, pinned, v.Verify, v.Temp, v.Limits)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if !files.Has(columns[0]) {
		return nil
	}
	var ids identity.IDs
	for _, s := range snapshot.Cut(files.Parts, v.SplitRows) {
		r := Reading{Split: s, source: KeyList{Files: files}}
		err := r.eachBatch(ctx, columns, func(b snapshot.Batch) error {
			if err := ids.Load(b.Record.Column(0)); err != nil {
				return err
			}
			return do(&ids, b)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

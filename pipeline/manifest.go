package pipeline

import (
	"context"
	"fmt"

	"github.com/churntier/churntier/pipeline/publish"
)

// complete writes the files that no split wrote: a table always has one file, and
// so has an audience, unless it is a text file that may be left out when empty.
func (r *run) complete(ctx context.Context, shards []Shard) ([]Shard, error) {
	written := make([]bool, len(r.plan.outputs))
	for _, s := range shards {
		written[s.Output] = true
	}
	s := r.plan.newShards(0)
	for i, o := range r.plan.outputs {
		if written[i] || !o.always {
			continue
		}
		if err := s.create(ctx, i); err != nil {
			s.abort()
			return nil, fmt.Errorf("write %s: %w", o.name, err)
		}
	}
	if err := s.close(); err != nil {
		s.abort()
		return nil, err
	}
	empty, err := s.commit()
	if err != nil {
		s.abort()
		return nil, err
	}
	if r.distributionFiles, err = r.writeReport(ctx); err != nil {
		return nil, err
	}
	return append(shards, empty...), nil
}

// describe builds the manifest of what was staged.
func (r *run) describe(engine string, shards []Shard) *publish.Manifest {
	t := r.tally
	b := t.Counts.Buckets()
	m := &publish.Manifest{
		Format: publish.Format, Prediction: r.Prediction, Date: r.Date, Run: r.name, Mode: string(r.Mode),
		Engine: engine, Version: r.Version, Fingerprint: r.fingerprint,
		Inputs: r.describeInputs(), Lists: r.describeLists(), Model: r.describeModel(),
		Rows: publish.Rows{
			Read: t.Read, Rejected: t.Rejected, Excluded: t.Excluded, Duplicates: t.Duplicates,
			Ineligible: t.Ineligible, Scored: t.Scored, Suppressed: t.Suppressed,
		},
		RejectedReasons: t.Reasons,
		Distribution:    b[:],
		Accepted:        []publish.Accepted{},
	}
	for _, c := range r.categories {
		m.Categories = append(m.Categories, publish.Category{Name: c.Name, From: publish.Hundredths(c.From), To: publish.Hundredths(c.To), Count: c.Count})
	}
	if r.Rules.Scores {
		m.Tables = append(m.Tables, publish.Table{Name: scoresTable, Files: r.files(shards, scoresTable, -1)})
	}
	m.Tables = append(m.Tables,
		publish.Table{Name: rejectedTable, Files: r.files(shards, rejectedTable, -1)},
		publish.Table{Name: distributionTable, Files: r.distributionFiles})
	if r.Mode == Live {
		for i, a := range r.Rules.Audiences {
			m.Audiences = append(m.Audiences, r.describeAudience(a.Name, r.files(shards, a.Name, i)))
		}
	}
	return m
}

// files gives the files of one table or audience: format by format, each in order
// of split.
func (r *run) files(shards []Shard, name string, audience int) []publish.File {
	var files []publish.File
	for i, o := range r.plan.outputs {
		if o.name != name || o.audience != audience {
			continue
		}
		for _, s := range shards {
			if s.Output == i {
				files = append(files, s.File)
			}
		}
	}
	return files
}

func (r *run) describeAudience(name string, files []publish.File) publish.Audience {
	a := publish.Audience{Name: name, Files: files}
	for _, f := range files {
		switch {
		case f.IsControl():
			a.Control += f.Rows
		case f.Format == formatParquet:
			a.Members += f.Rows
		}
	}
	return a
}

func (r *run) describeInputs() []publish.Input {
	var all []publish.Input
	for _, p := range r.plan.Parts.Parts {
		all = append(all, publish.Input{Name: p.Name, Size: p.Size, Generation: p.Generation, CRC32C: publish.Checksum(p.CRC32C), Rows: p.Rows})
	}
	return all
}

func (r *run) describeLists() []publish.List {
	all := []publish.List{}
	for _, l := range r.plan.Lists {
		for _, p := range l.Files.Parts {
			all = append(all, publish.List{URL: l.Files.Source.Bucket.URL(p.Name), Size: p.Size, CRC32C: publish.Checksum(p.CRC32C), Rows: p.Rows})
		}
	}
	return all
}

func (r *run) describeModel() *publish.Model {
	if r.Rules.Model == nil {
		return nil
	}
	return &publish.Model{Name: r.Rules.Model.Name, SHA256: r.Rules.Model.SHA256, Kind: r.Rules.Model.Kind}
}

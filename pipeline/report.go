package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

const (
	reportName      = "distribution.json"
	reportTableName = "distribution.parquet"
	reportFormat    = 1
	reportLimit     = 4 << 20
)

// Report is distribution.json: the exact distribution of a run and what later
// nights compare theirs with.
type Report struct {
	Format     int                     `json:"format"`
	Prediction string                  `json:"prediction"`
	Date       date.Date               `json:"date"`
	Scored     int64                   `json:"scored"`
	Buckets    [20]int64               `json:"buckets"` // of width 5, the last closed at 100
	Categories distribution.Categories `json:"categories"`
	Inputs     []InputCounts           `json:"inputs"` // of the score
	Counts     []int64                 `json:"counts"` // users with score 0.00, 0.01 ... 100.00
}

// InputCounts says in how many rows of the snapshot an input of the score is null or
// not a number, and in how many it is a category that the model file does not state:
// nil where the file states none. It has the name of its column, or of its feature
// where that is an expression.
type InputCounts struct {
	Name   string `json:"name"`
	Nulls  int64  `json:"nulls"`
	Unseen *int64 `json:"unseen,omitempty"`
	Rows   int64  `json:"rows"`
}

func (r *run) report() *Report {
	rep := &Report{
		Format: reportFormat, Prediction: r.Prediction, Date: r.Date, Scored: r.tally.Scored,
		Buckets: r.tally.Counts.Buckets(), Categories: r.categories, Counts: r.tally.Counts[:],
	}
	for i, in := range r.plan.Inputs {
		if in.OneHot && slices.ContainsFunc(rep.Inputs, func(n InputCounts) bool { return n.Name == in.Name() }) {
			continue // the values of a one-hot column are counted for each of its dummies
		}
		counts := InputCounts{Name: in.Name(), Nulls: r.tally.Missing[i], Rows: r.tally.Read}
		if in.StatesCategories() {
			counts.Unseen = &r.tally.Unseen[i]
		}
		rep.Inputs = append(rep.Inputs, counts)
	}
	return rep
}

func reportKey(m *publish.Manifest) string { return m.Prefix() + "/" + reportName }

// readReport reads the distribution of a published run, byte for byte as it was
// written.
func readReport(ctx context.Context, b *objstore.Bucket, m *publish.Manifest) (*Report, error) {
	key := reportKey(m)
	data, _, err := b.Read(ctx, key, reportLimit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.URL(key), err)
	}
	rep := &Report{}
	digest := fmt.Sprintf("%x", sha256.Sum256(data))
	if !slices.ContainsFunc(m.Files(), func(f publish.File) bool { return f.Key == key && f.SHA256 == digest }) {
		return nil, fmt.Errorf("%w: %s: sha256 %s is not in the manifest", publish.ErrDamaged, b.URL(key), digest)
	}
	if err := json.Unmarshal(data, rep); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", publish.ErrDamaged, b.URL(key), err)
	}
	if rep.Format != reportFormat || len(rep.Counts) != distribution.Scores {
		return nil, fmt.Errorf("%w: %s: format %d with %d counts; want format %d with %d",
			publish.ErrDamaged, b.URL(key), rep.Format, len(rep.Counts), reportFormat, distribution.Scores)
	}
	return rep, nil
}

// writeReport writes both forms of the distribution and gives them as files of
// its table.
func (r *run) writeReport(ctx context.Context) ([]publish.File, error) {
	text, err := json.Marshal(r.report())
	if err != nil {
		return nil, err
	}
	var table bytes.Buffer
	label := func(h uint16) string { return r.categories[r.categories.Of(h)].Name }
	o := audience.ParquetOptions{Compression: r.Rules.Compression}
	if err := audience.NewDistributionTable(&table, r.tally.Counts[:], label, o); err != nil {
		return nil, err
	}
	var files []publish.File
	for _, f := range []struct {
		name, format string
		data         []byte
	}{{reportTableName, formatParquet, table.Bytes()}, {reportName, formatJSON, append(text, '\n')}} {
		key := r.plan.prefix + "/" + f.name
		w, err := r.Output.CreateBytes(ctx, key, f.data)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", r.Output.URL(key), err)
		}
		files = append(files, fileOf(key, f.format, distribution.Scores, w))
	}
	return files, nil
}

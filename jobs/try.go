package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Tried is the distribution of one file.
type Tried struct {
	By           string                  `json:"by"` // the model, or the column and its range
	Read         int64                   `json:"read"`
	Scored       int64                   `json:"scored"`
	Rejected     int64                   `json:"rejected"`
	Reasons      map[string]int64        `json:"rejected_reasons"`
	Distribution [20]int64               `json:"distribution"`
	Categories   distribution.Categories `json:"categories"`

	counts distribution.Counts
}

// defaultRules are the categories of a config that names none.
var defaultRules = []distribution.Rule{{Name: "high", From: 75}, {Name: "medium", From: 50}, {Name: "low"}}

// Try scores one Parquet file by a column or a model and counts the scores. With
// neither it takes the one column that is named like a score.
func Try(ctx context.Context, url, column, model string) (_ *Tried, err error) {
	f, err := openOne(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if model != "" {
		s, m, err := readModel(ctx, model, score.Options{})
		if err != nil {
			return nil, err
		}
		return scoreFile(ctx, f, s, "model "+m.Name+" ("+m.Kind+")")
	}
	if column == "" {
		column, err = scoreColumn(f)
	} else {
		err = checkColumn(f, column)
	}
	if err != nil {
		return nil, err
	}
	t, _, err := tryColumn(ctx, f, column)
	return t, err
}

func openOne(ctx context.Context, url string) (*snapshot.Files, error) {
	folder, name := path.Split(url)
	if folder == "" {
		folder = "."
	}
	b, err := dial.Open(ctx, folder, dial.Options{})
	if err != nil {
		return nil, err
	}
	a, err := b.Stat(ctx, name)
	if err != nil {
		if errors.Is(err, objstore.ErrNotExist) {
			err = fmt.Errorf("%w: %w", ErrUsage, err)
		}
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return snapshot.Open(ctx, snapshot.PinFiles(b, []objstore.Attrs{a}), snapshot.VerifyRead, "", snapshot.DefaultLimits())
}

// checkColumn says of a column that a person named why it cannot be the score.
func checkColumn(f *snapshot.Files, column string) error {
	err := f.Check([]string{column})
	if err != nil {
		err = fmt.Errorf("%w: --score-column: %w; the columns are %q", ErrUsage, err, columnsOf(f))
	}
	return err
}

func columnsOf(f *snapshot.Files) []string {
	var names []string
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name)
	}
	return names
}

// scoreColumn finds the one column whose name says that it is a score.
func scoreColumn(f *snapshot.Files) (string, error) {
	named := slices.DeleteFunc(columnsOf(f), func(column string) bool {
		name := strings.ToLower(column)
		return !strings.Contains(name, "score") && !strings.Contains(name, "prob")
	})
	if len(named) != 1 {
		return "", fmt.Errorf("%w: name the score with --score-column or give a --model; the columns are %q", ErrUsage, columnsOf(f))
	}
	return named[0], nil
}

// tryColumn takes the range that fits: 0 to 1, unless more than a hundredth of the
// rows lies outside of it, then 0 to 100.
func tryColumn(ctx context.Context, f *snapshot.Files, column string) (t *Tried, high float64, err error) {
	t, err = tryRange(ctx, f, column, 1)
	if err != nil || t.Reasons[score.ScoreOutOfRange.String()] <= t.Read/100 {
		return t, 1, err
	}
	t, err = tryRange(ctx, f, column, 100)
	return t, 100, err
}

func tryRange(ctx context.Context, f *snapshot.Files, column string, high float64) (*Tried, error) {
	s, err := score.FromColumn(column, 0, high)
	if err != nil {
		return nil, err
	}
	return scoreFile(ctx, f, s, fmt.Sprintf("column %q from 0 to %g", column, high))
}

func scoreFile(ctx context.Context, f *snapshot.Files, s *score.Scorer, by string) (*Tried, error) {
	columns := s.Columns(f.Schema())
	bound, err := s.Bind(f.Schema(columns...), time.Time{})
	if err != nil {
		return nil, err
	}
	t := &Tried{By: by, Reasons: map[string]int64{}}
	for _, split := range snapshot.Cut(f.Parts, snapshot.SplitRows) {
		if err := t.add(ctx, f.Split(split, columns), bound); err != nil {
			return nil, err
		}
	}
	t.Scored = t.counts.Total()
	t.Rejected = t.Read - t.Scored
	t.Distribution = t.counts.Buckets()
	cut, err := distribution.Cut(defaultRules, nil)
	t.Categories = cut.CountIn(&t.counts)
	return t, err
}

func (t *Tried) add(ctx context.Context, r *snapshot.SplitReader, bound *score.Bound) (err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	var result score.Result
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := bound.Score(b.Record, &result); err != nil {
			return err
		}
		t.Read += b.Record.NumRows()
		t.counts.Add(result.Hundredths)
		for _, bad := range result.Bad {
			t.Reasons[bad.Reason.String()]++
		}
	}
}

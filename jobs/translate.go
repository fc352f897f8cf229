package jobs

import (
	"math"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/score/forest"
)

// audiencesOf gives the configured audiences, or one per category.
func audiencesOf(cfg *config.Config) []pipeline.Audience {
	if len(cfg.Audiences) == 0 {
		var all []pipeline.Audience
		for _, c := range cfg.Categories {
			all = append(all, pipeline.Audience{Name: c.Name, Category: c.Name, Files: []pipeline.File{{Format: "parquet"}}})
		}
		return all
	}
	var all []pipeline.Audience
	for _, c := range cfg.Audiences {
		all = append(all, audienceOf(c))
	}
	return all
}

func audienceOf(c config.Audience) pipeline.Audience {
	a := pipeline.Audience{Name: c.Name, Range: [2]uint16{0, 10000}, Where: c.Where, Limit: c.Limit, SkipEmpty: c.Empty == "skip"}
	if c.Score != nil {
		a.Range = [2]uint16{hundredths(c.Score[0]), hundredths(c.Score[1])}
	}
	if c.Expect != nil {
		a.Expect = gate.Expect{Min: c.Expect.Min, Max: c.Expect.Max}
	}
	for _, f := range c.Files {
		a.Files = append(a.Files, fileOf(f))
	}
	if !hasParquet(a.Files) {
		a.Files = append([]pipeline.File{{Format: "parquet"}}, a.Files...)
	}
	return a
}

func modelOptions(c config.Score) score.Options {
	return score.Options{
		Iterations: forest.Iterations(c.Iterations),
		Missing:    c.Missing,
		Features:   c.Features,
		OneHot:     score.OneHot{Columns: c.OneHot.Columns, Separator: c.OneHot.Separator},
	}
}

// modelUse gives nil where the model file says all.
func modelUse(cfg *config.Config) *pipeline.ModelUse {
	o := modelOptions(cfg.Score)
	u := &pipeline.ModelUse{Missing: o.Missing, OneHot: o.OneHot, Features: o.Features, Iterations: int(o.Iterations)}
	if u.Iterations == config.IterationsBest && len(u.Missing)+len(u.OneHot.Columns)+len(u.Features) == 0 {
		return nil
	}
	return u
}

// hasParquet tells whether the members file is listed; every audience has one.
func hasParquet(files []pipeline.File) bool {
	for _, f := range files {
		if f.Format == "parquet" {
			return true
		}
	}
	return false
}

func fileOf(c config.File) pipeline.File {
	f := pipeline.File{Format: c.Format, Formula: c.Formula, Gzip: c.Gzip}
	for _, column := range c.Columns {
		f.Columns = append(f.Columns, pipeline.Column(column))
	}
	return f
}

// hundredths turns a configured score of at most two decimals into its integer.
func hundredths(score float64) uint16 { return uint16(math.Round(score * 100)) }

func gatesOf(c config.Gates) gate.Limits {
	return gate.Limits{
		Rows:          gate.Ratio{Min: c.Rows.MinRatio, Max: c.Rows.MaxRatio},
		Rejected:      c.Rejected.MaxShare,
		Duplicates:    c.Duplicates.MaxShare,
		CategoryShift: gate.Band{Warn: c.CategoryShift.Warn, Refuse: c.CategoryShift.Refuse},
		PSI:           gate.Band{Warn: c.PSI.Warn, Refuse: c.PSI.Refuse},
		Constant:      c.Constant.MaxShare,
		NullShift:     c.Features.NullShift,
		UnseenShare:   c.Features.UnseenShare,
	}
}

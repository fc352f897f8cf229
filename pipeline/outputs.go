package pipeline

import (
	"errors"
	"fmt"
	"io"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/filter"
)

// output is one file series of a night: a table, or one format of an audience.
type output struct {
	name     string // scores, rejected or the audience
	folder   string // in the run's prefix
	form     File
	audience int  // index into Rules.Audiences, or -1 for a table
	control  bool // the audience's control arm, and not its members
	always   bool
	encode   func(io.Writer) (audience.Encoder, error) // nil for the rejected table
}

// The formats of files, by their names in the manifest. Their extensions are the
// same, and gzipped follows that of a compressed file.
const (
	formatParquet = "parquet"
	formatCSV     = "csv"
	formatJSONL   = "jsonl"
	formatJSON    = "json"
	gzipped       = ".gz"
)

// The tables of a run, by their names in the manifest and their folders.
const (
	scoresTable       = "scores"
	rejectedTable     = "rejected"
	distributionTable = "distribution"
)

// layOut decides the file series of the night and checks their columns.
func (p *Plan) layOut() ([]output, error) {
	var all []output
	var errs []error
	schema := p.Parts.Schema(p.Columns...)
	series := func(o output, columns []audience.Column) {
		l := audience.Layout{
			ID: p.Rules.ID, Columns: columns, Categories: categoryNames(p.Rules.Categories), Date: p.Date, HeldOut: o.control,
		}
		_, err := l.Schema(schema)
		errs = append(errs, err)
		var closed audience.Recycler
		o.encode = func(w io.Writer) (audience.Encoder, error) {
			switch o.form.Format {
			case formatCSV:
				return audience.NewCSV(w, l, schema, audience.CSVOptions{Formula: o.form.Formula})
			case formatJSONL:
				return audience.NewJSONL(w, l, schema)
			}
			return audience.NewParquet(w, l, schema, audience.ParquetOptions{Compression: p.Rules.Compression, Recycler: &closed})
		}
		if o.form.Gzip {
			o.encode = compressed(o.encode)
		}
		all = append(all, o)
	}
	if p.Rules.Scores {
		series(output{name: scoresTable, folder: scoresTable, form: File{Format: formatParquet}, audience: -1, always: true},
			audience.ScoresColumns(p.Rules.ID, p.Rules.Passthrough))
	}
	if p.Mode == Live {
		for i, a := range p.Rules.Audiences {
			for _, f := range a.Files {
				always := f.Format == formatParquet || !a.SkipEmpty
				columns, err := p.columns(f)
				if err != nil {
					errs = append(errs, fmt.Errorf("audience %s: %s: %w", a.Name, f.extension(), err))
					continue
				}
				o := output{name: a.Name, folder: "audiences/" + a.Name, form: f, audience: i, always: always}
				series(o, columns)
				if f.Format == formatParquet && p.Rules.Holdout != nil {
					o.control, o.always = true, true
					series(o, columns)
				}
			}
		}
	}
	all = append(all, output{name: rejectedTable, folder: rejectedTable, form: File{Format: formatParquet}, audience: -1, always: true})
	return all, errors.Join(errs...)
}

// compressed makes what encode writes a gzip file.
func compressed(encode func(io.Writer) (audience.Encoder, error)) func(io.Writer) (audience.Encoder, error) {
	return func(w io.Writer) (audience.Encoder, error) { return audience.NewGzip(w, encode) }
}

// words are the names in columns that stand for what was computed.
var words = map[string]audience.Source{
	"score": audience.FromScore, "category": audience.FromCategory,
	"probability": audience.FromProbability, "snapshot_date": audience.FromSnapshotDate,
	"held_out": audience.FromHeldOut,
}

func isWord(from string) bool {
	_, ok := words[from]
	return ok
}

func (p *Plan) columns(f File) ([]audience.Column, error) {
	if len(f.Columns) == 0 {
		return audience.DefaultColumns(p.Rules.ID), nil
	}
	columns := make([]audience.Column, len(f.Columns))
	var errs []error
	for i, c := range f.Columns {
		columns[i] = audience.Column{Name: c.Name, Normalise: audience.Normalise(c.Normalise), Hash: audience.Hash(c.Hash)}
		if err := p.takeFrom(c.From, &columns[i]); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", c.Name, err))
		}
	}
	return columns, errors.Join(errs...)
}

// takeFrom sets where a column comes from: a word, a snapshot column or an
// expression.
func (p *Plan) takeFrom(from string, c *audience.Column) (err error) {
	if s, ok := words[from]; ok {
		c.Source = s
		return nil
	}
	column, x := filter.Resolve(from, p.Parts.Schema())
	if x == nil {
		c.Source, c.Column = audience.FromColumn, column
		return nil
	}
	c.Source = audience.FromExpression
	c.Program, err = p.program(from, filter.WantAny, true)
	return err
}

func categoryNames(rules []distribution.Rule) []string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.Name
	}
	return names
}

// key names the file of one split in the output bucket.
func (p *Plan) key(o output, split int) string {
	part := "part"
	if o.control {
		part = "control"
	}
	return fmt.Sprintf("%s/%s/%s-%05d.%s", p.prefix, o.folder, part, split, o.form.extension())
}

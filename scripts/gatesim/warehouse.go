package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/oklog/ulid/v2"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/localrun"
)

// tonight is the date of every fault, a Thursday; the seven nights before it are
// ordinary.
var tonight = date.FromDays(20783) // 2026-11-26

// parts is the number of files of a snapshot.
const parts = 4

const commonConfig = `prediction: churn-30d
snapshot: {url: snapshots, id: user_id, contact: email, as_of: updated_at}
suppress:
  - {url: lists/unsubscribed.parquet, id: user_id, max_age: 36h, min_ratio: 0.9}
audiences:
  - {name: winback, where: 'category == "high"', expect: {min: %d, max: %d}}
  - {name: winback-fr, where: 'category == "high" && country == "FR"', expect: {min: %d}}
publish: {url: out}
`

const byModel = "score: {model: model.json}\n"
const byColumn = "score: {column: {name: churn_score, range: [0, 100]}}\n"

// night is what a run finds: the snapshot in parts, the list, the model, and the
// flags that an operator added to the config.
type night struct {
	*table
	yesterday, lastWeek *table
	chance
	files        []*table // beside the parts of the table
	unsubscribed any      // []string, []int64, or nil for no list
	listColumn   string
	listAge      time.Duration
	model        map[string]any
	flags        []string
	rename       map[string]string // of columns
	asText       string            // number column that is written as text
	damage       func(folder string) error
}

// warehouse is a place for a prediction's nights.
type warehouse struct {
	folder string
	runs   uint64
}

func (w *warehouse) write(n *night) error {
	model, err := json.Marshal(n.model)
	if err != nil {
		return err
	}
	day := filepath.Join(w.folder, "snapshots", "dt="+n.day.String())
	errs := []error{
		os.MkdirAll(day, 0o700), os.MkdirAll(filepath.Join(w.folder, "lists"), 0o700),
		os.WriteFile(filepath.Join(w.folder, "model.json"), model, 0o600), os.WriteFile(filepath.Join(day, "_SUCCESS"), nil, 0o600),
	}
	for i, part := range append(n.split(), n.files...) {
		errs = append(errs, writeParquet(filepath.Join(day, fmt.Sprintf("part-%05d.parquet", i)), n.record(part)))
	}
	if n.damage != nil {
		errs = append(errs, n.damage(day))
	}
	list := filepath.Join(w.folder, "lists", "unsubscribed.parquet")
	_ = os.Remove(list)
	if n.unsubscribed != nil {
		then := time.Now().Add(-n.listAge)
		errs = append(errs, writeParquet(list, n.list()), os.Chtimes(list, then, then))
	}
	return errors.Join(errs...)
}

// split cuts the table into parts of about the same size.
func (n *night) split() []*table {
	all := make([]*table, parts)
	for i := range all {
		rows := len(n.updated)
		all[i] = n.slice(rows*i/parts, rows*(i+1)/parts)
	}
	return all
}

func (t *table) slice(from, to int) *table {
	s := &table{day: t.day, texts: map[string][]*string{}, numbers: map[string][]*float64{}, updated: t.updated[from:to]}
	for name, values := range t.texts {
		s.texts[name] = values[from:to]
	}
	for name, values := range t.numbers {
		s.numbers[name] = values[from:to]
	}
	return s
}

func (n *night) name(column string) string {
	if other, renamed := n.rename[column]; renamed {
		return other
	}
	return column
}

func (n *night) record(t *table) arrow.RecordBatch {
	var fields []arrow.Field
	var arrays []arrow.Array
	add := func(name string, a arrow.Array) {
		fields, arrays = append(fields, arrow.Field{Name: n.name(name), Type: a.DataType(), Nullable: true}), append(arrays, a)
	}
	for _, name := range textColumns {
		add(name, arrayOf(array.NewStringBuilder(memory.DefaultAllocator), t.texts[name]))
	}
	for _, name := range numberColumns {
		if name == n.asText {
			add(name, arrayOf(array.NewStringBuilder(memory.DefaultAllocator), written(t.numbers[name])))
		} else {
			add(name, arrayOf(array.NewFloat64Builder(memory.DefaultAllocator), t.numbers[name]))
		}
	}
	b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})
	for _, at := range t.updated {
		b.AppendTime(at)
	}
	add("updated_at", b.NewArray())
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(len(t.updated)))
}

func written(numbers []*float64) []*string {
	texts := make([]*string, len(numbers))
	for i, x := range numbers {
		if x != nil {
			text := fmt.Sprint(*x)
			texts[i] = &text
		}
	}
	return texts
}

type builder[T any] interface {
	Append(T)
	AppendNull()
	NewArray() arrow.Array
}

func arrayOf[T any](b builder[T], values []*T) arrow.Array {
	for _, v := range values {
		if v == nil {
			b.AppendNull()
		} else {
			b.Append(*v)
		}
	}
	return b.NewArray()
}

func (n *night) list() arrow.RecordBatch {
	var a arrow.Array
	switch ids := n.unsubscribed.(type) {
	case []int64:
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.AppendValues(ids, nil)
		a = b.NewArray()
	case []string:
		b := array.NewStringBuilder(memory.DefaultAllocator)
		for _, id := range ids {
			if id == "" {
				b.AppendNull()
			} else {
				b.Append(id)
			}
		}
		a = b.NewArray()
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: n.listColumn, Type: a.DataType(), Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{a}, int64(a.Len()))
}

func writeParquet(name string, r arrow.RecordBatch) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(r.Schema(), f, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	return errors.Join(w.Write(r), w.Close())
}

// run publishes a night as churntier run does.
func (w *warehouse) run(ctx context.Context, n *night) (*pipeline.Outcome, error) {
	cfg, err := config.Load(filepath.Join(w.folder, "churntier.yaml"), config.Options{Set: n.flags})
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp(w.folder, "temp-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	_, out, err := jobs.Nightly(ctx, cfg, jobs.Options{
		Date: n.day.String(), Temp: temp, Started: time.Now(), Version: "gatesim", Progress: silent{}, NewRun: w.newRun,
	}, localrun.Engine{Workers: 2, Memory: 64 << 20})
	return out, err
}

// restore takes back what was published, or refused, since the ordinary nights, and
// the snapshot of tonight.
func (w *warehouse) restore() error {
	out := filepath.Join(w.folder, "out")
	return errors.Join(
		os.RemoveAll(filepath.Join(w.folder, "snapshots")), os.RemoveAll(out),
		os.CopyFS(out, os.DirFS(filepath.Join(w.folder, "kept"))),
	)
}

func (w *warehouse) newRun() string {
	w.runs++
	return ulid.MustNew(w.runs, nil).String()
}

// silent hears of no progress.
type silent struct{}

func (silent) Stage(string, int64, int64) {}
func (silent) Add(int64)                  {}

// modelFile is the model of base.go as its file.
func modelFile() map[string]any {
	var numeric, categorical []any
	for _, t := range terms {
		numeric = append(numeric, map[string]any{"name": t.name, "median": t.median, "mean": t.mean, "scale": t.scale, "coef": t.coef})
	}
	for _, c := range []struct {
		name, missing string
		coef          map[string]float64
	}{{"contract", "Month-to-month", ofContract}, {"payment", "Electronic check", ofPayment}} {
		categorical = append(categorical, map[string]any{"name": c.name, "missing": c.missing, "coef": maps.Clone(c.coef)})
	}
	return map[string]any{"kind": "logistic_regression_pipeline", "numeric": numeric, "categorical": categorical, "intercept": intercept}
}

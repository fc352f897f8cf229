package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

const prediction = "churn"

// what a process told: it, or somebody else, did what was asked; nothing took
// effect; nobody knows.
const (
	did     = "done"
	not     = "not done"
	unknown = "unknown"
	shown   = ", but latest does not show it"
)

func (r result) String() string {
	return fmt.Sprintf("%q (%s, entry %d, run %s)", r.told, r.date, r.seq, r.run)
}

// letters is how many characters name a program.
const letters = 2

// town makes programs, each with letters of its own.
type town struct {
	made   int
	nights map[string]pipeline.Night // by inputs and date
}

func (t *town) program(title string, k kind, d string, run func(context.Context, *program, *objstore.Bucket, func() string) result) *program {
	t.made++
	letter := fmt.Sprintf("%c%c", 'A'+t.made/10, '0'+t.made%10)
	return &program{letter: letter, title: title + " " + letter, kind: k, date: d, run: run}
}

// runner publishes a date from inputs, again if it crashes.
func (t *town) runner(d, inputs string, force bool) *program {
	g := t.oneRunner(d, inputs, force)
	g.rerun = t.oneRunner(d, inputs, force)
	return g
}

func (t *town) oneRunner(d, inputs string, force bool) *program {
	night := t.night(d, inputs)
	night.Force = force
	title := fmt.Sprintf("run %s with %s", d, inputs)
	if force {
		title += " --force"
	}
	g := t.program(title, runner, d, func(ctx context.Context, g *program, out *objstore.Bucket, newRun func() string) result {
		n := night
		n.Output, n.NewRun = out, newRun
		o, err := pipeline.Run(ctx, n, localrun.Engine{Workers: 1, Memory: 1 << 20})
		return toldByRun(g, o, err)
	})
	g.force = force
	return g
}

func toldByRun(g *program, o *pipeline.Outcome, err error) result {
	r := result{told: did, date: g.date}
	switch {
	case errors.Is(err, pipeline.ErrProjection) && o != nil:
		r.told += shown
	case errors.Is(err, publish.ErrUnknown):
		return result{told: unknown}
	case err != nil:
		return result{told: not}
	}
	r.seq, r.run = o.Seq, o.Run
	return r
}

// claim makes a place that of the prediction, as its first run does.
func (t *town) claim() *program {
	return t.program("claim", operator, "", func(ctx context.Context, _ *program, out *objstore.Bucket, _ func() string) result {
		l, err := publish.Open(ctx, out, prediction)
		if err == nil {
			err = l.Claim(ctx)
		}
		if err != nil {
			return result{told: not}
		}
		return result{told: did}
	})
}

// operate does what an operator does to a ledger and then projects.
func (t *town) operate(title, d string, add func(context.Context, *publish.Ledger, date.Date, string) (publish.Entry, error)) *program {
	return t.program(title, operator, d, func(ctx context.Context, g *program, out *objstore.Bucket, _ func() string) result {
		l, err := publish.Open(ctx, out, prediction)
		var e publish.Entry
		if err == nil {
			e, err = add(ctx, l, day(d), g.letter)
		}
		switch {
		case errors.Is(err, publish.ErrUnknown):
			return result{told: unknown}
		case err != nil:
			return result{told: not}
		}
		r := result{told: did, date: d, seq: e.Seq, run: e.Run + e.Rollback}
		if _, err := l.Project(ctx); err != nil {
			r.told += shown
		}
		return r
	})
}

func (t *town) rollback(d string, to int) *program {
	return t.operate(fmt.Sprintf("roll %s back to %d", d, to), d, func(ctx context.Context, l *publish.Ledger, d date.Date, reason string) (publish.Entry, error) {
		return l.Rollback(ctx, d, to, reason)
	})
}

func (t *town) withdraw(d string) *program {
	return t.operate("withdraw "+d, d, func(ctx context.Context, l *publish.Ledger, d date.Date, reason string) (publish.Entry, error) {
		return l.Withdraw(ctx, d, reason)
	})
}

// cleanUp deletes every orphan, however young, and lets everything expire that can:
// not its age protects a run.
func (t *town) cleanUp(expire bool) *program {
	g := t.oneCleanUp(expire)
	g.rerun = t.oneCleanUp(expire)
	return g
}

func (t *town) oneCleanUp(expire bool) *program {
	return t.program("clean-up", cleanUp, "", func(ctx context.Context, g *program, out *objstore.Bucket, _ func() string) result {
		p := publish.Pruning{Name: g.letter, Orphans: written.AddDate(100, 0, 0)}
		if expire {
			p.Expire = day("2100-01-01")
		}
		l, err := publish.Open(ctx, out, prediction)
		if err == nil {
			_, err = l.Prune(ctx, p)
		}
		if err != nil {
			return result{told: not}
		}
		return result{told: did}
	})
}

func day(s string) date.Date {
	d, err := date.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

type silent struct{}

func (silent) Stage(string, int64, int64) {}
func (silent) Add(int64)                  {}

// night gives a night on a snapshot of its own: other inputs or another date are
// other bytes.
func (t *town) night(d, inputs string) pipeline.Night {
	if n, ok := t.nights[d+inputs]; ok {
		return n
	}
	scorer, err := score.FromColumn("score", 0, 100)
	if err != nil {
		panic(err)
	}
	n := pipeline.Night{
		Prediction: prediction, Date: day(d), Mode: pipeline.Live,
		Rules: pipeline.Rules{
			ID: "id", Duplicates: identity.Reject, Scorer: scorer, Column: &pipeline.ColumnScore{Name: "score", High: 100},
			Categories:  []distribution.Rule{{Name: "high", From: 75}, {Name: "low"}},
			Audiences:   []pipeline.Audience{{Name: "high", Category: "high", Files: []pipeline.File{{Format: "parquet"}}}},
			Compression: "snappy",
		},
		Snapshot: snapshot.Source{Bucket: snapshotOf(d, inputs), Partition: "dt={date}", Files: "*.parquet"}, Verify: snapshot.VerifyRead,
		Limits: snapshot.DefaultLimits(), Zone: time.UTC, Gates: lenient(), Temp: os.TempDir(), Progress: silent{},
		SplitRows: snapshot.SplitRows,
	}
	t.nights[d+inputs] = n
	return n
}

// lenient gives gates that refuse nothing.
func lenient() gate.Limits {
	wide := gate.Band{Warn: 1e9, Refuse: 1e9}
	return gate.Limits{
		Rows: gate.Ratio{Min: 0, Max: 1e9}, Rejected: 1, Duplicates: 1, CategoryShift: wide, PSI: wide, Constant: 1, NullShift: 1,
	}
}

func snapshotOf(d, inputs string) *objstore.Bucket {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "score", Type: arrow.PrimitiveTypes.Float64},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.StringBuilder).AppendValues([]string{inputs + "1", d}, nil)
	b.Field(1).(*array.Float64Builder).AppendValues([]float64{90, 10}, nil)
	var data bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &data, nil, pqarrow.DefaultWriterProps())
	if err == nil {
		err = errors.Join(w.Write(b.NewRecordBatch()), w.Close())
	}
	bucket := objstore.New(mem.New(), "snapshot:")
	if err == nil {
		_, err = bucket.CreateBytes(context.Background(), "dt="+d+"/part.parquet", data.Bytes())
	}
	if err != nil {
		panic(err)
	}
	return bucket
}

package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// town is a warehouse and an output in memory and a night between them.
type town struct {
	t         *testing.T
	warehouse *objstore.Bucket
	output    objstore.Driver                     // without faults
	decide    func(faulty.Operation) faulty.Fault // on the output, as the night sees it
	night     pipeline.Night
}

func never(faulty.Operation) faulty.Fault { return faulty.None }

type silent struct{}

func (silent) Stage(string, int64, int64) {}
func (silent) Add(int64)                  {}

func newTown(t *testing.T) *town { return newTownOn(t, mem.New()) }

// newTownOn is newTown with another driver for the output.
func newTownOn(t *testing.T, output objstore.Driver) *town {
	t.Helper()
	day, err := date.Parse("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	scorer, err := score.FromColumn("churn_score", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	w := &town{t: t, warehouse: objstore.New(mem.New(), "mem://warehouse")}
	w.output, w.decide = output, never
	seen := faulty.NewProcess(func(o faulty.Operation) faulty.Fault { return w.decide(o) }).Store("output", w.output)
	runs := 0
	w.night = pipeline.Night{
		Prediction: "churn-test", Date: day, Mode: pipeline.Live,
		Rules: pipeline.Rules{
			ID: "user_id", Duplicates: identity.Reject, Scorer: scorer,
			Column:     &pipeline.ColumnScore{Name: "churn_score", High: 100},
			Categories: []distribution.Rule{{Name: "high", From: 75}, {Name: "low"}},
			Audiences:  []pipeline.Audience{{Name: "high", Category: "high", Files: []pipeline.File{{Format: "parquet"}, {Format: "csv"}}}},
			Scores:     true, Compression: "zstd",
		},
		Snapshot: snapshot.Source{Bucket: w.warehouse, Partition: "dt={date}", Files: "*.parquet", Ready: "_SUCCESS"},
		Verify:   snapshot.VerifyWhole, Limits: snapshot.DefaultLimits(), Zone: time.UTC, Gates: gate.DefaultLimits(),
		Output: objstore.New(seen, "mem://output"), Temp: t.TempDir(), Progress: silent{},
		SplitRows: snapshot.SplitRows, NewRun: func() string { runs++; return fmt.Sprintf("%026d", runs) },
	}
	w.put("dt=2026-11-22/a.parquet", users(t, 0, 400))
	w.put("dt=2026-11-22/b.parquet", users(t, 400, 600))
	w.put("dt=2026-11-22/_SUCCESS", nil)
	return w
}

func (w *town) put(key string, data []byte) {
	w.t.Helper()
	generation := ""
	if a, err := w.warehouse.Stat(w.t.Context(), key); err == nil {
		generation = a.Generation
	}
	if _, err := w.warehouse.Replace(w.t.Context(), key, data, generation); err != nil {
		w.t.Fatal(err)
	}
}

// users is a Parquet file of the users first to end-1.
func users(t *testing.T, first, end int) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String}, {Name: "churn_score", Type: arrow.PrimitiveTypes.Float64},
		{Name: "plan", Type: arrow.BinaryTypes.String}, {Name: "day", Type: arrow.FixedWidthTypes.Date32},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := first; i < end; i++ {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("u%d", i))
		b.Field(1).(*array.Float64Builder).Append(float64(i % 100))
		b.Field(2).(*array.StringBuilder).Append([]string{"free", "pro"}[i%2])
		b.Field(3).(*array.Date32Builder).Append(20779) // 2026-11-22
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(25)), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(b.NewRecordBatch())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (w *town) run(ctx context.Context) (*pipeline.Outcome, error) {
	return pipeline.Run(ctx, w.night, localrun.Engine{Workers: 2, Memory: 64 << 20})
}

// published gives the keys under commits/ and latest/.
func (w *town) published() []string {
	w.t.Helper()
	var keys []string
	for _, prefix := range []string{"commits/", "latest/"} {
		all, err := w.night.Output.List(context.Background(), prefix)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, a := range all {
			keys = append(keys, a.Key)
		}
	}
	return keys
}

// fails runs the night, wants an error of that kind and nothing published, then
// mends the store and wants a clean rerun to publish.
func (w *town) fails(ctx context.Context, kind error) {
	w.t.Helper()
	if _, err := w.run(ctx); !errors.Is(err, kind) {
		w.t.Errorf("%v, want %v", err, kind)
	}
	if keys := w.published(); len(keys) > 0 {
		w.t.Errorf("published %v", keys)
	}
	w.decide = never
	if out, err := w.run(w.t.Context()); err != nil || out.Status != pipeline.Published || out.Manifest.Rows.Scored != 600 {
		w.t.Errorf("the rerun gave %+v, %v", out, err)
	}
}

// on decides for a fault of every operation of a kind on keys that contain part.
func on(what faulty.Fault, kind, part string) func(faulty.Operation) faulty.Fault {
	return func(o faulty.Operation) faulty.Fault {
		if o.Kind == kind && strings.Contains(o.Key, part) {
			return what
		}
		return faulty.None
	}
}

func once(f func()) func() {
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) {
			f()
		}
	}
}

func TestInputThatChangesWhileItIsRead(t *testing.T) {
	w := newTown(t)
	change := once(func() { w.put("dt=2026-11-22/b.parquet", users(t, 400, 600)) }) // the same bytes, another version
	w.decide = func(o faulty.Operation) faulty.Fault {
		if strings.Contains(o.Key, "/scores/") {
			change()
		}
		return faulty.None
	}
	w.fails(t.Context(), snapshot.ErrNotReady)
}

// everyForm has a file of each extension.
var everyForm = []pipeline.File{
	{Format: "parquet"}, {Format: "csv"}, {Format: "csv", Gzip: true}, {Format: "jsonl"}, {Format: "jsonl", Gzip: true},
}

func TestStagedFileThatDoesNotReadBack(t *testing.T) {
	for _, file := range []string{
		"/scores/part-00000.parquet", "/audiences/high/part-00000.csv", "/audiences/high/part-00000.jsonl",
		"/audiences/high/part-00000.csv.gz", "/audiences/high/part-00000.jsonl.gz", "/distribution.json",
	} {
		for _, d := range []objstore.Driver{mem.New(), bare{mem.New()}} {
			w := newTownOn(t, d)
			w.night.Rules.Audiences[0].Files = everyForm
			w.decide = on(faulty.FlippedBit, faulty.Open, file)
			w.fails(t.Context(), pipeline.ErrStaged)
		}
	}
}

// A store that says that another object is there than was written.
func TestStagedFileThatWasReplaced(t *testing.T) {
	w := newTown(t)
	const key = "runs/2026-11-22/00000000000000000000000001/scores/part-00000.parquet"
	w.decide = on(faulty.None.Then(once(func() {
		b := objstore.New(w.output, "mem://output")
		a, err := b.Stat(t.Context(), key)
		if err == nil {
			_, err = b.Replace(t.Context(), key, make([]byte, a.Size), a.Generation)
		}
		if err != nil {
			t.Error(err)
		}
	})), faulty.Put, "distribution.json")
	w.fails(t.Context(), objstore.ErrChecksum)
}

func TestStoreThatFails(t *testing.T) {
	for _, at := range []string{"_CHURNTIER.json", "/scores/", "/audiences/", "/rejected/", "distribution.json", "distribution.parquet", "MANIFEST.json"} {
		w := newTown(t)
		w.decide = on(faulty.Error, faulty.Put, at)
		w.fails(t.Context(), faulty.ErrReset)
	}
}

func TestInterruptionInTheMiddle(t *testing.T) {
	w := newTown(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.decide = on(faulty.None.Then(cancel), faulty.Put, "/audiences/")
	w.fails(ctx, context.Canceled)
}

// The night is published though latest/ cannot be written; a rerun finishes it.
func TestProjectionThatFails(t *testing.T) {
	w := newTown(t)
	w.decide = on(faulty.Answer(objstore.ErrPermission), faulty.Put, "latest/_MANIFEST.json")
	out, err := w.run(t.Context())
	if !errors.Is(err, pipeline.ErrProjection) || out == nil || out.Status != pipeline.Published {
		t.Fatalf("%+v, %v", out, err)
	}
	w.decide = never
	if out, err := w.run(t.Context()); err != nil || out.Status != pipeline.AlreadyPublished {
		t.Errorf("the rerun gave %+v, %v", out, err)
	}
	if keys := w.published(); len(keys) != 2 {
		t.Errorf("published %v", keys)
	}
}

// A clean-up that fences the place of a run makes it start again under a new name.
func TestFenceBeforeTheCommit(t *testing.T) {
	w := newTown(t)
	fence := once(func() {
		b := objstore.New(w.output, "mem://output")
		if _, err := b.CreateBytes(t.Context(), "commits/2026-11-22/00000000.json", []byte(`{"seq":0,"fence":"clean-up"}`+"\n")); err != nil {
			t.Error(err)
		}
	})
	w.decide = func(o faulty.Operation) faulty.Fault {
		if o.Kind == faulty.Put && strings.HasPrefix(o.Key, "commits/") {
			fence()
		}
		return faulty.None
	}
	out, err := w.run(t.Context())
	if err != nil || out.Status != pipeline.Published || out.Seq != 1 || out.Run != fmt.Sprintf("%026d", 2) {
		t.Errorf("%+v, %v", out, err)
	}
}

// Two runs of one night, one publication.
func TestTwoRunsAtOnce(t *testing.T) {
	w := newTown(t)
	type end struct {
		out *pipeline.Outcome
		err error
	}
	ends := make(chan end)
	for i := range 2 {
		n := w.night
		n.NewRun = func() string { return fmt.Sprintf("RUN%023d", i) }
		go func() {
			out, err := pipeline.Run(t.Context(), n, localrun.Engine{Workers: 1, Memory: 64 << 20})
			ends <- end{out, err}
		}()
	}
	names := map[string]bool{}
	for range 2 {
		e := <-ends
		if e.err != nil {
			t.Fatal(e.err)
		}
		names[e.out.Run] = true
		if e.out.Manifest.Run != e.out.Run {
			t.Errorf("run %s comes with the manifest of %s", e.out.Run, e.out.Manifest.Run)
		}
	}
	if keys := w.published(); len(keys) != 2 || len(names) != 1 {
		t.Errorf("published %v, by %v", keys, names)
	}
}

func TestCountsThatAreNotConserved(t *testing.T) {
	tally := func(change func(*pipeline.Tally)) *pipeline.Tally {
		y := new(pipeline.Plan).NewTally()
		y.Read, y.Rejected, y.Duplicates, y.Excluded, y.Scored = 10, 1, 2, 3, 4
		y.Reasons["id_null"], y.Reasons["duplicate_id"] = 1, 2
		y.Counts[77] = 4
		change(y)
		return y
	}
	if err := tally(func(*pipeline.Tally) {}).Conserved(10); err != nil {
		t.Errorf("conserved counts: %v", err)
	}
	for name, change := range map[string]func(*pipeline.Tally){
		"a row too few":            func(y *pipeline.Tally) { y.Read, y.Scored, y.Counts[77] = 9, 3, 3 },
		"a row without a fate":     func(y *pipeline.Tally) { y.Excluded = 2 },
		"a row without a reason":   func(y *pipeline.Tally) { y.Reasons["id_null"] = 0 },
		"a score that got lost":    func(y *pipeline.Tally) { y.Counts[77] = 3 },
		"a score that came twice":  func(y *pipeline.Tally) { y.Counts[78] = 1 },
		"a row with two fates":     func(y *pipeline.Tally) { y.Ineligible = 1 },
		"a reason that came twice": func(y *pipeline.Tally) { y.Reasons["id_empty"] = 1 },
	} {
		if err := tally(change).Conserved(10); !errors.Is(err, pipeline.ErrCounts) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

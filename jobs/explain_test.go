package jobs

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/publish"
)

// town is a prediction of which all is drawn by lot.
type town struct {
	*testing.T
	*rand.Rand
	folder string
	runs   int
	known  map[delivery.Reason]int // reasons that were known without asking
	asked  int                     // that were not
}

type dweller struct {
	id, country string // "" for null
	score, idle int64
}

// What is known of leavers is what the snapshot says of them, whatever the rules, the
// rows and what changed since the night before.
func TestKnownReasonsAreThoseOfTheSnapshot(t *testing.T) {
	known, asked := map[delivery.Reason]int{}, 0
	for seed := range uint64(60) {
		w := &town{T: t, Rand: rand.New(rand.NewPCG(seed, 5)), folder: t.TempDir(), known: known}
		w.live(seed)
		asked += w.asked
	}
	for _, reason := range []delivery.Reason{
		delivery.Absent, delivery.Rejected, delivery.Duplicate, delivery.HeldOut, delivery.Score, delivery.Filter, delivery.Exclusive, delivery.Limit,
	} {
		if known[reason] < 5 {
			t.Errorf("%d users are known to have left as %s", known[reason], reason)
		}
	}
	if asked < 100 {
		t.Errorf("the snapshot was asked of %d users", asked)
	}
	t.Logf("known %v, asked %d", known, asked)
}

// live goes through a few nights.
func (w *town) live(seed uint64) {
	var people []dweller
	for i := range 120 {
		people = append(people, w.dweller(i))
	}
	policy := w.one("reject", "keep_identical", "keep_latest, order_by: idle")
	holdout := w.maybe(0.5, fmt.Sprintf("holdout: {share: %s, salt: s, key: id}\n", w.one("0.02", "0.3")))
	rules, calm := w.rules(), w.Float64() < 0.4
	for n := range 3 {
		d := date.FromDays(20_000 + int32(n))
		if n > 0 && w.Float64() < 0.3 {
			rules = w.rules()
		}
		if n > 0 && w.Float64() < 0.3 {
			holdout = w.maybe(0.7, "holdout: {share: 0.2, salt: s, key: id}\n")
		}
		w.write("lists/"+d.String()+".parquet", w.snapshot([]dweller{{id: "u7"}, {id: w.one("u8", "x")}, {id: "x"}}))
		w.write("churntier.yaml", []byte(fmt.Sprintf(skeleton, policy)+holdout+strings.ReplaceAll(rules, "DATE", d.String())))
		w.write("snapshots/dt="+d.String()+"/a.parquet", w.snapshot(people[:len(people)/2]))
		w.write("snapshots/dt="+d.String()+"/b.parquet", w.snapshot(people[len(people)/2:]))
		w.write("snapshots/dt="+d.String()+"/_SUCCESS", nil)
		if err := w.night(d); err != nil {
			w.Fatalf("seed %d, night %d: %v", seed, n, err)
		}
		people = w.change(people, calm)
	}
}

const skeleton = `prediction: town
snapshot: {url: snapshots, id: user_id, duplicates: %s}
score: {column: {name: s, range: [0, 100]}}
gates: {duplicates: {max_share: 1}, rejected: {max_share: 1}, psi: {refuse: 1000}, category_shift: {refuse: 1000}, rows: {min_ratio: 0.001}, constant: {max_share: 1}, features: {null_shift: 1}}
publish: {url: out}
`

// rules draws audiences and a delivery of some of them.
func (w *town) rules() string {
	lines := w.maybe(0.15, "exclude: [{url: lists/DATE.parquet, id: user_id}]\n") +
		w.maybe(0.15, "suppress: [{url: lists/DATE.parquet, id: user_id}]\n") +
		w.maybe(0.15, "suppress: [{where: 'idle == 3'}]\n") +
		w.maybe(0.15, "eligible: 'idle != 9'\n")
	if strings.Count(lines, "suppress") > 1 {
		lines = ""
	}
	names := []string{"high", "medium", "low"}
	if w.Float64() < 0.8 {
		names = []string{"a", "b", "c"}
		lines += w.maybe(0.4, "exclusive: [b, a]\n") + "audiences:\n"
		for i, name := range names {
			if i == 2 && w.Float64() < 0.5 { // everyone
				lines += "  - {name: c}\n"
				continue
			}
			lines += "  - {name: " + name +
				w.maybe(0.4, fmt.Sprintf(", score: [%d, %d]", w.IntN(50), 50+w.IntN(51))) +
				w.maybe(0.4, fmt.Sprintf(", where: '%s'", w.one(`country == "FR"`, "idle < 5", `category == "high"`))) +
				w.maybe(0.3, fmt.Sprintf(", limit: %d", 10+w.IntN(60))) + "}\n"
		}
	}
	w.Shuffle(3, func(i, j int) { names[i], names[j] = names[j], names[i] })
	if w.Float64() < 0.3 {
		names = names[:1+w.IntN(3)]
	}
	cadence := w.maybe(0.3, ", cadence: {days: 2, cooldown: 1, on_exit: pause}")
	if strings.Contains(lines, "limit") {
		cadence = ""
	}
	return lines + "deliveries:\n  - {name: tool, to: tool, destination: csv, send: changes, max_age: 87600h, audiences: [" + strings.Join(names, ", ") + "]" + cadence + "}\n"
}

func (w *town) one(of ...string) string { return of[w.IntN(len(of))] }

func (w *town) maybe(share float64, text string) string {
	if w.Float64() < share {
		return text
	}
	return ""
}

func (w *town) dweller(i int) dweller {
	return dweller{id: fmt.Sprint("u", i), country: w.one("FR", "FR", "DE", ""), score: w.Int64N(101), idle: w.Int64N(10)}
}

// change is what becomes of people in a day; on calm days no row is bad.
func (w *town) change(people []dweller, calm bool) (next []dweller) {
	odd := w.IntN(3)
	for _, p := range people {
		if p.id != "" && w.Float64() < 0.3 {
			id := p.id
			p = w.dweller(0)
			p.id = id
		}
		switch r := w.Float64(); {
		case r < 0.1:
			continue
		case calm || r > 0.3:
		case odd == 0:
			p.score = 200
		case odd == 1:
			twin := p
			if w.Float64() < 0.5 {
				twin.idle, twin.score = twin.idle+1, w.Int64N(300)
			}
			if w.Float64() < 0.5 {
				p, twin = twin, p
			}
			next = append(next, twin)
		case r < 0.11:
			p.id = ""
		}
		next = append(next, p)
	}
	return next
}

func (w *town) write(name string, data []byte) {
	path := filepath.Join(w.folder, name)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w *town) snapshot(people []dweller) []byte {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "country", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "s", Type: arrow.PrimitiveTypes.Int64}, {Name: "idle", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for _, p := range people {
		for i, text := range []string{p.id, p.country} {
			if text == "" {
				b.Field(i).AppendNull()
			} else {
				b.Field(i).(*array.StringBuilder).Append(text)
			}
		}
		b.Field(2).(*array.Int64Builder).Append(p.score)
		b.Field(3).(*array.Int64Builder).Append(p.idle)
	}
	var file bytes.Buffer
	out, err := pqarrow.NewFileWriter(schema, &file, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = out.Write(b.NewRecordBatch())
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		w.Fatal(err)
	}
	return file.Bytes()
}

// night publishes a date and delivers it.
func (w *town) night(d date.Date) error {
	cfg, err := config.Load(filepath.Join(w.folder, "churntier.yaml"), config.Options{})
	if err != nil {
		return err
	}
	cfg.Publish.URL, cfg.Deliveries[0].To = "mem://"+w.folder+"/out", "mem://"+w.folder+"/tool"
	newRun := func() string { w.runs++; return fmt.Sprintf("%026d", w.runs) }
	engine := localrun.Engine{Workers: 2, Memory: 64 << 20}
	now := d.End(time.UTC).Add(time.Hour)
	if _, _, err := Nightly(w.Context(), cfg, Options{Date: d.String(), NewRun: newRun, Started: now, Temp: w.folder, Version: "v", Progress: silence{}}, engine); err != nil {
		return err
	}
	ledger, err := openLedger(w.Context(), cfg, nil)
	if err != nil {
		return err
	}
	o := DeliverOptions{Now: now, NewRun: newRun, Temp: w.folder, Memory: 64 << 20, Workers: 2, Engine: engine}
	job, err := newJob(w.Context(), cfg, cfg.Deliveries[0], ledger, o)
	if err != nil {
		return err
	}
	why := &explainer{cfg: cfg, options: o, output: ledger.Bucket()}
	job.Explain = func(ctx context.Context, p *publish.Published, leavers []delivery.Leaver) (delivery.Explanation, error) {
		return w.compare(ctx, why, p, leavers)
	}
	_, err = job.Deliver(w.Context())
	if err == nil {
		err = why.close()
	}
	return err
}

// compare holds the reasons of leavers against those of the snapshot.
func (w *town) compare(ctx context.Context, why *explainer, p *publish.Published, leavers []delivery.Leaver) (delivery.Explanation, error) {
	got, err := why.explain(ctx, p, leavers)
	if err != nil {
		return got, err
	}
	var outsiders []pipeline.Outsider
	for _, l := range leavers {
		outsiders = append(outsiders, pipeline.Outsider(l))
	}
	known, err := pipeline.Known(ctx, why.night(), p, outsiders)
	want := make([]pipeline.Why, len(leavers))
	if err == nil {
		err = why.ask(ctx, p, outsiders, want)
	}
	if why.note != "" {
		err = fmt.Errorf("the snapshot is not asked: %s", why.note)
	}
	for i, l := range leavers {
		if string(want[i]) != string(got.Reasons[i]) {
			w.Errorf("%+v left as %s, by the snapshot as %s", l, got.Reasons[i], want[i])
		}
		if known[i] == "" {
			w.asked++
		} else {
			w.known[got.Reasons[i]]++
		}
	}
	if from := map[bool]delivery.Source{true: delivery.FromSnapshot}[slices.Contains(known, "")]; got.From != from || got.Note != "" {
		w.Errorf("reasons from %q, want %q; note %q", got.From, from, got.Note)
	}
	return got, err
}

package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// kind is a kind of store: how one is made, and how one is made like another.
type kind struct {
	name  string
	oneOf int // how many trials one is a sample of
	open  func(*testing.T) objstore.Driver
	copy  func(*testing.T, objstore.Driver) objstore.Driver
}

// bare is a store in memory that keeps no checksums.
type bare struct{ *mem.Driver }

func (d bare) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	return d.Driver.List(ctx, prefix, folders, func(a objstore.Attrs) error {
		a.CRC32C, a.HasCRC32C = 0, false
		return yield(a)
	})
}

func copied(t *testing.T, to, from objstore.Driver) objstore.Driver {
	t.Helper()
	for key, data := range held(t, from) {
		put(t, objstore.New(to, "copy"), key, data)
	}
	return to
}

// folder is a store of local files that knows where they are.
type folder struct {
	*file.Driver
	root string
}

var kinds = []kind{
	{
		"mem", 7, func(*testing.T) objstore.Driver { return mem.New() },
		func(t *testing.T, d objstore.Driver) objstore.Driver { return copied(t, mem.New(), d) },
	},
	{
		"bare", 13, func(*testing.T) objstore.Driver { return bare{mem.New()} },
		func(t *testing.T, d objstore.Driver) objstore.Driver { return copied(t, bare{mem.New()}, d) },
	},
	{"file", 61, openFolder, func(t *testing.T, d objstore.Driver) objstore.Driver {
		copied := openFolder(t)
		if err := os.CopyFS(copied.(folder).root, os.DirFS(d.(folder).root)); err != nil {
			t.Fatal(err)
		}
		return copied
	}},
}

func openFolder(t *testing.T) objstore.Driver {
	root := t.TempDir()
	return folder{file.NewOutput(root), root}
}

// told is what the caller of an operation learned.
type told struct {
	done    bool // it has taken effect
	unknown bool // it may have
	err     error
}

// bench is stores of one kind and what is done to them.
type bench struct {
	kind
	t      *testing.T
	night  pipeline.Night
	inputs map[string]objstore.Driver
}

const (
	night19, night20, night21 = "2026-11-19", "2026-11-20", "2026-11-21"
	night22, night23, night24 = "2026-11-22", "2026-11-23", "2026-11-24"

	later = "later" // the inputs of which night22 has changed
)

func newBench(t *testing.T, k kind) *bench {
	b := &bench{kind: k, t: t, night: newTown(t).night, inputs: map[string]objstore.Driver{"": k.open(t), later: k.open(t)}}
	b.night.SplitRows = 20
	for name, d := range b.inputs {
		for i, day := range []string{night19, night20, night21, night22, night23, night24} {
			first := 100 * i
			if name == later && day == night22 {
				first += 1000
			}
			folder := objstore.New(d, "inputs").Sub("dt=" + day)
			put(t, folder, "a.parquet", users(t, first+60, first+80))
			put(t, folder, "b.parquet", users(t, first+80, first+100))
			put(t, folder, "_SUCCESS", nil)
		}
	}
	return b
}

func put(t *testing.T, b *objstore.Bucket, key string, data []byte) {
	t.Helper()
	if _, err := b.CreateBytes(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// worker is one process at work on an output; its name begins those of its runs.
type worker struct {
	*bench
	process *faulty.Process
	store   objstore.Driver // the output without faults
	name    string
	names   int
}

func (b *bench) worker(name string, store objstore.Driver, p *faulty.Process) *worker {
	return &worker{bench: b, process: p, store: store, name: name}
}

// calm is a worker that meets no fault.
func (b *bench) calm(name string, store objstore.Driver) *worker {
	return b.worker(name, store, faulty.NewProcess(never))
}

func (w *worker) output() *objstore.Bucket {
	return objstore.New(w.process.Store("output", w.store), "test://output")
}

// next gives a name that was never given before, and that differs from every other
// in more than one bit.
func (w *worker) next() string {
	w.names += 3
	return fmt.Sprintf("%s%0*d", w.name, 26-len(w.name), w.names)
}

// run publishes a night from inputs of that name.
func (w *worker) run(inputs, day string, force bool) told {
	n := w.night
	n.Date, n.Force, n.NewRun, n.Output = dayOf(w.t, day), force, w.next, w.output()
	n.Snapshot.Bucket = objstore.New(w.process.Store("input", w.inputs[inputs]), "test://input")
	out, err := pipeline.Run(context.Background(), n, localrun.Engine{Workers: 2, Memory: 64 << 20})
	if out != nil && err != nil && !errors.Is(err, pipeline.ErrProjection) {
		w.t.Errorf("%+v comes with %v", out, err)
	}
	return told{out != nil, errors.Is(err, publish.ErrUnknown), err}
}

func dayOf(t *testing.T, day string) date.Date {
	t.Helper()
	d, err := date.Parse(day)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// operate does what an operator asks for night22, and then projects.
func (w *worker) operate(do func(*publish.Ledger, date.Date) error) told {
	l, err := publish.Open(context.Background(), w.output(), w.night.Prediction)
	if err == nil {
		err = do(l, dayOf(w.t, night22))
	}
	if err != nil {
		return told{false, errors.Is(err, publish.ErrUnknown), err}
	}
	_, err = l.Project(context.Background())
	return told{true, false, err}
}

// prune deletes all that may go, however new it is.
func (w *worker) prune() told {
	l, err := publish.Open(context.Background(), w.output(), w.night.Prediction)
	if err != nil {
		return told{err: err}
	}
	always := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	p, err := l.Prune(context.Background(), publish.Pruning{Name: w.next(), Orphans: always, Kept: always, Expire: dayOf(w.t, night21)})
	return told{err == nil && len(p.Skipped) == 0, errors.Is(err, publish.ErrUnknown), err}
}

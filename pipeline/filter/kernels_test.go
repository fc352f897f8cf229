package filter_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/filter"
)

func computeContext(t testing.TB, mem memory.Allocator) context.Context {
	t.Helper()
	registry, err := filter.Registry()
	if err != nil {
		t.Fatal(err)
	}
	execution := compute.DefaultExecCtx()
	execution.Registry = registry
	execution.ChunkSize = 16 // several spans an array
	return compute.SetExecCtx(compute.WithAllocator(context.Background(), mem), execution)
}

// The compute function gives what the evaluator gives, on columns of other types
// than the program was bound to as well.
func TestFunctionEqualsTruth(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	ctx, r := computeContext(t, mem), rand.New(rand.NewPCG(4, 5))
	for range 50 {
		checkFunction(ctx, t, mem, r)
	}
}

func checkFunction(ctx context.Context, t *testing.T, mem memory.Allocator, r *rand.Rand) {
	t.Helper()
	s := newSample(r, mem, 1+r.IntN(90))
	defer s.Record.Release()
	p := compiled(t, `(i1 > 3 || d1 < 2.5) && !s1.startsWith("a") || b1 == (t1 < now)`, plainSchema(), filter.WantBool)
	want := make([]filter.Truth, s.Record.NumRows())
	if err := p.NewEvaluator().Truth(s.Rows, want); err != nil {
		t.Fatal(err)
	}
	var args []compute.Datum
	for _, name := range p.Columns() {
		args = append(args, compute.NewDatumWithoutOwning(s.Record.Column(s.Record.Schema().FieldIndices(name)[0])))
	}
	got, err := compute.CallFunction(ctx, filter.Function, &filter.FunctionOptions{Program: p}, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	found := got.(*compute.ArrayDatum).MakeArray().(*array.Boolean)
	defer found.Release()
	for row, w := range want {
		truth := filter.False
		if found.IsNull(row) {
			truth = filter.Unknown
		} else if found.Value(row) {
			truth = filter.True
		}
		if truth != w {
			t.Fatalf("row %d: found %v, want %v", row, truth, w)
		}
	}
}

func TestFunctionOfScalar(t *testing.T) {
	ctx := computeContext(t, memory.DefaultAllocator)
	p := compiled(t, `i1 + 1 > i2`, plainSchema(), filter.WantBool)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues([]int64{1, 2, 3}, nil)
	got, err := compute.CallFunction(ctx, filter.Function, &filter.FunctionOptions{Program: p},
		compute.NewDatum(int64(1)), compute.NewDatumWithoutOwning(b.NewArray()))
	if err != nil {
		t.Fatal(err)
	}
	if a := got.(*compute.ArrayDatum).MakeArray(); a.String() != "[true false false]" {
		t.Errorf("found %v", a)
	}
}

func TestFunctionRefusals(t *testing.T) {
	ctx := computeContext(t, memory.DefaultAllocator)
	schema := plainSchema()
	number, text := compute.NewDatum(int64(1)), compute.NewDatum("x")
	for name, c := range map[string]struct {
		options compute.FunctionOptions
		args    []compute.Datum
		want    error
	}{
		"no program":  {&filter.FunctionOptions{}, []compute.Datum{number}, arrow.ErrInvalid},
		"no options":  {nil, []compute.Datum{number}, arrow.ErrInvalid},
		"arguments":   {&filter.FunctionOptions{Program: compiled(t, "i1 > i2", schema, filter.WantBool)}, []compute.Datum{number}, arrow.ErrInvalid},
		"kind":        {&filter.FunctionOptions{Program: compiled(t, "i1 > 1", schema, filter.WantBool)}, []compute.Datum{text}, filter.ErrType},
		"no bool":     {&filter.FunctionOptions{Program: compiled(t, "i1 + 1", schema, filter.WantAny)}, []compute.Datum{number}, arrow.ErrInvalid},
		"score":       {&filter.FunctionOptions{Program: compiled(t, "i1 > 1 && score > 1", schema, filter.WantBool)}, []compute.Datum{number}, arrow.ErrInvalid},
		"no argument": {&filter.FunctionOptions{Program: compiled(t, "i1 > 1", schema, filter.WantBool)}, nil, arrow.ErrInvalid},
	} {
		if _, err := compute.CallFunction(ctx, filter.Function, c.options, c.args...); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

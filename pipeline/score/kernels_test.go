package score

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/compute/exec"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/scalar"
	"pgregory.net/rapid"
)

func computeContext(t fataler, mem memory.Allocator) context.Context {
	registry, err := Registry()
	fail(t, err)
	execution := compute.DefaultExecCtx()
	execution.Registry = registry
	execution.ChunkSize = 16 // several spans an array
	return compute.SetExecCtx(compute.WithAllocator(context.Background(), mem), execution)
}

// checkNullable compares a compute result with wanted values, NaN for null.
func checkNullable(t fataler, got compute.Datum, want []float64) {
	a := got.(*compute.ArrayDatum).MakeArray()
	defer a.Release()
	if a.Len() != len(want) {
		t.Fatal("rows", a.Len(), "want", len(want))
	}
	nulls := 0
	for row, w := range want {
		x, there := numberAt(t, a, row)
		if math.IsNaN(w) {
			nulls++
		}
		if there == math.IsNaN(w) || there && x != w {
			t.Fatal("row", row, "got", a.ValueStr(row), "want", w)
		}
	}
	if a.NullN() != nulls {
		t.Fatal("nulls", a.NullN(), "want", nulls)
	}
}

func TestScoreFunctionEqualsScore(t *testing.T) {
	fromColumn, err := FromColumn("x", -10, 500)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string][]arrow.DataType{"x": plainNumberTypes, "y": featureTypes, "z": featureTypes, "plan": categoryTypes, "team": categoryTypes}
	for name, scorer := range map[string]*Scorer{
		"column": fromColumn, "plain": mustModel(t, plainModel), "pipeline": mustModel(t, pipelineModel),
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				defer mem.AssertSize(t, 0)
				var order []string
				for _, in := range scorer.Inputs(nil) {
					order = append(order, in.Column)
				}
				batch := randomBatch(t, mem, types, order)
				defer batch.Release()
				checkScoreFunction(t, mem, scorer, batch)
			})
		})
	}
}

func checkScoreFunction(t *rapid.T, mem memory.Allocator, scorer *Scorer, batch arrow.RecordBatch) {
	bound, err := scorer.Bind(batch.Schema(), time.Time{})
	fail(t, err)
	want := new(Result)
	fail(t, bound.Score(batch, want))
	var args []compute.Datum
	for _, column := range batch.Columns() {
		args = append(args, compute.NewDatumWithoutOwning(column))
	}
	got, err := compute.CallFunction(computeContext(t, mem), ScoreFunction, &ScorerOptions{Scorer: scorer}, args...)
	fail(t, err)
	defer got.Release()
	checkNullable(t, got, want.Probability)
}

func TestScoreFunctionOfScalars(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	ctx, options := computeContext(t, mem), &ScorerOptions{Scorer: mustModel(t, plainModel)}
	b := array.NewFloat64Builder(mem)
	b.AppendValues([]float64{1, 2, 3}, []bool{true, false, true})
	column := b.NewArray()
	b.Release()
	defer column.Release()
	margin := func(x float64) float64 { return Logistic(0.125 + 0.25*x - float64(1e-3*2) + float64(1e-6*5)) }

	mixed, err := compute.CallFunction(ctx, ScoreFunction, options,
		compute.NewDatumWithoutOwning(column), compute.NewDatum(2.0), compute.NewDatum(int64(5)))
	fail(t, err)
	checkNullable(t, mixed, []float64{margin(1), math.NaN(), margin(3)})
	mixed.Release()

	null := compute.NewDatum(scalar.MakeNullScalar(arrow.PrimitiveTypes.Float64))
	nulls, err := compute.CallFunction(ctx, ScoreFunction, options,
		compute.NewDatumWithoutOwning(column), null, compute.NewDatum(5.0))
	fail(t, err)
	checkNullable(t, nulls, []float64{math.NaN(), math.NaN(), math.NaN()})
	nulls.Release()

	single, err := compute.CallFunction(ctx, ScoreFunction, options,
		compute.NewDatum(1.0), compute.NewDatum(2.0), compute.NewDatum(5.0))
	fail(t, err)
	if got := single.(*compute.ScalarDatum).Value.(*scalar.Float64); !got.Valid || got.Value != margin(1) {
		t.Errorf("scalar result %v, want %v", got, margin(1))
	}
}

func TestScoreFunctionRefuses(t *testing.T) {
	ctx, model := computeContext(t, memory.DefaultAllocator), mustModel(t, plainModel)
	number, text := compute.NewDatum(1.0), compute.NewDatum("x")
	for name, test := range map[string]struct {
		options compute.FunctionOptions
		args    []compute.Datum
		want    error
	}{
		"no options":     {nil, []compute.Datum{number}, arrow.ErrInvalid},
		"no scorer":      {&ScorerOptions{}, []compute.Datum{number}, arrow.ErrInvalid},
		"other options":  {&CategoryOptions{}, []compute.Datum{number}, arrow.ErrInvalid},
		"few arguments":  {&ScorerOptions{Scorer: model}, []compute.Datum{number}, arrow.ErrInvalid},
		"text arguments": {&ScorerOptions{Scorer: model}, []compute.Datum{number, text, number}, ErrSchema},
	} {
		if _, err := compute.CallFunction(ctx, ScoreFunction, test.options, test.args...); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
	}
}

func TestScoreFunctionOfABrokenDictionary(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	values := columnOf("", arrow.PrimitiveTypes.Float64, 1).values
	indices := columnOf("", arrow.PrimitiveTypes.Int8, 5).values
	broken := array.NewDictionaryArray(dictionary(arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Float64), indices, values)
	scorer, err := FromColumn("x", 0, 1)
	fail(t, err)
	if _, err := compute.CallFunction(computeContext(t, mem), ScoreFunction, &ScorerOptions{Scorer: scorer},
		compute.NewDatumWithoutOwning(broken)); err == nil {
		t.Error("an index outside the dictionary is taken, want an error")
	}
}

// What Arrow cannot repeat, here a negative number of times, is an error.
func TestScoreSpanOfAScalarThatCannotBeRepeated(t *testing.T) {
	bound, err := mustModel(t, plainModel).Bind(schemaOf(
		field("x", arrow.PrimitiveTypes.Int8), field("y", arrow.PrimitiveTypes.Int8), field("z", arrow.PrimitiveTypes.Int8)), time.Time{})
	fail(t, err)
	span := &exec.ExecSpan{Len: -1, Values: []exec.ExecValue{{Scalar: scalar.NewInt8Scalar(1)}}}
	if err := scoreSpan(&exec.KernelCtx{Ctx: context.Background(), State: bound}, span, nil); err == nil {
		t.Error("no error, want one")
	}
}

func TestCategoryFunction(t *testing.T) {
	cuts := []uint16{7500, 5000, 0}
	rapid.Check(t, func(t *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		b := array.NewUint16Builder(mem)
		defer b.Release()
		scores := rapid.SliceOfN(rapid.OneOf(rapid.Uint16Range(0, 10000),
			rapid.SampledFrom([]uint16{NoScore, 0, 4999, 5000, 7499, 7500, 10000, 10001})), 0, 60).Draw(t, "scores")
		want := make([]float64, 0, len(scores))
		for _, h := range scores {
			if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
				b.AppendNull()
				want = append(want, math.NaN())
			} else {
				b.Append(h)
				want = append(want, categoryOf(h))
			}
		}
		whole := b.NewArray()
		defer whole.Release()
		from := rapid.IntRange(0, len(scores)).Draw(t, "from")
		sliced := array.NewSlice(whole, int64(from), int64(len(scores)))
		defer sliced.Release()
		got, err := compute.CallFunction(computeContext(t, mem), CategoryFunction,
			&CategoryOptions{cuts}, compute.NewDatumWithoutOwning(sliced))
		fail(t, err)
		defer got.Release()
		checkNullable(t, got, want[from:])
	})
}

func categoryOf(h uint16) float64 {
	switch {
	case h > 10000:
		return math.NaN()
	case h >= 7500:
		return 0
	case h >= 5000:
		return 1
	default:
		return 2
	}
}

func TestCategoryFunctionRefuses(t *testing.T) {
	ctx, score := computeContext(t, memory.DefaultAllocator), compute.NewDatum(uint16(1))
	for name, options := range map[string]compute.FunctionOptions{
		"other options": &ScorerOptions{}, "bad cuts": &CategoryOptions{[]uint16{1}},
	} {
		if _, err := compute.CallFunction(ctx, CategoryFunction, options, score); err == nil {
			t.Errorf("%s: no error, want one", name)
		}
	}
	if _, err := compute.CallFunction(ctx, CategoryFunction, &CategoryOptions{[]uint16{0}}, compute.NewDatum(1.0)); err == nil {
		t.Error("a float64 argument is taken, want an error")
	}
}

func TestRegisterRefuses(t *testing.T) {
	registry, err := Registry()
	fail(t, err)
	if err := register(registry, ScoreFunction, compute.VarArgs(1), scoreKernel()); err == nil {
		t.Error("a name is taken twice, want an error")
	}
	if err := register(registry, "other", compute.Binary(), categoryKernel()); err == nil {
		t.Error("a kernel of one argument is taken for two, want an error")
	}
	if _, global := compute.GetFunctionRegistry().GetFunction(ScoreFunction); global {
		t.Error("the function is in Arrow's own registry")
	}
}

func TestKernelTypeNames(t *testing.T) {
	if (ScorerOptions{}).TypeName() == (CategoryOptions{}).TypeName() {
		t.Error("both options have one name")
	}
}

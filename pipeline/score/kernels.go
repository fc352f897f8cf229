package score

import (
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/compute/exec"
	"github.com/apache/arrow-go/v18/arrow/scalar"
)

// ScoreFunction is the compute function that gives probabilities: its arguments
// are the columns of a scorer as Columns(nil) lists them, any of the types that Bind
// accepts, arrays or scalars. A bad row is null. Its options are *ScorerOptions.
const ScoreFunction = "churn_score"

// CategoryFunction is the compute function that gives the category (uint8) of a
// score in hundredths (uint16); null for null and for values above [Top]. Its
// options are *CategoryOptions.
const CategoryFunction = "churn_category"

// ScorerOptions says what to compute. Now is the instant of that name in the
// expressions of the scorer; without it (zero) they cannot use it.
type ScorerOptions struct {
	Scorer *Scorer
	Now    time.Time
}

// TypeName names the options to Arrow.
func (ScorerOptions) TypeName() string { return "ChurnScorerOptions" }

// CategoryOptions holds the lowest scores of the categories as [NewLabels] takes them.
type CategoryOptions struct{ Cuts []uint16 }

// TypeName names the options to Arrow.
func (CategoryOptions) TypeName() string { return "ChurnCategoryOptions" }

// Registry gives Arrow's compute functions and, in a registry of its own below
// them, those of this package.
func Registry() (compute.FunctionRegistry, error) {
	registry := compute.NewChildRegistry(compute.GetFunctionRegistry())
	return registry, errors.Join(
		register(registry, ScoreFunction, compute.VarArgs(1), scoreKernel()),
		register(registry, CategoryFunction, compute.Unary(), categoryKernel()))
}

func register(registry compute.FunctionRegistry, name string, arity compute.Arity, kernel exec.ScalarKernel) error {
	// The kernels themselves decide where the result is null.
	kernel.NullHandling = exec.NullComputedPrealloc
	function := compute.NewScalarFunction(name, arity, compute.FunctionDoc{OptionsRequired: true})
	if err := function.AddKernel(kernel); err != nil {
		return fmt.Errorf("compute function %s: %w", name, err)
	}
	if !registry.AddFunction(function, false) {
		return fmt.Errorf("compute function %s: the name is taken", name)
	}
	return nil
}

func scoreKernel() exec.ScalarKernel {
	return exec.NewScalarKernelWithSig(&exec.KernelSignature{
		InputTypes: []exec.InputType{{Kind: exec.InputAny}},
		OutType:    exec.NewOutputType(arrow.PrimitiveTypes.Float64),
		IsVarArgs:  true,
	}, scoreSpan, bindArguments)
}

// bindArguments binds the scorer to the types of the arguments.
func bindArguments(_ *exec.KernelCtx, args exec.KernelInitArgs) (exec.KernelState, error) {
	options, ok := args.Options.(*ScorerOptions)
	if !ok || options.Scorer == nil {
		return nil, fmt.Errorf("%w: %s: want *ScorerOptions with a scorer", arrow.ErrInvalid, ScoreFunction)
	}
	columns := options.Scorer.Columns(nil)
	if len(args.Inputs) != len(columns) {
		return nil, fmt.Errorf("%w: %s: %d arguments, want %d", arrow.ErrInvalid, ScoreFunction, len(args.Inputs), len(columns))
	}
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c, Type: args.Inputs[i], Nullable: true}
	}
	return options.Scorer.Bind(arrow.NewSchema(fields, nil), options.Now)
}

func scoreSpan(ctx *exec.KernelCtx, span *exec.ExecSpan, out *exec.ExecResult) error {
	bound := ctx.State.(*Bound)
	columns := make([]arrow.Array, len(span.Values))
	for i := range span.Values {
		a, err := argument(ctx, &span.Values[i], int(span.Len))
		if err != nil {
			return err
		}
		defer a.Release()
		columns[i] = a
	}
	batch := array.NewRecordBatch(bound.schema, columns, span.Len)
	defer batch.Release()
	probability := exec.GetSpanValues[float64](out, 1)
	if err := bound.probabilities(batch, probability); err != nil {
		return err
	}
	writeValidity(out, func(row int) bool { return Hundredths(probability[row]) != NoScore })
	return nil
}

// argument gives a span as an array, and a scalar as one that repeats it.
func argument(ctx *exec.KernelCtx, value *exec.ExecValue, rows int) (arrow.Array, error) {
	if value.IsScalar() {
		return scalar.MakeArrayFromScalar(value.Scalar, rows, exec.GetAllocator(ctx.Ctx))
	}
	return value.Array.MakeArray(), nil
}

func writeValidity(out *exec.ExecResult, valid func(row int) bool) {
	for row := range int(out.Len) {
		bitutil.SetBitTo(out.Buffers[0].Buf, int(out.Offset)+row, valid(row))
	}
	out.Nulls = array.UnknownNullCount
}

func categoryKernel() exec.ScalarKernel {
	return exec.NewScalarKernel(
		[]exec.InputType{exec.NewExactInput(arrow.PrimitiveTypes.Uint16)},
		exec.NewOutputType(arrow.PrimitiveTypes.Uint8),
		labelSpan, makeLabels)
}

func makeLabels(_ *exec.KernelCtx, args exec.KernelInitArgs) (exec.KernelState, error) {
	options, ok := args.Options.(*CategoryOptions)
	if !ok {
		return nil, fmt.Errorf("%w: %s: want *CategoryOptions", arrow.ErrInvalid, CategoryFunction)
	}
	return NewLabels(options.Cuts)
}

func labelSpan(ctx *exec.KernelCtx, span *exec.ExecSpan, out *exec.ExecResult) error {
	labels, in := ctx.State.(*Labels), &span.Values[0].Array
	categories := exec.GetSpanValues[uint8](out, 1)
	labels.Apply(categories, exec.GetSpanValues[uint16](in, 1))
	writeValidity(out, func(row int) bool {
		isNull := in.MayHaveNulls() && bitutil.BitIsNotSet(in.Buffers[0].Buf, int(in.Offset)+row)
		return !isNull && categories[row] != NoCategory
	})
	return nil
}

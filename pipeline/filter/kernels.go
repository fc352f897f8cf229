package filter

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/compute/exec"
	"github.com/apache/arrow-go/v18/arrow/scalar"
)

// Function is the compute function that evaluates a condition to a bool, null
// where it is unknown. Its arguments are the columns of the program in the order
// of Columns, arrays or scalars; its options are *FunctionOptions.
const Function = "churn_filter"

// FunctionOptions says what to compute.
type FunctionOptions struct {
	// Program is a condition that reads one column or more, and neither score nor
	// category.
	Program *Program
}

// TypeName names the options to Arrow.
func (FunctionOptions) TypeName() string { return "ChurnFilterOptions" }

// Registry gives Arrow's compute functions and, in a registry of its own below
// them, that of this package.
func Registry() (compute.FunctionRegistry, error) {
	kernel := exec.NewScalarKernelWithSig(&exec.KernelSignature{
		InputTypes: []exec.InputType{{Kind: exec.InputAny}},
		OutType:    exec.NewOutputType(arrow.FixedWidthTypes.Boolean),
		IsVarArgs:  true,
	}, truthSpan, bindArguments)
	kernel.NullHandling = exec.NullComputedPrealloc // the loops decide where the result is null
	function := compute.NewScalarFunction(Function, compute.VarArgs(1), compute.FunctionDoc{OptionsRequired: true})
	if err := function.AddKernel(kernel); err != nil {
		return nil, fmt.Errorf("compute function %s: %w", Function, err)
	}
	registry := compute.NewChildRegistry(compute.GetFunctionRegistry())
	if !registry.AddFunction(function, false) {
		return nil, fmt.Errorf("compute function %s: the name is taken", Function)
	}
	return registry, nil
}

// bindArguments gives an evaluator of the program on columns of the arguments' types.
func bindArguments(_ *exec.KernelCtx, args exec.KernelInitArgs) (exec.KernelState, error) {
	options, ok := args.Options.(*FunctionOptions)
	if !ok || options.Program == nil {
		return nil, fmt.Errorf("%w: %s: want *FunctionOptions with a program", arrow.ErrInvalid, Function)
	}
	p := options.Program
	names := p.Columns()
	switch {
	case p.Type() != Bool:
		return nil, fmt.Errorf("%w: %s: %w: found %s, want %s", arrow.ErrInvalid, Function, errWrongResult, p.Type(), WantBool)
	case p.UsesScore() || p.UsesCategory():
		return nil, fmt.Errorf("%w: %s: the program reads the score or the category", arrow.ErrInvalid, Function)
	case len(args.Inputs) != len(names):
		return nil, fmt.Errorf("%w: %s: %d arguments, want %d", arrow.ErrInvalid, Function, len(args.Inputs), len(names))
	}
	fields := make([]arrow.Field, len(names))
	for i, name := range names {
		fields[i] = arrow.Field{Name: name, Type: args.Inputs[i], Nullable: true}
	}
	e := p.NewEvaluator()
	return e, e.follow(arrow.NewSchema(fields, nil))
}

func truthSpan(ctx *exec.KernelCtx, span *exec.ExecSpan, out *exec.ExecResult) error {
	e := ctx.State.(*Evaluator)
	for i := range span.Values {
		a, err := argument(ctx, &span.Values[i], int(span.Len))
		if err != nil {
			return err
		}
		defer a.Release()
		e.batch.columns[i] = a
	}
	e.batch.begin(int(span.Len))
	return e.run(func(b *batch) {
		truths := b.truths.take(b.rows)
		e.program.result.truths(b, truths)
		for row, t := range truths {
			bitutil.SetBitTo(out.Buffers[0].Buf, int(out.Offset)+row, t != Unknown)
			bitutil.SetBitTo(out.Buffers[1].Buf, int(out.Offset)+row, t == True)
		}
		out.Nulls = array.UnknownNullCount
		b.truths.give(truths)
	})
}

// argument gives a span as an array, and a scalar as one that repeats it.
func argument(ctx *exec.KernelCtx, value *exec.ExecValue, rows int) (arrow.Array, error) {
	if value.IsScalar() {
		return scalar.MakeArrayFromScalar(value.Scalar, rows, exec.GetAllocator(ctx.Ctx))
	}
	return value.Array.MakeArray(), nil
}

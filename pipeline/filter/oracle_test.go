package filter_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/filter"
)

// interpreter evaluates expressions row by row by cel-go, unchecked: what their
// types are is then decided by the values.
type interpreter struct {
	program cel.Program
	nulls   []cel.Program // of the variables null0, null1 ...
}

func newInterpreter(t testing.TB, oracle string, nulls []nullTest) interpreter {
	t.Helper()
	env, err := cel.NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	program := func(text string) cel.Program {
		parsed, issues := env.Parse(text)
		if issues.Err() != nil {
			t.Fatalf("%s: %v", text, issues.Err())
		}
		p, err := env.Program(parsed, cel.EvalOptions(cel.OptPartialEval))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return p
	}
	in := interpreter{program: program(oracle)}
	for _, test := range nulls {
		in.nulls = append(in.nulls, program(test.oracle))
	}
	return in
}

// row gives the value of the expression, nil for unknown. Variables that are nil
// are unknown.
func (in interpreter) row(t testing.TB, variables map[string]ref.Val) ref.Val {
	t.Helper()
	for i, test := range in.nulls {
		variables[fmt.Sprintf("null%d", i)] = types.Bool(evaluate(t, test, variables) == nil)
	}
	return evaluate(t, in.program, variables)
}

func evaluate(t testing.TB, program cel.Program, variables map[string]ref.Val) ref.Val {
	t.Helper()
	known := make(map[string]any, len(variables))
	var unknown []*cel.AttributePatternType
	for name, v := range variables {
		if v == nil {
			unknown = append(unknown, cel.AttributePattern(name))
		} else {
			known[name] = v
		}
	}
	partial, err := cel.PartialVars(known, unknown...)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := program.Eval(partial)
	if err != nil || types.IsUnknownOrError(out) {
		return nil
	}
	return out
}

// sample is a batch with the scores and categories of its rows.
type sample struct {
	filter.Rows
	variables []map[string]ref.Val // of every row, for the interpreter
}

func newSample(r *rand.Rand, mem memory.Allocator, rows int) sample {
	s := sample{Rows: filter.Rows{Record: randomBatch(r, mem, testColumns, rows)}}
	for row := range rows {
		s.Hundredths = append(s.Hundredths, uint16(r.IntN(10001)))
		s.Category = append(s.Category, uint8(r.IntN(len(testCategories))))
		variables := map[string]ref.Val{"now": types.Timestamp{Time: testNow}}
		variables["score"] = types.Double(float64(s.Hundredths[row]) / 100)
		variables["category"] = types.String(testCategories[s.Category[row]])
		if r.IntN(4) == 0 {
			s.Hundredths[row], s.Category[row] = 0xFFFF, 0xFF
			variables["score"], variables["category"] = nil, nil
		}
		for i, f := range s.Record.Schema().Fields() {
			variables[f.Name] = valueAt(s.Record.Column(i), row)
		}
		s.variables = append(s.variables, variables)
	}
	return s
}

// plainSchema has the test columns in the first type of their kinds.
func plainSchema() *arrow.Schema {
	var fields []arrow.Field
	for _, name := range slices.Sorted(maps.Keys(testColumns)) {
		fields = append(fields, arrow.Field{Name: name, Type: columnTypes[testColumns[name]][0], Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func testOptions(want filter.Want) filter.Options {
	return filter.Options{Want: want, Now: testNow, BuiltIns: true, Categories: testCategories}
}

func compiled(t testing.TB, text string, schema *arrow.Schema, want filter.Want) *filter.Program {
	t.Helper()
	x, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := x.Bind(schema, testOptions(want))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// check compares every row of the sample with the interpreter's.
func check(t testing.TB, mem memory.Allocator, s sample, schema *arrow.Schema, x written, nulls []nullTest) {
	t.Helper()
	if x.kind == filter.Duration { // which no column holds
		x = written{x.ours + " <= duration('1h')", x.oracle + " <= duration('1h')", filter.Bool}
	}
	in := newInterpreter(t, x.oracle, nulls)
	want := make([]ref.Val, len(s.variables))
	for row, variables := range s.variables {
		want[row] = in.row(t, maps.Clone(variables))
	}
	evaluator := compiled(t, x.ours, schema, filter.WantAny).NewEvaluator()
	got, err := evaluator.Array(s.Rows, mem)
	if err != nil {
		t.Fatalf("%s: %v", x.ours, err)
	}
	defer got.Release()
	for row, w := range want {
		if !sameValue(valueAt(got, row), w) {
			t.Fatalf("%s\nfor the interpreter: %s %v\nrow %d: found %v, want %v\nof %v", x.ours, x.oracle, nulls, row, got.ValueStr(row), w, s.variables[row])
		}
	}
	checkTruth(t, evaluator, s, x, want)
	checkFloat64s(t, evaluator, s, x, want)
}

func checkTruth(t testing.TB, e *filter.Evaluator, s sample, x written, want []ref.Val) {
	t.Helper()
	if x.kind != filter.Bool {
		return
	}
	got := make([]filter.Truth, len(want))
	if err := e.Truth(s.Rows, got); err != nil {
		t.Fatal(err)
	}
	for row, w := range want {
		truth := map[ref.Val]filter.Truth{nil: filter.Unknown, types.True: filter.True, types.False: filter.False}[w]
		if got[row] != truth {
			t.Fatalf("%s\nrow %d: found %v, want %v", x.ours, row, got[row], truth)
		}
	}
}

func checkFloat64s(t testing.TB, e *filter.Evaluator, s sample, x written, want []ref.Val) {
	t.Helper()
	if x.kind > filter.Double {
		return
	}
	got := make([]float64, len(want))
	if err := e.Float64s(s.Rows, got); err != nil {
		t.Fatal(err)
	}
	for row, w := range want {
		number := math.NaN()
		switch w := w.(type) {
		case types.Bool:
			number = map[types.Bool]float64{true: 1}[w]
		case types.Int:
			number = float64(w)
		case types.Double:
			number = float64(w)
		}
		if math.Float64bits(got[row]) != math.Float64bits(number) && (got[row] == got[row] || number == number) {
			t.Fatalf("%s\nrow %d: found %v, want %v", x.ours, row, got[row], number)
		}
	}
}

// sameValue compares what an array holds with the interpreter's value.
func sameValue(got, want ref.Val) bool {
	switch w := want.(type) {
	case types.Double:
		g, ok := got.(types.Double)
		return ok && (g != g && w != w || math.Float64bits(float64(g)) == math.Float64bits(float64(w)))
	case types.Timestamp:
		micros, fits := floorMicros(w)
		if !fits {
			return got == nil
		}
		return got != nil && got.Equal(micros) == types.True
	}
	return got == want
}

// floorMicros rounds down to the microsecond; false when an int64 does not hold it.
func floorMicros(t types.Timestamp) (types.Timestamp, bool) {
	const far = math.MaxInt64/1_000_000 - 1
	if t.Unix() > far || t.Unix() < -far {
		return t, false
	}
	return timeOf(t.UnixMicro(), 1_000_000).(types.Timestamp), true
}

const (
	casesEach           = 10_000
	rowsOfSample        = 60
	expressionsOfSample = 4
)

// checkSample checks expressions on one random batch, bound to its schema or to
// another one.
func checkSample(t testing.TB, r *rand.Rand, mem memory.Allocator, rows int, write func(*generator) written) {
	t.Helper()
	s := newSample(r, mem, rows)
	defer s.Record.Release()
	for range expressionsOfSample {
		g := &generator{Rand: r}
		x := write(g)
		check(t, mem, s, pick(r, []*arrow.Schema{plainSchema(), s.Record.Schema()}), x, g.nulls)
	}
}

// Every operator and function gives what the interpreter gives, on sliced batches
// with nulls, of every type, plain and as dictionaries.
func TestOperatorsEqualInterpreter(t *testing.T) {
	for i, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			r := rand.New(rand.NewPCG(uint64(i), 1))
			cases, expressions := 0, 0
			for cases < casesEach {
				checkSample(t, r, mem, rowsOfSample, func(g *generator) written { return g.apply(op, r.IntN(2)) })
				cases += expressionsOfSample * rowsOfSample
				expressions += expressionsOfSample
			}
			t.Logf("%-24s %d cases of %d expressions", op.name, cases, expressions)
		})
	}
}

// Nested expressions give what the interpreter gives.
func TestNestedEqualInterpreter(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	r := rand.New(rand.NewPCG(2, 3))
	cases := 0
	for range 300 {
		rows := r.IntN(90)
		checkSample(t, r, mem, rows, func(g *generator) written {
			return g.any(pick(r, []filter.Kind{kBool, kBool, kBool, kInt, kDouble, kString, kTimestamp}), 1+r.IntN(4))
		})
		cases += expressionsOfSample * rows
	}
	t.Logf("%d cases", cases)
}

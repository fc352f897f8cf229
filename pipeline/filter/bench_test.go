package filter_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/filter"
)

// benchExpressions are ordinary ones, over the columns of benchBatch.
var benchExpressions = []string{
	`days <= 30`,
	`spend > 49.99`,
	`country == "FR"`,
	`city == "Lyon"`,
	`country in ["FR", "BE", "LU"]`,
	`city.startsWith("Saint-")`,
	`seen < now - duration("720h")`,
	`category == "high" && score >= 80.0`,
	`active && (days > 7 || spend < 10.0) && country != null`,
	`double(days) * 0.5 + spend > 60.0 && now - seen > duration("24h")`,
}

const benchRows = 16_384

// benchBatch has nulls in every column but days.
func benchBatch() filter.Rows {
	r := rand.New(rand.NewPCG(1, 2))
	country := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	fields := []arrow.Field{
		{Name: "days", Type: arrow.PrimitiveTypes.Int32}, {Name: "spend", Type: arrow.PrimitiveTypes.Float64},
		{Name: "country", Type: country}, {Name: "city", Type: arrow.BinaryTypes.String},
		{Name: "seen", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "active", Type: arrow.FixedWidthTypes.Boolean},
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	rows := filter.Rows{}
	for range benchRows {
		rows.Hundredths, rows.Category = append(rows.Hundredths, uint16(r.IntN(10001))), append(rows.Category, uint8(r.IntN(3)))
		b.Field(0).(*array.Int32Builder).Append(r.Int32N(100))
		for i := 1; i < len(fields); i++ {
			if r.IntN(10) == 0 {
				b.Field(i).AppendNull()
				continue
			}
			switch b := b.Field(i).(type) {
			case *array.Float64Builder:
				b.Append(r.Float64() * 100)
			case *array.BinaryDictionaryBuilder:
				_ = b.AppendString(pick(r, []string{"FR", "BE", "LU", "DE", "ES", "IT"}))
			case *array.StringBuilder:
				b.Append(pick(r, []string{"Lyon", "Paris", "Saint-Denis", "Saint-Malo", "Bruxelles", "Nancy"}))
			case *array.TimestampBuilder:
				b.Append(arrow.Timestamp(testNow.Add(-time.Duration(r.Int64N(2000)) * time.Hour).UnixMicro()))
			case *array.BooleanBuilder:
				b.Append(r.IntN(2) == 0)
			}
		}
	}
	rows.Record = b.NewRecordBatch()
	return rows
}

// BenchmarkFilters evaluates ordinary expressions, compiled and by cel-go's
// interpreter on the same rows, and says how many times faster the former is. A
// byte stands for a row.
func BenchmarkFilters(b *testing.B) {
	rows := benchBatch()
	for _, text := range benchExpressions {
		var compiledSpeed float64
		b.Run("compiled/"+text, func(b *testing.B) { compiledSpeed = benchCompiled(b, text, rows) })
		b.Run("interpreter/"+text, func(b *testing.B) {
			speed := benchInterpreter(b, text, rows)
			b.ReportMetric(compiledSpeed/speed, "times-slower")
		})
	}
}

// speedOf gives and reports the rows a second in millions.
func speedOf(b *testing.B, rows int) float64 {
	speed := float64(b.N) * float64(rows) / b.Elapsed().Seconds() / 1e6
	b.ReportMetric(speed, "Mrow/s")
	return speed
}

func benchCompiled(b *testing.B, text string, rows filter.Rows) float64 {
	e := compiled(b, text, rows.Record.Schema(), filter.WantBool).NewEvaluator()
	dst := make([]filter.Truth, benchRows)
	b.SetBytes(benchRows)
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Truth(rows, dst); err != nil {
			b.Fatal(err)
		}
	}
	return speedOf(b, benchRows)
}

// benchInterpreter gives the interpreter its best: checked expressions, optimized
// programs, values boxed beforehand, and null for what is unknown.
func benchInterpreter(b *testing.B, text string, rows filter.Rows) float64 {
	const some = 1024
	env, err := cel.NewEnv(
		cel.Variable("days", cel.NullableType(cel.IntType)), cel.Variable("spend", cel.NullableType(cel.DoubleType)),
		cel.Variable("country", cel.NullableType(cel.StringType)), cel.Variable("city", cel.NullableType(cel.StringType)),
		cel.Variable("seen", cel.TimestampType), cel.Variable("active", cel.NullableType(cel.BoolType)),
		cel.Variable("score", cel.NullableType(cel.DoubleType)), cel.Variable("category", cel.NullableType(cel.StringType)),
		cel.Variable("now", cel.TimestampType))
	if err != nil {
		b.Fatal(err)
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		b.Fatal(issues.Err())
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		b.Fatal(err)
	}
	values := make([]map[string]any, some)
	for row := range values {
		values[row] = map[string]any{"now": types.Timestamp{Time: testNow}, "score": types.Double(rows.Hundredths[row]) / 100,
			"category": types.String(testCategories[rows.Category[row]])}
		for i, f := range rows.Record.Schema().Fields() {
			var v ref.Val = types.NullValue
			if known := valueAt(rows.Record.Column(i), row); known != nil {
				v = known
			}
			values[row][f.Name] = v
		}
	}
	b.SetBytes(some)
	for b.Loop() {
		for _, v := range values {
			_, _, _ = program.Eval(v) // an error is an unknown row
		}
	}
	return speedOf(b, some)
}

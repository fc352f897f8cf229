package score

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const benchRows = 16_384

func benchBatch(columns int) arrow.RecordBatch {
	random := rand.New(rand.NewPCG(1, 2))
	var fields []arrow.Field
	var arrays []arrow.Array
	for i := range columns {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		for range benchRows {
			b.Append(random.Float64())
		}
		fields = append(fields, field("f"+strconv.Itoa(i), arrow.PrimitiveTypes.Float64))
		arrays = append(arrays, b.NewArray())
	}
	plan := array.NewDictionaryBuilder(memory.DefaultAllocator, dictionary(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String).(*arrow.DictionaryType)).(*array.BinaryDictionaryBuilder)
	for range benchRows {
		if err := plan.AppendString([]string{"a", "b", "c"}[random.IntN(3)]); err != nil {
			panic(err)
		}
	}
	fields = append(fields, field("plan", plan.Type()))
	arrays = append(arrays, plan.NewArray())
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, benchRows)
}

func benchScorer(b *testing.B, scorer *Scorer, batch arrow.RecordBatch) {
	bound, err := scorer.Bind(batch.Schema(), time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	out := new(Result)
	b.SetBytes(int64(8 * len(scorer.Inputs(nil)) * benchRows))
	b.ReportAllocs()
	for b.Loop() {
		if err := bound.Score(batch, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkColumn(b *testing.B) {
	scorer, err := FromColumn("f0", 0, 1)
	if err != nil {
		b.Fatal(err)
	}
	benchScorer(b, scorer, benchBatch(1))
}

func BenchmarkLogisticPlain10(b *testing.B) {
	benchScorer(b, mustModel(b, `{"features": ["f0","f1","f2","f3","f4","f5","f6","f7","f8","f9"],
		"coefficients": [1,-1,0.5,1,-1,0.5,1,-1,0.5,0.1], "intercept": -1}`), benchBatch(10))
}

func BenchmarkLogisticPipeline4And1(b *testing.B) {
	term := func(name string) string {
		return `{"name": "` + name + `", "median": 0, "mean": 0.5, "scale": 2, "coef": 0.3}`
	}
	benchScorer(b, mustModel(b, `{"kind": "logistic_regression_pipeline", "intercept": -1,
		"numeric": [`+term("f0")+`,`+term("f1")+`,`+term("f2")+`,`+term("f3")+`],
		"categorical": [{"name": "plan", "missing": "", "coef": {"a": 1, "b": -1, "c": 0.5}}]}`), benchBatch(4))
}

// Three dummies of one column beside a number: its values are looked up once.
func BenchmarkOneHot3(b *testing.B) {
	model := `{"features": ["f0","plan_a","plan_b","plan_d"], "coefficients": [1,-1,0.5,0.1], "intercept": -1}`
	scorer, err := ReadModel("m", []byte(model), Options{OneHot: OneHot{Columns: []string{"plan"}, Separator: "_"}})
	if err != nil {
		b.Fatal(err)
	}
	benchScorer(b, scorer, benchBatch(1))
}

// BenchmarkHundredths and BenchmarkLabels are the last steps of a score; a byte
// stands for a byte read.
func BenchmarkHundredths(b *testing.B) {
	random, probability := rand.New(rand.NewPCG(1, 2)), make([]float64, benchRows)
	for i := range probability {
		probability[i] = random.Float64()
	}
	out := make([]uint16, benchRows)
	b.SetBytes(8 * benchRows)
	for b.Loop() {
		for i, p := range probability {
			out[i] = Hundredths(p)
		}
	}
}

func BenchmarkLabels(b *testing.B) {
	labels, err := NewLabels([]uint16{7500, 5000, 0})
	if err != nil {
		b.Fatal(err)
	}
	random, hundredths := rand.New(rand.NewPCG(1, 2)), make([]uint16, benchRows)
	for i := range hundredths {
		hundredths[i] = uint16(random.IntN(int(Top) + 1))
	}
	out := make([]uint8, benchRows)
	b.SetBytes(2 * benchRows)
	for b.Loop() {
		labels.Apply(out, hundredths)
	}
}

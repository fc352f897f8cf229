package score

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestHundredths(t *testing.T) {
	for _, test := range []struct {
		p    float64
		want uint16
	}{
		{0, 0}, {1, 10000}, {0.5, 5000}, {0.75, 7500}, {0.0499, 499}, {0.7499, 7499},
		{0.00005, 1}, // 10000*p is 0.5: away from zero
		{math.Nextafter(0.00005, 0), 0},
		{math.Nextafter(1, 0), 10000}, {math.Copysign(0, -1), 0}, {5e-324, 0},
		{0.49999999999999994 / 10000, 0},
		{-5e-324, NoScore}, {math.Nextafter(1, 2), NoScore},
		{math.NaN(), NoScore}, {math.Inf(1), NoScore}, {math.Inf(-1), NoScore},
	} {
		if got := Hundredths(test.p); got != test.want {
			t.Errorf("Hundredths(%v) = %d, want %d", test.p, got, test.want)
		}
	}
}

func TestHundredthsAgainstExactRounding(t *testing.T) {
	half := big.NewRat(1, 2)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		if rapid.Bool().Draw(t, "on a half") {
			p = (float64(rapid.IntRange(0, 9999).Draw(t, "score")) + 0.5) / 10000
		}
		product := new(big.Rat).SetFloat64(p * 10000) // one float64 multiplication
		product.Add(product, half)
		want := new(big.Int).Quo(product.Num(), product.Denom()) // floor(x + 1/2)
		if got := Hundredths(p); int64(got) != want.Int64() {
			t.Fatalf("Hundredths(%v) = %d, want %v", p, got, want)
		}
	})
}

func TestReasonNames(t *testing.T) {
	want := map[Reason]string{
		FeatureNull: "feature_null", FeatureNotFinite: "feature_not_finite", ScoreNull: "score_null",
		ScoreNaN: "score_nan", ScoreOutOfRange: "score_out_of_range", Scored: "scored", 99: "unknown",
	}
	for reason, name := range want {
		if reason.String() != name {
			t.Errorf("reason %d is %q, want %q", reason, reason, name)
		}
	}
}

func TestColumnScores(t *testing.T) {
	scorer, err := FromColumn("churn_score", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	batch := batchOf(columnOf("id", arrow.PrimitiveTypes.Int32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		columnOf("churn_score", arrow.PrimitiveTypes.Float64,
			0, 100, 75, 4.99, nil, "NaN", -1, 101, "Inf", "-0"))
	got := mustScore(t, scorer, batch)
	wantBad := []BadRow{
		{4, ScoreNull, "churn_score"}, {5, ScoreNaN, "churn_score"}, {6, ScoreOutOfRange, "churn_score"},
		{7, ScoreOutOfRange, "churn_score"}, {8, ScoreOutOfRange, "churn_score"},
	}
	if diff := cmp.Diff(wantBad, got.Bad); diff != "" {
		t.Errorf("bad rows (-want +got):\n%s", diff)
	}
	wantScores := []uint16{0, 10000, 7500, 499, NoScore, NoScore, NoScore, NoScore, NoScore, 0}
	if diff := cmp.Diff(wantScores, got.Hundredths); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
	if math.Signbit(got.Probability[9]) {
		t.Error("the probability of -0 is -0, want 0")
	}
	if got.Inputs[0].Missing != 2 {
		t.Errorf("%d rows missing, want 2", got.Inputs[0].Missing)
	}
	if scorer.Kind() != "column" {
		t.Errorf("kind %q, want column", scorer.Kind())
	}
}

// Every numeric type, sliced, with nulls, against the definition.
func TestColumnEqualsTheScalarReference(t *testing.T) {
	const lo, hi = -2, 130
	scorer, err := FromColumn("s", lo, hi)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string][]arrow.DataType{"s": plainNumberTypes, "id": wholeTypes}
	rapid.Check(t, func(t *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		batch := randomBatch(t, mem, types, []string{"id", "s"})
		defer batch.Release()
		bound, err := scorer.Bind(batch.Schema(), time.Time{})
		fail(t, err)
		out := new(Result)
		fail(t, bound.Score(batch, out))
		bad := out.Bad
		for row := range int(batch.NumRows()) {
			want, reason := referenceColumn(t, batch.Column(1), row, lo, hi)
			if reason != Scored {
				if len(bad) == 0 || bad[0] != (BadRow{row, reason, "s"}) || out.Hundredths[row] != NoScore {
					t.Fatalf("row %d: bad rows go on with %v, want %v", row, bad, reason)
				}
				bad = bad[1:]
			} else if out.Probability[row] != want || out.Hundredths[row] != uint16(math.Round(want*10000)) {
				t.Fatalf("row %d: probability %v, want %v", row, out.Probability[row], want)
			}
		}
	})
}

func referenceColumn(t *rapid.T, a arrow.Array, row int, lo, hi float64) (float64, Reason) {
	x, there := numberAt(t, a, row)
	switch {
	case a.IsNull(row):
		return 0, ScoreNull
	case !there:
		return 0, ScoreNaN
	case x < lo || x > hi:
		return 0, ScoreOutOfRange
	}
	return (x - lo) / (hi - lo), Scored
}

func TestNullInTheDictionaryOfAScoreColumn(t *testing.T) {
	values := columnOf("", arrow.PrimitiveTypes.Float64, 0.5, nil, "NaN").values
	indices := columnOf("", arrow.PrimitiveTypes.Int8, 0, 1, 2, nil).values
	dt := dictionary(arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Float64)
	batch := batchOf(namedColumn{"s", array.NewDictionaryArray(dt, indices, values)})
	scorer, err := FromColumn("s", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []BadRow{{1, ScoreNull, "s"}, {2, ScoreNaN, "s"}, {3, ScoreNull, "s"}}
	if diff := cmp.Diff(want, mustScore(t, scorer, batch).Bad); diff != "" {
		t.Errorf("bad rows (-want +got):\n%s", diff)
	}
}

func TestColumnRefusesARange(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, test := range []struct {
		name   string
		lo, hi float64
		want   string
	}{
		{"", 0, 1, "score column: it has no name"},
		{"s", 1, 1, `score column "s": range [1, 1]: want the lower end below the upper one`},
		{"s", 2, 1, `score column "s": range [2, 1]: want the lower end below the upper one`},
		{"s", nan, 1, `score column "s": range [NaN, 1]: want the lower end below the upper one`},
		{"s", 0, nan, `score column "s": range [0, NaN]: want the lower end below the upper one`},
		{"s", 0, inf, `score column "s": range [0, +Inf]: want finite ends and a finite width`},
		{"s", -inf, 0, `score column "s": range [-Inf, 0]: want finite ends and a finite width`},
		{"s", -1e308, 1e308, `score column "s": range [-1e+308, 1e+308]: want finite ends and a finite width`},
	} {
		if _, err := FromColumn(test.name, test.lo, test.hi); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}

func TestDecimalsAreRoundedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := [4]uint64{}
		for i := range rapid.IntRange(1, 4).Draw(t, "words") {
			words[i] = rapid.Uint64().Draw(t, "word")
		}
		negative := int64(words[3]) < 0
		n := new(big.Int)
		for i := 3; i >= 0; i-- {
			n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(words[i]))
		}
		if negative {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 256))
		}
		scale := rapid.Int32Range(-300, 400).Draw(t, "scale")
		if got, want := decimalToFloat64(words, scale), decimalAt(n, scale); got != want {
			t.Fatalf("%v at scale %d is %v, want %v", n, scale, got, want)
		}
	})
}

// Scoring needs no memory of its own after the first batch.
func TestScoreDoesNotAllocatePerRow(t *testing.T) {
	decimals := &arrow.Decimal256Type{Precision: 76, Scale: 38}
	var x, y, plan, team []any
	for i := range 2000 {
		x = append(x, float64(i))
		y = append(y, "1234567890123456789.12345678901234567890123456789012345678")
		plan = append(plan, "a")
		team = append(team, i)
	}
	batch := batchOf(
		columnOf("x", arrow.PrimitiveTypes.Float64, x...), columnOf("y", decimals, y...),
		columnOf("plan", dictionary(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), plan...),
		columnOf("team", arrow.PrimitiveTypes.Int64, team...),
	)
	bound, err := mustModel(t, pipelineModel).Bind(batch.Schema(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	out := new(Result)
	if allocs := testing.AllocsPerRun(3, func() { err = bound.Score(batch, out) }); allocs > 5 || err != nil {
		t.Errorf("%v allocations a batch (error %v), want at most 5", allocs, err)
	}
}

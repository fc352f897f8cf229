package score

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
)

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

func field(name string, dt arrow.DataType) arrow.Field { return arrow.Field{Name: name, Type: dt} }

func TestBindNamesEveryProblemAtOnce(t *testing.T) {
	schema := schemaOf(
		field("id", arrow.BinaryTypes.String),
		field("X", arrow.PrimitiveTypes.Float64),
		field("y", arrow.BinaryTypes.String),
		field("plans", arrow.BinaryTypes.String),
		field("team", arrow.PrimitiveTypes.Float64),
	)
	_, err := mustModel(t, pipelineModel).Bind(schema, time.Time{})
	want := `model test.json: the columns do not fit: ` +
		`column "x": missing, want a number, bool, date or timestamp (did you mean "X"?); ` +
		`column "y": found utf8, want a number, bool, date or timestamp; ` +
		`column "plan": missing, want text, integers or bool (did you mean "plans"?); ` +
		`column "team": found float64, want text, integers or bool`
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v, want\n%s", err, want)
	}
	if !errors.Is(err, ErrSchema) {
		t.Error("the error is not ErrSchema")
	}
	var schemaError *SchemaError
	if !errors.As(err, &schemaError) || len(schemaError.Problems) != 4 {
		t.Errorf("the error is %T, want a *SchemaError with 4 problems", err)
	}
}

func TestBindOfAColumnThatIsNoScore(t *testing.T) {
	scorer, err := FromColumn("s", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		schema *arrow.Schema
		want   string
	}{
		{schemaOf(field("s", arrow.FixedWidthTypes.Boolean)), `column "s": found bool, want a number`},
		{schemaOf(field("s", arrow.FixedWidthTypes.Date32)), `column "s": found date32, want a number`},
		{schemaOf(field("s", dictionary(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String))),
			`column "s": found dictionary<values=utf8, indices=int32, ordered=false>, want a number`},
		{schemaOf(field("s", arrow.PrimitiveTypes.Int8), field("s", arrow.PrimitiveTypes.Int8)),
			`column "s": found 2 columns of that name, want a number`},
		{schemaOf(), `column "s": missing, want a number`},
	} {
		_, err := scorer.Bind(test.schema, time.Time{})
		if want := `score column "s": the columns do not fit: ` + test.want; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestEveryFeatureTypeBinds(t *testing.T) {
	number := mustModel(t, `{"features": ["x"], "coefficients": [1], "intercept": 0}`)
	for _, dt := range featureTypes {
		if _, err := number.Bind(schemaOf(field("x", dt)), time.Time{}); err != nil {
			t.Error(err)
		}
	}
	text := mustModel(t, `{"kind": "logistic_regression_pipeline", "intercept": 0,
		"categorical": [{"name": "x", "missing": "", "coef": {}}]}`)
	for _, dt := range categoryTypes {
		if _, err := text.Bind(schemaOf(field("x", dt)), time.Time{}); err != nil {
			t.Error(err)
		}
	}
}

// A batch may come with other positions and encodings than the bound schema, and
// then without a column.
func TestScoreFollowsTheSchemaOfTheBatch(t *testing.T) {
	scorer, err := FromColumn("s", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := scorer.Bind(schemaOf(field("s", arrow.PrimitiveTypes.Float64)), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	out := new(Result)
	values := columnOf("s", dictionary(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64), 0.25)
	if err := bound.Score(batchOf(columnOf("id", arrow.PrimitiveTypes.Int8, 1), values), out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint16{2500}, out.Hundredths); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
	if err := bound.Score(batchOf(columnOf("id", arrow.PrimitiveTypes.Int8, 1)), out); !errors.Is(err, ErrSchema) {
		t.Errorf("error %v, want ErrSchema", err)
	}
}

// Thousands of missing features do not search for thousands of similar names.
func TestBindOfAModelThatHasNothingInCommon(t *testing.T) {
	var inputs []Input
	var fields []arrow.Field
	for i := range 10_000 {
		inputs = append(inputs, Input{Column: fmt.Sprintf("feature_%d", i)})
		if i < 1000 {
			fields = append(fields, field(fmt.Sprintf("feature_%d_", i), arrow.Null))
		}
	}
	_, problems := locate(inputs, schemaOf(fields...))
	if len(problems) != len(inputs) {
		t.Fatalf("%d problems, want all %d", len(problems), len(inputs))
	}
	err := &SchemaError{"model m", problems}
	if near := strings.Count(err.Error(), "did you mean"); near != maxSuggestions {
		t.Errorf("%d suggestions, want %d", near, maxSuggestions)
	}
}

// The dense forms are made only of the types that Bind lets through.
func TestArraysOfARefusedType(t *testing.T) {
	clock := arrow.FixedWidthTypes.Time32s
	for _, dt := range []arrow.DataType{clock, dictionary(arrow.PrimitiveTypes.Int8, clock)} {
		in := newInputs([]Input{{Column: "c"}})
		in.reset(1)
		in.arrays[0] = columnOf("c", dt, "10:00:00").values
		if _, err := in.numbers(0); err == nil || !strings.HasPrefix(err.Error(), `column "c": found time32[s], want a number`) {
			t.Errorf("error %v, want one about the type", err)
		}
		if _, err := in.categories(0, vocabulary{}); err == nil || !strings.HasPrefix(err.Error(), `column "c": found `) {
			t.Errorf("error %v, want one about the type", err)
		}
	}
}

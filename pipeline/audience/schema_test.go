package audience_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/audience"
)

func TestPlainTypes(t *testing.T) {
	coded := func(index arrow.DataType) arrow.DataType {
		return &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
	}
	for _, test := range []struct {
		in   arrow.DataType
		want string // "" where the column cannot be written
	}{
		{arrow.PrimitiveTypes.Int8, "int32"},
		{arrow.PrimitiveTypes.Uint16, "int32"},
		{arrow.PrimitiveTypes.Uint32, "int64"},
		{arrow.PrimitiveTypes.Uint64, "decimal(20, 0)"},
		{arrow.FixedWidthTypes.Float16, "float32"},
		{arrow.PrimitiveTypes.Float64, "float64"},
		{arrow.FixedWidthTypes.Boolean, "bool"},
		{arrow.FixedWidthTypes.Date64, "date32"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, "timestamp[us, tz=UTC]"},
		{&arrow.Decimal128Type{Precision: 12, Scale: 3}, "decimal(12, 3)"},
		{&arrow.Decimal256Type{Precision: 38, Scale: 38}, "decimal(38, 38)"},
		{&arrow.Decimal256Type{Precision: 39, Scale: 0}, ""},
		{&arrow.Decimal128Type{Precision: 5, Scale: -2}, ""},
		{arrow.BinaryTypes.LargeString, "utf8"},
		{coded(arrow.PrimitiveTypes.Int32), "utf8"},
		{coded(arrow.PrimitiveTypes.Int64), ""},
		{arrow.BinaryTypes.Binary, ""},
		{arrow.ListOf(arrow.PrimitiveTypes.Int8), ""},
		{arrow.FixedWidthTypes.Time32s, ""},
	} {
		snapshot := arrow.NewSchema([]arrow.Field{{Name: "x", Type: test.in}}, nil)
		got, err := audience.Layout{Columns: []audience.Column{{Name: "y", Column: "x"}}}.Schema(snapshot)
		switch {
		case test.want == "":
			if !errors.Is(err, audience.ErrColumn) || !strings.Contains(err.Error(), test.in.String()) {
				t.Errorf("%s: error %v, want ErrColumn with the type", test.in, err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.in, err)
		default:
			if f := got.Field(0); f.Type.String() != test.want || f.Name != "y" || !f.Nullable {
				t.Errorf("%s is written as %v, want y of %s, nullable", test.in, f, test.want)
			}
		}
	}
}

func TestColumnsOfTables(t *testing.T) {
	snapshot := arrow.NewSchema([]arrow.Field{
		{Name: "user", Type: arrow.PrimitiveTypes.Uint16, Nullable: true},
		{Name: "plan", Type: arrow.BinaryTypes.String},
	}, nil)
	for _, test := range []struct {
		columns []audience.Column
		want    []string
	}{
		{audience.DefaultColumns("user"), []string{"user: type=int32", "score: type=decimal(5, 2)", "category: type=utf8"}},
		{audience.ScoresColumns("user", []string{"plan"}), []string{
			"user: type=int32", "churn_probability: type=float64", "churn_score: type=decimal(5, 2)",
			"churn_category: type=utf8", "snapshot_date: type=date32", "plan: type=utf8, nullable",
		}},
	} {
		s, err := audience.Layout{ID: "user", Columns: test.columns, Date: night}.Schema(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range s.Fields() {
			got = append(got, f.String())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("columns (-want +got):\n%s", diff)
		}
	}
}

func TestSchemaTellsEveryFaultAtOnce(t *testing.T) {
	snapshot := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String)},
		{Name: "twice", Type: arrow.BinaryTypes.String},
		{Name: "twice", Type: arrow.BinaryTypes.String},
	}, nil)
	_, err := audience.Layout{ID: "id", Columns: []audience.Column{
		{Name: "id", Column: "id"}, {Name: "a", Column: "plann"}, {Name: "b", Column: "tags"}, {Name: "c", Column: "twice"},
		{Name: "id", Source: audience.FromScore}, {Name: "d", Source: audience.FromSnapshotDate}, {Name: "e", Source: 99},
		{Source: audience.FromCategory},
	}}.Schema(snapshot)
	if !errors.Is(err, audience.ErrColumn) {
		t.Fatalf("error %v, want ErrColumn", err)
	}
	for _, want := range []string{
		`"a": snapshot column "plann" does not exist: the snapshot has id, tags, twice, twice`,
		`"b": snapshot column "tags" is list<`, `"c": snapshot column "twice" exists 2 times`,
		`"id": the name is used twice`, `"d": the layout has no date`, `"e": source 99 is unknown`, `"": it has no name`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s:\n%v", want, err)
		}
	}
	if _, err := (audience.Layout{}).Schema(snapshot); !errors.Is(err, audience.ErrColumn) {
		t.Errorf("no columns: error %v, want ErrColumn", err)
	}
}

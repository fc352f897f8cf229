package filter_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/filter"
)

const (
	no, unknown, yes = filter.False, filter.Unknown, filter.True
)

// arrayOf builds an array from a JSON list.
func arrayOf(t testing.TB, mem memory.Allocator, dt arrow.DataType, json string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(mem, dt, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// smallBatch has three rows: an ordinary one, one of edges, and one of nulls.
func smallBatch(t testing.TB) arrow.RecordBatch {
	t.Helper()
	columns := []struct {
		name string
		dt   arrow.DataType
		json string
	}{
		{"days", arrow.PrimitiveTypes.Int64, `[7, 9223372036854775807, null]`},
		{"big", arrow.PrimitiveTypes.Uint64, `[7, 9223372036854775808, null]`},
		{"spend", arrow.PrimitiveTypes.Float64, `[2.5, -0.0, null]`},
		{"price", &arrow.Decimal128Type{Precision: 9, Scale: 2}, `["59.99", "-0.10", null]`},
		{"country", arrow.BinaryTypes.String, `["FR", "", null]`},
		{"active", arrow.FixedWidthTypes.Boolean, `[true, false, null]`},
		{"born", arrow.FixedWidthTypes.Date32, `["2000-02-29", "1969-12-31", null]`},
		{"seen", &arrow.TimestampType{Unit: arrow.Second}, `["2026-11-22 23:59:59", "2026-11-23 00:00:00", null]`},
		{"Call  Failure", arrow.PrimitiveTypes.Int8, `[1, 2, null]`},
		{"in", arrow.PrimitiveTypes.Int8, `[1, 2, null]`},
		{"score", arrow.PrimitiveTypes.Int8, `[-1, -2, null]`},
		{"a.b", arrow.PrimitiveTypes.Int8, `[1, 2, null]`},
		{"int", arrow.PrimitiveTypes.Int8, `[1, 2, null]`},
		{"@0", arrow.PrimitiveTypes.Int8, `[1, 2, null]`},
	}
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, c := range columns {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.dt, Nullable: true})
		arrays = append(arrays, arrayOf(t, memory.DefaultAllocator, c.dt, c.json))
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, 3)
}

// What the package says of its semantics, each on the rows of smallBatch.
func TestSemantics(t *testing.T) {
	rows := filter.Rows{Record: smallBatch(t), Hundredths: []uint16{5999, 10000, 0xFFFF}, Category: []uint8{0, 2, 0xFF}}
	for text, want := range map[string][]filter.Truth{
		`days > 7`:                                  {no, yes, unknown},
		`!(days > 7)`:                               {yes, no, unknown},
		`days > 7 && false`:                         {no, no, no},
		`true || days > 7`:                          {yes, yes, yes},
		`days > 7 || active`:                        {yes, yes, unknown},
		`days == null`:                              {no, no, yes},
		`days != null`:                              {yes, yes, no},
		`null == days`:                              {no, no, yes},
		`!(days == null)`:                           {yes, yes, no},
		`days + 1 == null`:                          {no, yes, yes},
		`(days > 7) == null`:                        {no, no, yes},
		`(days == null) == null`:                    {no, no, no},
		`days + 1 > 0`:                              {yes, unknown, unknown},
		`(-days - 1) / -1 > 0`:                      {yes, unknown, unknown}, // the second is -2^63
		`(-days - 1) % -1 == 0`:                     {yes, unknown, unknown},
		`-(-days - 1) > 0`:                          {yes, unknown, unknown},
		`-days % 4 == -3`:                           {yes, yes, unknown},
		`days / 0 == 1`:                             {unknown, unknown, unknown},
		`spend / 0.0 > 1.0`:                         {yes, no, unknown},
		`spend / 0.0 != spend / 0.0`:                {no, yes, unknown}, // the second is NaN
		`0.0 == spend`:                              {no, yes, unknown},
		`days > 2.5`:                                {yes, yes, unknown},
		`days == 7.0`:                               {yes, no, unknown},
		`days == 9223372036854775808.0`:             {no, yes, unknown}, // as doubles
		`days in [7.5, 7]`:                          {yes, no, unknown},
		`days in []`:                                {no, no, unknown},
		`big > 0`:                                   {yes, unknown, unknown},
		`big == null`:                               {no, yes, yes},
		`price == 59.99`:                            {yes, no, unknown},
		`double(days) + spend > 9.4`:                {yes, yes, unknown},
		`country in ["FR", "BE"]`:                   {yes, no, unknown},
		`!(country in ["FR", "BE"])`:                {no, yes, unknown},
		`country == ""`:                             {no, yes, unknown},
		`country.startsWith("")`:                    {yes, yes, unknown},
		`country.matches("R")`:                      {yes, no, unknown},
		`size(country) == country.size()`:           {yes, yes, unknown},
		`country + "x" == "FRx"`:                    {yes, no, unknown},
		`active`:                                    {yes, no, unknown},
		`active == false`:                           {no, yes, unknown},
		`active > false`:                            {yes, no, unknown},
		`born < timestamp("1970-01-01T00:00:00Z")`:  {no, yes, unknown},
		`born == timestamp("2000-02-29T00:00:00Z")`: {yes, no, unknown},
		`born == timestamp("2000-02-29T00:00:00.000000001Z")`: {no, no, unknown},
		`born < timestamp("2000-02-29T00:00:00.000000001Z")`:  {yes, yes, unknown},
		`seen < now`:                                                {yes, no, unknown},
		`now - seen <= duration("1s")`:                              {yes, yes, unknown},
		`seen + duration("1s") == now`:                              {yes, no, unknown},
		`now - duration("24h") <= seen`:                             {yes, yes, unknown},
		`timestamp("9999-12-31T00:00:00Z") + duration("48h") > now`: {unknown, unknown, unknown},
		`col("Call  Failure") == 1`:                                 {yes, no, unknown},
		`col("in") == 1 && col("a.b") == 1`:                         {yes, no, unknown},
		`int == 1 && col("@0") == 1`:                                {yes, no, unknown},
		`col("score") < 0`:                                          {yes, yes, unknown},
		`score >= 60`:                                               {no, yes, unknown},
		`score == 59.99`:                                            {yes, no, unknown},
		`score == null`:                                             {no, no, yes},
		`category == "high"`:                                        {yes, no, unknown},
		`category != "high" && score > 1`:                           {no, yes, unknown},
		`category in ["low", "none"]`:                               {no, yes, unknown},
		`category + "er" == "lower"`:                                {no, yes, unknown},
		`true`:                                                      {yes, yes, yes},
		`1 / 0 == 1`:                                                {unknown, unknown, unknown},
		"days ==\n  7 // a comment":                                 {yes, no, unknown},
	} {
		got := make([]filter.Truth, 3)
		if err := compiled(t, text, rows.Record.Schema(), filter.WantBool).NewEvaluator().Truth(rows, got); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestExpressionDescribesItself(t *testing.T) {
	const text = `b > a && col("c d") == b || score > 1 && category == "x" && now > col("now")`
	x := mustParse(t, text)
	if x.String() != text || !x.UsesScore() || !x.UsesCategory() || !slices.Equal(x.Columns(), []string{"b", "a", "c d", "now"}) {
		t.Errorf("%v %v %v %v", x, x.UsesScore(), x.UsesCategory(), x.Columns())
	}
	if x := mustParse(t, `col("score") > 1`); x.UsesScore() || x.UsesCategory() || !slices.Equal(x.Columns(), []string{"score"}) {
		t.Errorf("%v %v", x.UsesScore(), x.Columns())
	}
}

func TestTypeOfResult(t *testing.T) {
	for text, want := range map[string]filter.Kind{
		"b1": filter.Bool, "i1 + 1": filter.Int, "score": filter.Double, "s1 + s2": filter.String, "now": filter.Timestamp,
	} {
		if got := compiled(t, text, plainSchema(), filter.WantAny).Type(); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if filter.Duration.ArrowType() != nil || filter.Kind(0).String() != "invalid" || filter.Truth(9).String() != "invalid" {
		t.Error("a kind or truth that is none has a name or type")
	}
}

// A batch that does not fit is an error, and the next one is evaluated all the same.
func TestMisfits(t *testing.T) {
	schema := plainSchema()
	p := compiled(t, `i1 > 0 && category == "high" && score > 1`, schema, filter.WantBool)
	e := p.NewEvaluator()
	batch := func(dt arrow.DataType, json string, names ...string) arrow.RecordBatch {
		var fields []arrow.Field
		var arrays []arrow.Array
		for _, name := range names {
			fields, arrays = append(fields, arrow.Field{Name: name, Type: dt}), append(arrays, arrayOf(t, memory.DefaultAllocator, dt, json))
		}
		return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, 1)
	}
	good := filter.Rows{Record: batch(arrow.PrimitiveTypes.Int8, "[1]", "i1"), Hundredths: []uint16{500}, Category: []uint8{0}}
	values := arrayOf(t, memory.DefaultAllocator, arrow.PrimitiveTypes.Int8, "[1, 2]")
	outside := array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Int8},
		arrayOf(t, memory.DefaultAllocator, arrow.PrimitiveTypes.Int8, "[2]"), values)
	badIndex := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "i1", Type: outside.DataType()}}, nil), []arrow.Array{outside}, 1)
	for _, c := range []struct {
		rows filter.Rows
		size int
		want string
	}{
		{filter.Rows{Record: batch(arrow.PrimitiveTypes.Int8, "[1]", "j1"), Hundredths: good.Hundredths, Category: good.Category}, 1, `1:1: there is no column "i1" (did you mean "j1"?)`},
		{filter.Rows{Record: batch(arrow.BinaryTypes.String, `["1"]`, "i1"), Hundredths: good.Hundredths, Category: good.Category}, 1, `1:1: column "i1": found utf8, want int`},
		{filter.Rows{Record: batch(arrow.PrimitiveTypes.Int8, "[1]", "i1", "i1"), Hundredths: good.Hundredths, Category: good.Category}, 1, `1:1: there are 2 columns "i1"`},
		{filter.Rows{Record: good.Record, Category: good.Category}, 1, "0 scores for a batch of 1 rows"},
		{filter.Rows{Record: good.Record, Hundredths: good.Hundredths}, 1, "0 categories for a batch of 1 rows"},
		{filter.Rows{Record: good.Record, Hundredths: good.Hundredths, Category: []uint8{3}}, 1, "row 0 of the batch: category 3, but there are 3"},
		{filter.Rows{Record: badIndex, Hundredths: good.Hundredths, Category: good.Category}, 1, "row 0 of the batch: its index is outside the dictionary of 2 values"},
		{good, 2, "2 results are wanted of a batch of 1 rows"},
	} {
		if err := e.Truth(c.rows, make([]filter.Truth, c.size)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v does not contain %q", err, c.want)
		} else if errors.Is(err, filter.ErrType) != strings.HasPrefix(c.want, "1:1") {
			t.Errorf("error %v is of the wrong kind", err)
		}
		got := make([]filter.Truth, 1)
		if err := e.Truth(good, got); err != nil || got[0] != filter.True {
			t.Fatalf("after %q: %v %v", c.want, got, err)
		}
	}
	number := compiled(t, "i1 + 1", schema, filter.WantAny).NewEvaluator()
	if err := number.Truth(good, make([]filter.Truth, 1)); err == nil || !strings.Contains(err.Error(), "found int, want a bool") {
		t.Errorf("%v", err)
	}
}

// Evaluation takes no memory once the scratch memory is as large as it gets.
func TestNoAllocationPerRow(t *testing.T) {
	rows := filter.Rows{Record: smallBatch(t), Hundredths: make([]uint16, 3), Category: make([]uint8, 3)}
	text := `(days + 1 > 2 || spend * 2.0 > 1.0) && country + "x" in ["FRx"] && now - seen > duration("1h") && category == "high" && score > 1`
	e := compiled(t, text, rows.Record.Schema(), filter.WantBool).NewEvaluator()
	dst := make([]filter.Truth, 3)
	if n := testing.AllocsPerRun(100, func() {
		if err := e.Truth(rows, dst); err != nil {
			t.Fatal(err)
		}
	}); n > 8 {
		t.Errorf("%v allocations a batch", n)
	}
}

// A program may be shared by workers that each have an evaluator.
func TestProgramIsShared(t *testing.T) {
	rows := filter.Rows{Record: smallBatch(t), Hundredths: make([]uint16, 3), Category: make([]uint8, 3)}
	p := compiled(t, `country.matches("F") && days in [1, 2, 3, 4, 5, 6, 7] && category == "high"`, rows.Record.Schema(), filter.WantBool)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			e, dst := p.NewEvaluator(), make([]filter.Truth, 3)
			for range 100 {
				if err := e.Truth(rows, dst); err != nil || !slices.Equal(dst, []filter.Truth{yes, no, unknown}) {
					t.Errorf("%v %v", dst, err)
				}
			}
		})
	}
	workers.Wait()
}

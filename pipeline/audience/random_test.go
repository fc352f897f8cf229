package audience_test

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
)

// value is one random value: how it goes into a batch, what a Parquet reader
// should give back and what CSV should hold. Null is the zero value.
type value struct {
	add     func(array.Builder)
	parquet any
	csv     string
}

// kind is a random snapshot column.
type kind struct {
	typ  arrow.DataType
	draw func(*rapid.T) value
}

// of makes a kind from a generator of what a builder appends.
func of[T any](typ arrow.DataType, g *rapid.Generator[T], parquet func(T) any, csv func(T) string) kind {
	return kind{typ, func(t *rapid.T) value {
		v := g.Draw(t, typ.String())
		return value{func(b array.Builder) { b.(interface{ Append(T) }).Append(v) }, parquet(v), csv(v)}
	}}
}

func integer[T int8 | int16 | int32 | uint8 | uint16](typ arrow.DataType, g *rapid.Generator[T]) kind {
	return of(typ, g, func(v T) any { return int32(v) }, func(v T) string { return strconv.Itoa(int(v)) })
}

func decimalText(v *big.Int, scale int32) string {
	f := new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	return f.FloatString(int(scale))
}

// digits draws integers of at most n digits.
func digits(n int) *rapid.Generator[*big.Int] {
	return rapid.Custom(func(t *rapid.T) *big.Int {
		s := rapid.StringMatching(`-?[0-9]{1,`+strconv.Itoa(n)+`}`).Draw(t, "digits")
		v, _ := new(big.Int).SetString(s, 10)
		return v
	})
}

func decimal(precision, scale int32) kind {
	g := rapid.Map(digits(int(precision)), decimal128.FromBigInt)
	return of(&arrow.Decimal128Type{Precision: precision, Scale: scale}, g,
		func(v decimal128.Num) any { return v.BigInt().String() },
		func(v decimal128.Num) string { return decimalText(v.BigInt(), scale) })
}

func timestamp(unit arrow.TimeUnit, each time.Duration) kind {
	seconds := int64(time.Second / each)
	g := rapid.Map(rapid.Int64Range(-5e9, 5e9), func(s int64) arrow.Timestamp { return arrow.Timestamp(s*seconds + s%seconds) })
	at := func(v arrow.Timestamp) time.Time {
		return time.Unix(0, 0).UTC().Add(time.Duration(int64(v)%seconds) * each).Add(time.Duration(int64(v)/seconds) * time.Second)
	}
	return of(&arrow.TimestampType{Unit: unit, TimeZone: "Europe/Paris"}, g,
		func(v arrow.Timestamp) any { return at(v).UnixMicro() },
		func(v arrow.Timestamp) string {
			return time.UnixMicro(at(v).UnixMicro()).UTC().Format(time.RFC3339Nano)
		})
}

var text = rapid.OneOf(
	rapid.SampledFrom([]string{"", "FR", "DE", "a,b", `say "hi"`, " padded ", "two\r\nlines", "é", "'quoted",
		`back\slash\n`, "null", "a\x00b\x1f\x7f", "a\bb\tb\fb\nb\v", "a\u0085b\u2028b\u2029", "</a>&", "👩‍🚀 \U0001F600", "\uFEFF\uFFFD", "{\"a\":[1]}"}),
	rapid.Map(rapid.IntRange(1, 5000), func(n int) string { return strings.Repeat(`long "é" `, n) }),
	rapid.StringMatching(`[a-z]{1,3}`),
)

var floats = rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
	0, math.Copysign(0, -1), 0.1, 1e-7, 1e21, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1),
}))

var kinds = []kind{
	integer(arrow.PrimitiveTypes.Int8, rapid.Int8()),
	integer(arrow.PrimitiveTypes.Int16, rapid.Int16()),
	integer(arrow.PrimitiveTypes.Int32, rapid.Int32()),
	integer(arrow.PrimitiveTypes.Uint8, rapid.Uint8()),
	integer(arrow.PrimitiveTypes.Uint16, rapid.Uint16()),
	of(arrow.PrimitiveTypes.Int64, rapid.Int64(), func(v int64) any { return v }, func(v int64) string { return strconv.FormatInt(v, 10) }),
	of(arrow.PrimitiveTypes.Uint32, rapid.Uint32(), func(v uint32) any { return int64(v) }, func(v uint32) string { return strconv.Itoa(int(v)) }),
	of(arrow.PrimitiveTypes.Uint64, rapid.Uint64(), func(v uint64) any { return strconv.FormatUint(v, 10) }, func(v uint64) string { return strconv.FormatUint(v, 10) }),
	of(arrow.PrimitiveTypes.Float32, rapid.Map(floats, func(v float64) float32 { return float32(v) }), func(v float32) any { return v }, func(v float32) string { return strconv.FormatFloat(float64(v), 'x', -1, 32) }),
	of(arrow.PrimitiveTypes.Float64, floats, func(v float64) any { return v }, func(v float64) string { return strconv.FormatFloat(v, 'x', -1, 64) }),
	of(arrow.FixedWidthTypes.Float16, rapid.Map(rapid.SampledFrom([]float32{0, 0.5, -1.25, 1024}), float16.New),
		func(v float16.Num) any { return v.Float32() }, func(v float16.Num) string { return strconv.FormatFloat(float64(v.Float32()), 'x', -1, 32) }),
	of(arrow.FixedWidthTypes.Boolean, rapid.Bool(), func(v bool) any { return v }, strconv.FormatBool),
	of(arrow.FixedWidthTypes.Date32, rapid.Map(rapid.Int32Range(-700_000, 2_900_000), func(v int32) arrow.Date32 { return arrow.Date32(v) }),
		func(v arrow.Date32) any { return int32(v) }, func(v arrow.Date32) string { return v.ToTime().Format(time.DateOnly) }),
	of(arrow.FixedWidthTypes.Date64, rapid.Map(rapid.Int64Range(-1e13, 1e13), func(v int64) arrow.Date64 { return arrow.Date64(v) }),
		func(v arrow.Date64) any { return date.Of(time.UnixMilli(int64(v)).UTC()).Days() },
		func(v arrow.Date64) string { return time.UnixMilli(int64(v)).UTC().Format(time.DateOnly) }),
	timestamp(arrow.Second, time.Second), timestamp(arrow.Millisecond, time.Millisecond),
	timestamp(arrow.Microsecond, time.Microsecond), timestamp(arrow.Nanosecond, time.Nanosecond),
	decimal(9, 2), decimal(18, 18), decimal(19, 4), decimal(38, 0), decimal(38, 38),
	of(&arrow.Decimal256Type{Precision: 30, Scale: 5}, rapid.Map(digits(30), decimal256.FromBigInt),
		func(v decimal256.Num) any { return v.BigInt().String() }, func(v decimal256.Num) string { return decimalText(v.BigInt(), 5) }),
	of(arrow.BinaryTypes.String, text, func(v string) any { return v }, func(v string) string { return v }),
	of(arrow.BinaryTypes.LargeString, text, func(v string) any { return v }, func(v string) string { return v }),
}

// users is a random snapshot as plain Go values, with its scores.
type users struct {
	schema *arrow.Schema
	values [][]value // by row, then column; column 0 is the id
	block  audience.Block
}

func drawUsers(t *rapid.T, atMost int) users {
	chosen := append([]kind{kinds[len(kinds)-2]}, rapid.SliceOfN(rapid.SampledFrom(kinds), 0, 5).Draw(t, "columns")...)
	var u users
	fields := make([]arrow.Field, len(chosen))
	for i, k := range chosen {
		fields[i] = arrow.Field{Name: "c" + strconv.Itoa(i), Type: k.typ, Nullable: i > 0}
	}
	u.schema = arrow.NewSchema(fields, nil)
	for range rapid.IntRange(0, atMost).Draw(t, "rows") {
		row := make([]value, len(chosen))
		for i, k := range chosen {
			if i == 0 || rapid.IntRange(0, 3).Draw(t, "null") > 0 {
				row[i] = k.draw(t)
			}
		}
		u.values = append(u.values, row)
		h := rapid.Uint16Range(0, 10_000).Draw(t, "score")
		u.block.Hundredths = append(u.block.Hundredths, h)
		u.block.Probability = append(u.block.Probability, float64(h)/10_000)
		u.block.Category = append(u.block.Category, uint8(h%3))
	}
	return u
}

// batch builds the rows from up to, with rows before and after that a slice
// hides, and text columns coded as a dictionary where coded says so.
func (u users) batch(mem memory.Allocator, from, to int, coded bool) arrow.RecordBatch {
	fields := slices.Clone(u.schema.Fields())
	for i := range fields {
		if coded && fields[i].Type.ID() == arrow.STRING {
			fields[i].Type = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
		}
	}
	b := array.NewRecordBuilder(mem, arrow.NewSchema(fields, nil))
	defer b.Release()
	before := min(from, 9)
	for _, row := range u.values[from-before : min(to+3, len(u.values))] {
		for i, v := range row {
			addTo(b.Field(i), v)
		}
	}
	whole := b.NewRecordBatch()
	defer whole.Release()
	return whole.NewSlice(int64(before), int64(before+to-from))
}

// stringsOnly lets a dictionary builder take what a string builder takes.
type stringsOnly struct{ *array.BinaryDictionaryBuilder }

func (s stringsOnly) Append(v string) { _ = s.AppendString(v) }

func addTo(b array.Builder, v value) {
	if v.add == nil {
		b.AppendNull()
		return
	}
	if d, ok := b.(*array.BinaryDictionaryBuilder); ok {
		b = stringsOnly{d}
	}
	v.add(b)
}

// write writes the chosen rows in blocks of random size and form.
func (u users) write(t *rapid.T, e audience.Encoder, chosen []int32) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for from := 0; from < len(u.values); {
		to := min(len(u.values), from+rapid.IntRange(1, 20).Draw(t, "block"))
		b := audience.Block{
			Batch:       u.batch(mem, from, to, rapid.Bool().Draw(t, "coded")),
			Hundredths:  u.block.Hundredths[from:to],
			Probability: u.block.Probability[from:to],
			Category:    u.block.Category[from:to],
		}
		var rows []int32
		for _, r := range chosen {
			if int(r) >= from && int(r) < to {
				rows = append(rows, r-int32(from))
			}
		}
		if err := e.Write(&b, rows); err != nil {
			t.Fatal(err)
		}
		b.Batch.Release()
		from = to
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e.Rows() != int64(len(chosen)) {
		t.Fatalf("Rows() = %d after %d rows", e.Rows(), len(chosen))
	}
}

// drawRows chooses rows in ascending order.
func (u users) drawRows(t *rapid.T) []int32 {
	var rows []int32
	for i := range u.values {
		if rapid.IntRange(0, 4).Draw(t, "chosen") > 0 {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

var (
	categories = []string{"high", "medium", "low"}
	night, _   = date.Parse("2026-11-22")
)

// layout writes everything there is.
func (u users) layout() audience.Layout {
	var passthrough []string
	for _, f := range u.schema.Fields()[1:] {
		passthrough = append(passthrough, f.Name)
	}
	return audience.Layout{ID: "c0", Categories: categories, Date: night, Columns: audience.ScoresColumns("c0", passthrough)}
}

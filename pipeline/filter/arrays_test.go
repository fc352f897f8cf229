package filter_test

import (
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/filter"
)

// columnTypes are the Arrow types of each kind; the first is the one to bind to.
var columnTypes = map[filter.Kind][]arrow.DataType{
	filter.Bool: {arrow.FixedWidthTypes.Boolean},
	filter.Int: {
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	},
	filter.Double: {
		arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32, arrow.FixedWidthTypes.Float16,
		&arrow.Decimal128Type{Precision: 38, Scale: 18}, &arrow.Decimal128Type{Precision: 9, Scale: 2},
		&arrow.Decimal256Type{Precision: 76, Scale: 40}, &arrow.Decimal256Type{Precision: 76, Scale: -3},
	},
	filter.String: {arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString},
	filter.Timestamp: {
		arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Timestamp_s, arrow.FixedWidthTypes.Timestamp_ms,
		arrow.FixedWidthTypes.Timestamp_ns, &arrow.TimestampType{Unit: arrow.Microsecond}, arrow.FixedWidthTypes.Date32,
		&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Tokyo"}, arrow.FixedWidthTypes.Date64,
	},
}

var indexTypes = []arrow.DataType{
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

var (
	edgeInts    = []int64{0, 1, -1, 2, 3, 7, -7, 100, math.MinInt64, math.MaxInt64, 1 << 53, 1<<53 + 1, -1<<53 - 1, math.MinInt64 + 1, 3037000500}
	edgeDoubles = []float64{
		0, math.Copysign(0, -1), 1, -1, 1.5, 2, -7, 100, 1e308, -1e308, 5e-324,
		1 << 53, -1<<53 - 2, 1 << 63, -1 << 63, 9.3e18, -9.3e18,
	}
	edgeTexts = []string{"", "a", "ab", "abc", "b", "bab", "FR", "élan", "日本", "a\x00b", "\U0001F600", " a", "A"}
	badTexts  = []string{"\xff", "a\xc3", "\xed\xa0\x80b", "ab\xff"}
	edgeTimes = []time.Time{
		time.Unix(0, 0), time.Unix(-1, 999999999), time.Unix(1700000000, 123456789), time.Unix(1700000000, 123456000),
		time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 21, 23, 59, 59, 999999999, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Unix(9223372036, 854775807), time.Unix(-9223372037, 145224192), time.Unix(-9223372037, 500000000), time.Date(1600, 2, 29, 1, 2, 3, 4, time.UTC),
	}
)

func anInt(r *rand.Rand) int64 {
	switch r.IntN(4) {
	case 0, 1:
		return pick(r, edgeInts)
	case 2:
		return int64(r.Uint64()) >> r.IntN(64)
	}
	return r.Int64N(9) - 4
}

func aDouble(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		return pick(r, edgeDoubles)
	case 1:
		return float64(anInt(r))
	case 2:
		return float64(r.Int64N(17)-8) / 2
	}
	return r.NormFloat64() * 100
}

func aTime(r *rand.Rand) time.Time {
	switch r.IntN(4) {
	case 0:
		return pick(r, edgeTimes)
	case 1: // far beyond the years of CEL, as far as time.Time is exact
		return time.Unix((r.Int64()-1<<62)>>r.IntN(40), r.Int64N(1e9))
	case 2:
		return time.Unix(r.Int64N(4e10)-2e10, r.Int64N(1e9))
	}
	return time.Unix(1700000000+r.Int64N(5), r.Int64N(3)*500_000_000)
}

// randomArray makes an array with nulls.
func randomArray(r *rand.Rand, mem memory.Allocator, dt arrow.DataType, rows, nullsInTen int) arrow.Array {
	b := array.NewBuilder(mem, dt)
	defer b.Release()
	for range rows {
		if r.IntN(10) < nullsInTen {
			b.AppendNull()
		} else {
			appendValue(r, b)
		}
	}
	return b.NewArray()
}

func appendValue(r *rand.Rand, b array.Builder) {
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}
	double := aDouble(r)
	if r.IntN(8) == 0 {
		double = pick(r, special)
	}
	text := pick(r, edgeTexts)
	if r.IntN(8) == 0 {
		text = pick(r, badTexts)
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(r.IntN(2) == 0)
	case *array.Float64Builder:
		b.Append(double)
	case *array.Float32Builder:
		b.Append(float32(double))
	case *array.Float16Builder:
		b.Append(float16.New(float32(double)))
	case *array.Decimal128Builder:
		b.Append(decimal128.New(int64(r.Uint64())>>r.IntN(64), r.Uint64()>>r.IntN(64)))
	case *array.Decimal256Builder:
		b.Append(decimal256.FromDecimal128(decimal128.New(int64(r.Uint64())>>r.IntN(64), r.Uint64())).Mul(decimal256.FromI64(anInt(r))))
	case *array.StringBuilder:
		b.Append(text)
	case *array.LargeStringBuilder:
		b.Append(text)
	case *array.Date32Builder:
		b.Append(arrow.Date32(aTime(r).Unix() / 86400))
	case *array.Date64Builder:
		b.Append(arrow.Date64(aTime(r).Unix() % 1e14 / 86400 * 86400000))
	case *array.TimestampBuilder:
		b.Append(aCount(r, b.Type().(*arrow.TimestampType).Unit))
	default:
		appendInt(b, anInt(r))
	}
}

// aCount gives a timestamp in the unit; far ones are any number.
func aCount(r *rand.Rand, unit arrow.TimeUnit) arrow.Timestamp {
	t := aTime(r)
	perSecond := int64(arrow.Second.Multiplier() / unit.Multiplier())
	if seconds := t.Unix(); seconds < math.MaxInt64/perSecond-1 && seconds > math.MinInt64/perSecond {
		return arrow.Timestamp(seconds*perSecond + int64(t.Nanosecond())/(1e9/perSecond))
	}
	return arrow.Timestamp(anInt(r))
}

func appendInt(b array.Builder, n int64) {
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(n))
	case *array.Int16Builder:
		b.Append(int16(n))
	case *array.Int32Builder:
		b.Append(int32(n))
	case *array.Int64Builder:
		b.Append(n)
	case *array.Uint8Builder:
		b.Append(uint8(n))
	case *array.Uint16Builder:
		b.Append(uint16(n))
	case *array.Uint32Builder:
		b.Append(uint32(n))
	case *array.Uint64Builder:
		b.Append(uint64(n))
	}
}

// randomDictionary makes a dictionary array of a type; the dictionary has nulls
// too, and may be longer than the array.
func randomDictionary(r *rand.Rand, mem memory.Allocator, dt arrow.DataType, rows int) arrow.Array {
	values := randomArray(r, mem, dt, pick(r, []int{1, 5, 20, 100}), pick(r, []int{0, 2}))
	defer values.Release()
	indexType := pick(r, indexTypes)
	b := array.NewBuilder(mem, indexType)
	defer b.Release()
	for range rows {
		if r.IntN(6) == 0 {
			b.AppendNull()
		} else {
			appendInt(b, r.Int64N(int64(values.Len())))
		}
	}
	indices := b.NewArray()
	defer indices.Release()
	return array.NewDictionaryArray(&arrow.DictionaryType{IndexType: indexType, ValueType: dt}, indices, values)
}

// randomBatch makes a batch of the columns in any order, sliced out of a longer one. The caller releases it.
func randomBatch(r *rand.Rand, mem memory.Allocator, columns map[string]filter.Kind, rows int) arrow.RecordBatch {
	from := r.IntN(20)
	total := from + rows + r.IntN(10)
	var fields []arrow.Field
	var arrays []arrow.Array
	add := func(name string, a arrow.Array) {
		fields, arrays = append(fields, arrow.Field{Name: name, Type: a.DataType(), Nullable: true}), append(arrays, a)
	}
	names := slices.Sorted(maps.Keys(columns))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		dt := columnTypes[columns[name]][0]
		if r.IntN(2) == 0 {
			dt = pick(r, columnTypes[columns[name]])
		}
		if r.IntN(3) == 0 {
			add(name, randomDictionary(r, mem, dt, total))
		} else {
			add(name, randomArray(r, mem, dt, total, pick(r, []int{0, 1, 3, 10})))
		}
	}
	whole := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(total))
	for _, a := range arrays {
		a.Release()
	}
	defer whole.Release()
	return whole.NewSlice(int64(from), int64(from+rows))
}

// valueAt gives what CEL is to see in a row, nil for unknown.
func valueAt(a arrow.Array, row int) ref.Val {
	if a.IsNull(row) {
		return nil
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return valueAt(a.Dictionary(), a.GetValueIndex(row))
	case *array.Boolean:
		return types.Bool(a.Value(row))
	case *array.Float64:
		return types.Double(a.Value(row))
	case *array.Float32:
		return types.Double(a.Value(row))
	case *array.Float16:
		return types.Double(a.Value(row).Float32())
	case *array.Decimal128:
		return ratio(a.Value(row).BigInt(), a.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Decimal256:
		return ratio(a.Value(row).BigInt(), a.DataType().(*arrow.Decimal256Type).Scale)
	case *array.String:
		return types.String(a.Value(row))
	case *array.LargeString:
		return types.String(a.Value(row))
	case *array.Date32:
		return types.Timestamp{Time: time.Unix(int64(a.Value(row))*86400, 0).UTC()}
	case *array.Date64:
		return timeOf(int64(a.Value(row)), 1000)
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		return timeOf(int64(a.Value(row)), int64(arrow.Second.Multiplier()/unit.Multiplier()))
	}
	return intAt(a, row)
}

func intAt(a arrow.Array, row int) ref.Val {
	switch a := a.(type) {
	case *array.Int8:
		return types.Int(a.Value(row))
	case *array.Int16:
		return types.Int(a.Value(row))
	case *array.Int32:
		return types.Int(a.Value(row))
	case *array.Int64:
		return types.Int(a.Value(row))
	case *array.Uint8:
		return types.Int(a.Value(row))
	case *array.Uint16:
		return types.Int(a.Value(row))
	case *array.Uint32:
		return types.Int(a.Value(row))
	case *array.Uint64:
		if n := a.Value(row); n <= math.MaxInt64 {
			return types.Int(n)
		}
	}
	return nil
}

func ratio(n *big.Int, scale int32) ref.Val {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil)
	x := new(big.Rat).SetFrac(n, power)
	if scale < 0 {
		x.SetInt(power.Mul(power, n))
	}
	f, _ := x.Float64()
	return types.Double(f)
}

// timeOf gives the instant of a count of a unit of which so many are a second.
func timeOf(n, perSecond int64) ref.Val {
	seconds, rest := n/perSecond, n%perSecond
	return types.Timestamp{Time: time.Unix(seconds, rest*(1e9/perSecond)).UTC()}
}

package snapshot

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// odd is a file of one row with columns that cannot be read, and one that can.
func odd(t *testing.T) []byte {
	fields := []arrow.Field{
		{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
		{Name: "struct", Type: arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String})},
		{Name: "map", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64)},
		{Name: "fixed", Type: &arrow.FixedSizeBinaryType{ByteWidth: 5}},
		{Name: "uuid", Type: extensions.NewUUIDType()},
		{Name: "time", Type: arrow.FixedWidthTypes.Time32ms},
		{Name: "null", Type: arrow.Null, Nullable: true},
		{Name: "twice", Type: arrow.PrimitiveTypes.Int32},
		{Name: "twice", Type: arrow.PrimitiveTypes.Int32},
		{Name: "twice", Type: arrow.PrimitiveTypes.Int32},
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	}
	columns := make([]arrow.Array, len(fields))
	for i, f := range fields {
		b := array.NewBuilder(memory.DefaultAllocator, f.Type)
		if f.Nullable {
			b.AppendNull()
		} else {
			b.AppendEmptyValue()
		}
		columns[i] = b.NewArray()
	}
	return uncompressed.write(t, array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, 1))
}

func TestUnreadableColumns(t *testing.T) {
	f := openBytes(t, odd(t))
	if got := columnNames(f); len(got) != 1 || got[0] != "id" {
		t.Errorf("readable columns %q, want id alone", got)
	}
	for name, want := range map[string]string{
		"list": "nested", "struct": "nested", "map": "nested", "uuid": "UUID in FIXED_LEN_BYTE_ARRAY of 16 bytes",
		"fixed": "FIXED_LEN_BYTE_ARRAY of 5 bytes", "time": "TIME in INT32", "null": "NULL", "twice": "more than once",
	} {
		_, err := f.Read(context.Background(), 0, 1, []string{"id", name})
		mustFail(t, err, ErrSchema, want)
		mustFail(t, err, ErrSchema, `column "`+name+`"`)
		if why := f.Unreadable(name); !strings.Contains(why, want) || name != "twice" && !strings.Contains(why, "accepted are") {
			t.Errorf("Unreadable(%q) = %q, want it to say %q and what is accepted", name, why, want)
		}
	}
	if f.Unreadable("id") != "" || f.Unreadable("nobody") != "" {
		t.Errorf("Unreadable of a readable or absent column says %q, %q", f.Unreadable("id"), f.Unreadable("nobody"))
	}
	if err := eachBatch(f, []string{"id"}, func(arrow.RecordBatch) {}); err != nil {
		t.Errorf("a readable column next to unreadable ones: %v", err)
	}
}

// What a column holds, from its physical type (INT32 or BYTE_ARRAY) and a converted
// type of parquet.thrift alone, as writers of old leave it.
func TestConvertedTypes(t *testing.T) {
	ints := map[int]arrow.DataType{
		6: arrow.FixedWidthTypes.Date32, 11: arrow.PrimitiveTypes.Uint8, 12: arrow.PrimitiveTypes.Uint16, 13: arrow.PrimitiveTypes.Uint32,
		15: arrow.PrimitiveTypes.Int8, 16: arrow.PrimitiveTypes.Int16, 17: arrow.PrimitiveTypes.Int32,
		5: &arrow.Decimal128Type{Precision: 9, Scale: 2},
	}
	longs := map[int]arrow.DataType{
		9: arrow.FixedWidthTypes.Timestamp_ms, 10: arrow.FixedWidthTypes.Timestamp_us,
		14: arrow.PrimitiveTypes.Uint64, 18: arrow.PrimitiveTypes.Int64, 5: &arrow.Decimal128Type{Precision: 9, Scale: 2},
	}
	texts := map[int]arrow.DataType{
		0: arrow.BinaryTypes.String, 4: arrow.BinaryTypes.String, 19: arrow.BinaryTypes.String,
		5: &arrow.Decimal128Type{Precision: 9, Scale: 2},
	}
	for physical, c := range map[string]struct {
		column arrow.Array
		types  map[int]arrow.DataType
	}{
		"INT32": {oneOf(arrow.PrimitiveTypes.Int32), ints}, "INT64": {oneOf(arrow.PrimitiveTypes.Int64), longs},
		"BYTE_ARRAY": {oneOf(arrow.BinaryTypes.Binary), texts},
	} {
		data := oneColumn(t, "c", c.column, false, uncompressed)
		for converted := range 23 {
			f := openBytes(t, withConverted(t, data, converted))
			want := c.types[converted]
			switch {
			case want == nil && f.Unreadable("c") == "":
				t.Errorf("%s with converted type %d is readable as %s", physical, converted, f.Schema())
			case want != nil && (f.Schema().NumFields() != 1 || !arrow.TypeEqual(f.Schema().Field(0).Type, want)):
				t.Errorf("%s with converted type %d: schema %s (%s), want %s", physical, converted, f.Schema(), f.Unreadable("c"), want)
			}
		}
	}
}

func oneOf(t arrow.DataType) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, t)
	b.AppendEmptyValue()
	return b.NewArray()
}

// withConverted gives the column a converted type in place of its annotation.
func withConverted(t *testing.T, data []byte, converted int) []byte {
	return withFooter(t, data, func(m *metadata.FileMetaData) {
		e := m.FileMetaData.Schema[1]
		e.LogicalType, e.Precision, e.Scale = nil, of(int32(9)), of(int32(2))
		e.ConvertedType = of(enum(e.GetConvertedType(), converted))
	})
}

// enum gives the value of an enumeration whose type cannot be named here.
func enum[T ~int64](_ T, v int) T { return T(v) }

func TestImpossibleDecimals(t *testing.T) {
	data := oneColumn(t, "c", oneOf(arrow.PrimitiveTypes.Int64), false, uncompressed)
	for _, d := range [][2]int32{{0, 0}, {-1, 0}, {77, 0}, {9, 10}, {9, -1}} {
		f := openBytes(t, withFooter(t, data, func(m *metadata.FileMetaData) {
			e := m.FileMetaData.Schema[1]
			e.LogicalType, e.Precision, e.Scale = nil, &d[0], &d[1]
			e.ConvertedType = of(enum(e.GetConvertedType(), 5))
		}))
		if f.Unreadable("c") == "" {
			t.Errorf("DECIMAL(%d,%d) is readable", d[0], d[1])
		}
	}
}

func TestUnsuitableAnnotations(t *testing.T) {
	fixed := array.NewBuilder(memory.DefaultAllocator, &arrow.FixedSizeBinaryType{ByteWidth: 40})
	fixed.AppendEmptyValue()
	for name, data := range map[string][]byte{
		"decimal in a double":   withConverted(t, oneColumn(t, "c", oneOf(arrow.PrimitiveTypes.Float64), false, uncompressed), 5),
		"decimal in 40 bytes":   withConverted(t, oneColumn(t, "c", fixed.NewArray(), false, uncompressed), 5),
		"text in an int":        withConverted(t, oneColumn(t, "c", oneOf(arrow.PrimitiveTypes.Int32), false, uncompressed), 0),
		"annotation to come":    withConverted(t, oneColumn(t, "c", oneOf(arrow.PrimitiveTypes.Int32), false, uncompressed), 99),
		"bits of an impossible": withBits(t, oneColumn(t, "c", oneOf(arrow.PrimitiveTypes.Uint8), false, uncompressed)),
	} {
		if f := openBytes(t, data); !strings.Contains(f.Unreadable("c"), "accepted are") {
			t.Errorf("%s: readable as %s (%q)", name, f.Schema(), f.Unreadable("c"))
		}
	}
}

func withBits(t *testing.T, data []byte) []byte {
	return withFooter(t, data, func(m *metadata.FileMetaData) { m.FileMetaData.Schema[1].LogicalType.INTEGER.BitWidth = 24 })
}

func TestTimestampOfUnknownUnit(t *testing.T) {
	e := element{physical: parquet.Types.Int64, typed: true, annotation: annotation{kind: meansTimestamp, unit: 4}}
	if kind, found := e.arrowType(); kind != nil || found != "TIMESTAMP in INT64" {
		t.Errorf("readable as %v (%q)", kind, found)
	}
}

func TestColumnsWithoutAnnotation(t *testing.T) {
	for _, want := range []arrow.DataType{
		arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		arrow.FixedWidthTypes.Boolean, arrow.BinaryTypes.String,
	} {
		f := openBytes(t, withFooter(t, oneColumn(t, "c", oneOf(want), false, uncompressed), func(m *metadata.FileMetaData) {
			m.FileMetaData.Schema[1].LogicalType, m.FileMetaData.Schema[1].ConvertedType = nil, nil
		}))
		if f.Unreadable("c") != "" || !arrow.TypeEqual(f.Schema().Field(0).Type, want) {
			t.Errorf("%s without annotation is %s (%s)", want, f.Schema(), f.Unreadable("c"))
		}
	}
}

// Timestamps as Spark wrote them for long.
func TestInt96LikePqarrow(t *testing.T) {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"})
	for i := range 1000 {
		b.Append(arrow.Timestamp(int64(i-500) * 1_000_000_007_000_003))
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "at", Type: b.Type()}}, nil)
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, nil, pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(true)))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, 1000)), w.Close()); err != nil {
		t.Fatal(err)
	}
	if f := openBytes(t, out.Bytes()); f.leaves["at"].physical != parquet.Types.Int96 {
		t.Fatal("pqarrow did not write INT96")
	}
	checkLikePeer(t, out.Bytes(), 1000)
}

func TestColumnsOutOfReach(t *testing.T) {
	data := numbers(t, 10, uncompressed)
	for want, change := range map[string]func(*metadata.FileMetaData){
		"lie in another file": func(m *metadata.FileMetaData) { m.SetFilePath("other.parquet") },
		"repeated":            func(m *metadata.FileMetaData) { *m.FileMetaData.Schema[1].RepetitionType = 2 },
	} {
		f := openBytes(t, withFooter(t, data, change))
		if why := f.Unreadable("n"); !strings.Contains(why, want) {
			t.Errorf("Unreadable = %q, want it to say %q", why, want)
		}
	}
}

func TestEncryptedColumns(t *testing.T) {
	key := strings.Repeat("k", 16)
	write := func(options ...parquet.EncryptOption) []byte {
		var out bytes.Buffer
		schema := arrow.NewSchema([]arrow.Field{{Name: "open", Type: arrow.PrimitiveTypes.Int32}, {Name: "secret", Type: arrow.PrimitiveTypes.Int32}}, nil)
		properties := parquet.NewWriterProperties(parquet.WithEncryptionProperties(parquet.NewFileEncryptionProperties(key, options...)))
		w, err := pqarrow.NewFileWriter(schema, &out, properties, pqarrow.DefaultWriterProps())
		if err != nil {
			t.Fatal(err)
		}
		one := oneOf(arrow.PrimitiveTypes.Int32)
		if err := errors.Join(w.Write(array.NewRecordBatch(schema, []arrow.Array{one, one}, 1)), w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	_, err := openWith(write(), DefaultLimits())
	mustFail(t, err, ErrDamaged, "encrypted Parquet")

	secret := parquet.NewColumnEncryptionProperties("secret", parquet.WithKey(key))
	f := openBytes(t, write(parquet.WithPlaintextFooter(), parquet.WithEncryptedColumns(parquet.ColumnPathToEncryptionPropsMap{"secret": secret})))
	if why := f.Unreadable("secret"); !strings.Contains(why, "encrypted values") {
		t.Errorf("Unreadable = %q, want it to say that the values are encrypted", why)
	}
	if err := eachBatch(f, []string{"open"}, func(arrow.RecordBatch) {}); err != nil {
		t.Errorf("the open column: %v", err)
	}
}

package snapshot

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
)

// leaf is a flat column that can be read.
type leaf struct {
	name     string
	chunk    int // its place among the chunks of a row group
	physical parquet.Type
	length   int // of a fixed-length value
	optional bool
	kind     arrow.DataType
}

// like says whether columns of both are read alike, wherever their chunks are. Those of
// another name would be too, but need more memory or less.
func (l leaf) like(o leaf) bool {
	return l.name == o.name && l.physical == o.physical && l.length == o.length && l.optional == o.optional && arrow.TypeEqual(l.kind, o.kind)
}

const readable = "accepted are flat columns of integers, floats, decimals, booleans, dates, timestamps and text"

// readSchema sorts the top-level columns into readable and not, and gives the
// number of all leaves, nested ones included.
func (f *File) readSchema(elements []element) (leaves int, err error) {
	f.leaves, f.unreadable = map[string]leaf{}, map[string]string{}
	if len(elements) < 2 {
		return 0, errors.New("found no columns")
	}
	var order []string
	for at := 1; at < len(elements); {
		e := elements[at]
		size, inside, err := subtree(elements[at:])
		if err != nil {
			return 0, err
		}
		order = append(order, e.name)
		f.addColumn(e, leaves)
		at += size
		leaves += inside
	}
	if len(order) != int(elements[0].children) {
		return 0, fmt.Errorf("found %d columns, expected the %d of its root", len(order), elements[0].children)
	}
	if leaves > f.limits.Columns {
		return 0, fmt.Errorf("found %d columns, more than the limit of %d", leaves, f.limits.Columns)
	}
	f.schema = f.arrowSchema(order)
	return leaves, nil
}

// subtree measures the tree at the start of elements: its elements and leaves.
func subtree(elements []element) (size, leaves int, err error) {
	for pending := int64(1); pending > 0; pending-- {
		if size == len(elements) {
			return 0, 0, errors.New("found fewer elements than it declares")
		}
		e := elements[size]
		if e.children < 0 || e.typed != (e.children == 0) {
			return 0, 0, fmt.Errorf("element %q has %d children, expected a type or children", e.name, e.children)
		}
		if e.typed {
			leaves++
		}
		pending += int64(e.children)
		size++
	}
	return size, leaves, nil
}

func (f *File) addColumn(e element, chunk int) {
	_, twice := f.leaves[e.name]
	if _, ok := f.unreadable[e.name]; ok || twice {
		delete(f.leaves, e.name)
		f.unreadable[e.name] = "appears more than once; column names must differ"
		return
	}
	kind, found := e.arrowType()
	if found == "" {
		found = f.keptFrom(chunk)
	}
	if found != "" {
		f.unreadable[e.name] = "found " + found + "; " + readable
		return
	}
	f.leaves[e.name] = leaf{
		name: e.name, chunk: chunk, physical: e.physical, length: int(e.length),
		optional: e.repetition == parquet.Repetitions.Optional, kind: kind,
	}
}

// keptFrom says why the values of a column are out of reach, or "".
func (f *File) keptFrom(chunk int) string {
	for _, g := range f.groups {
		switch {
		case chunk >= len(g.chunks):
			return ""
		case g.chunks[chunk].encrypted:
			return "encrypted values"
		case g.chunks[chunk].elsewhere:
			return "values that lie in another file"
		}
	}
	return ""
}

func (f *File) arrowSchema(order []string) *arrow.Schema {
	var fields []arrow.Field
	for _, name := range order {
		if l, ok := f.leaves[name]; ok {
			fields = append(fields, l.field(l.kind))
		}
	}
	return arrow.NewSchema(fields, nil)
}

// field describes the column with values of the given type.
func (l leaf) field(t arrow.DataType) arrow.Field {
	return arrow.Field{Name: l.name, Type: t, Nullable: l.optional}
}

// arrowType gives the Arrow type of a column, or what was found instead of a
// readable one.
func (e element) arrowType() (t arrow.DataType, found string) {
	switch {
	case e.children > 0:
		return nil, "a nested column"
	case e.repetition == parquet.Repetitions.Repeated:
		return nil, "a repeated column"
	case e.annotation.kind == noMeaning:
		t = e.plainType()
	default:
		t = e.annotatedType()
	}
	if t == nil {
		return nil, e.describe()
	}
	return t, ""
}

// plainType is the type of a column without annotation. Old writers leave text
// unannotated, so BYTE_ARRAY is text.
func (e element) plainType() arrow.DataType {
	switch e.physical {
	case parquet.Types.Boolean:
		return arrow.FixedWidthTypes.Boolean
	case parquet.Types.Int32:
		return arrow.PrimitiveTypes.Int32
	case parquet.Types.Int64:
		return arrow.PrimitiveTypes.Int64
	case parquet.Types.Int96:
		return arrow.FixedWidthTypes.Timestamp_ns
	case parquet.Types.Float:
		return arrow.PrimitiveTypes.Float32
	case parquet.Types.Double:
		return arrow.PrimitiveTypes.Float64
	case parquet.Types.ByteArray:
		return arrow.BinaryTypes.String
	}
	return nil
}

// annotatedType is the type of a column with an annotation that suits its
// physical type, else nil.
func (e element) annotatedType() arrow.DataType {
	a, p := e.annotation, e.physical
	switch a.kind {
	case meansString, meansEnum, meansJSON:
		if p == parquet.Types.ByteArray {
			return arrow.BinaryTypes.String
		}
	case meansDate:
		if p == parquet.Types.Int32 {
			return arrow.FixedWidthTypes.Date32
		}
	case meansFloat16:
		if p == parquet.Types.FixedLenByteArray && e.length == 2 {
			return arrow.PrimitiveTypes.Float32
		}
	case meansTimestamp:
		if p == parquet.Types.Int64 {
			return a.timestamp()
		}
	case meansInteger:
		return a.integer(p)
	case meansDecimal:
		return e.decimal()
	}
	return nil
}

func (a annotation) timestamp() arrow.DataType {
	zone := ""
	if a.utc {
		zone = "UTC"
	}
	switch a.unit {
	case unitMillis:
		return &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: zone}
	case unitMicros:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone}
	case unitNanos:
		return &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: zone}
	}
	return nil
}

func (a annotation) integer(p parquet.Type) arrow.DataType {
	signed := map[int64]arrow.DataType{8: arrow.PrimitiveTypes.Int8, 16: arrow.PrimitiveTypes.Int16, 32: arrow.PrimitiveTypes.Int32, 64: arrow.PrimitiveTypes.Int64}
	unsigned := map[int64]arrow.DataType{8: arrow.PrimitiveTypes.Uint8, 16: arrow.PrimitiveTypes.Uint16, 32: arrow.PrimitiveTypes.Uint32, 64: arrow.PrimitiveTypes.Uint64}
	if p == parquet.Types.Int64 != (a.bits == 64) || p != parquet.Types.Int64 && p != parquet.Types.Int32 {
		return nil
	}
	if a.signed {
		return signed[a.bits]
	}
	return unsigned[a.bits]
}

const (
	precision128 = 38 // digits that every decimal128 holds
	precision256 = 76
	bytes256     = 32
)

func (e element) decimal() arrow.DataType {
	a := e.annotation
	switch e.physical {
	case parquet.Types.Int32, parquet.Types.Int64, parquet.Types.ByteArray:
	case parquet.Types.FixedLenByteArray:
		if e.length < 1 || e.length > bytes256 {
			return nil
		}
	default:
		return nil
	}
	switch {
	case a.precision < 1 || a.scale < 0 || a.scale > a.precision || a.precision > precision256:
		return nil
	case a.precision > precision128:
		return &arrow.Decimal256Type{Precision: a.precision, Scale: a.scale}
	}
	return &arrow.Decimal128Type{Precision: a.precision, Scale: a.scale}
}

// describe names the type of a column that cannot be read.
func (e element) describe() string {
	physical := e.physical.String()
	if e.physical == parquet.Types.FixedLenByteArray {
		physical = fmt.Sprintf("%s of %d bytes", physical, e.length)
	}
	switch a := e.annotation; a.kind {
	case noMeaning:
		return physical
	case meansDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d) in %s", a.precision, a.scale, physical)
	case meansInteger:
		return fmt.Sprintf("INTEGER of %d bits in %s", a.bits, physical)
	default:
		return fmt.Sprintf("%s in %s", a.kind, physical)
	}
}

package snapshot

// annotation says what the physical values of a column mean.
type annotation struct {
	kind      meaning
	precision int32
	scale     int32
	bits      int64
	signed    bool
	utc       bool
	unit      int64 // of a timestamp: unitMillis, unitMicros, unitNanos
}

// meaning is the number of a LogicalType's field in parquet.thrift.
type meaning int64

const (
	noMeaning        meaning = 0
	meansString      meaning = 1
	meansMap         meaning = 2
	meansList        meaning = 3
	meansEnum        meaning = 4
	meansDecimal     meaning = 5
	meansDate        meaning = 6
	meansTime        meaning = 7
	meansTimestamp   meaning = 8
	meansInteger     meaning = 10
	meansNull        meaning = 11
	meansJSON        meaning = 12
	meansBSON        meaning = 13
	meansUUID        meaning = 14
	meansFloat16     meaning = 15
	meansVariant     meaning = 16
	meansGeometry    meaning = 17
	meansGeography   meaning = 18
	meansInterval    meaning = -1 // has a converted type only
	unknownConverted meaning = -2
)

const (
	unitMillis = 1
	unitMicros = 2
	unitNanos  = 3
)

// readAnnotation reads a LogicalType: a union, so a struct with one field.
func readAnnotation(c *compact, kind byte) annotation {
	var a annotation
	if kind != kindStruct {
		c.unexpected("an annotation", kind)
	}
	c.fields(func(id int64, kind byte) bool {
		a.kind = meaning(id)
		if kind != kindStruct {
			return false
		}
		c.fields(func(id int64, kind byte) bool { return a.readField(c, id, kind) })
		return true
	})
	return a
}

func (a *annotation) readField(c *compact, id int64, kind byte) bool {
	switch {
	case a.kind == meansDecimal && id == 1:
		a.scale = c.int32(kind)
	case a.kind == meansDecimal && id == 2:
		a.precision = c.int32(kind)
	case a.kind == meansTimestamp && id == 1:
		a.utc = c.bool(kind)
	case a.kind == meansTimestamp && id == 2 && kind == kindStruct:
		c.fields(func(id int64, _ byte) bool { a.unit = id; return false })
	case a.kind == meansInteger && id == 1:
		a.bits = c.int(kind)
	case a.kind == meansInteger && id == 2:
		a.signed = c.bool(kind)
	default:
		return false
	}
	return true
}

// converted gives the annotation of a ConvertedType, the older way to say the same.
// A decimal keeps the precision and scale of a.
func (a annotation) converted(t int32) annotation {
	switch t {
	case 0:
		return annotation{kind: meansString}
	case 1, 2:
		return annotation{kind: meansMap}
	case 3:
		return annotation{kind: meansList}
	case 4:
		return annotation{kind: meansEnum}
	case 5:
		a.kind = meansDecimal
		return a
	case 6:
		return annotation{kind: meansDate}
	case 7, 8:
		return annotation{kind: meansTime}
	case 9:
		return annotation{kind: meansTimestamp, utc: true, unit: unitMillis}
	case 10:
		return annotation{kind: meansTimestamp, utc: true, unit: unitMicros}
	case 11, 12, 13, 14:
		return annotation{kind: meansInteger, bits: 8 << (t - 11)}
	case 15, 16, 17, 18:
		return annotation{kind: meansInteger, bits: 8 << (t - 15), signed: true}
	case 19:
		return annotation{kind: meansJSON}
	case 20:
		return annotation{kind: meansBSON}
	case 21:
		return annotation{kind: meansInterval}
	}
	return annotation{kind: unknownConverted}
}

var meaningNames = map[meaning]string{
	meansString: "STRING", meansMap: "MAP", meansList: "LIST", meansEnum: "ENUM", meansDate: "DATE",
	meansTime: "TIME", meansTimestamp: "TIMESTAMP", meansNull: "NULL", meansJSON: "JSON", meansBSON: "BSON",
	meansUUID: "UUID", meansFloat16: "FLOAT16", meansVariant: "VARIANT", meansGeometry: "GEOMETRY",
	meansGeography: "GEOGRAPHY", meansInterval: "INTERVAL",
}

func (m meaning) String() string {
	if name, ok := meaningNames[m]; ok {
		return name
	}
	return "an unknown annotation"
}

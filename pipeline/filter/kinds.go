package filter

import (
	"cel.dev/cel-go/common/types"
	"github.com/apache/arrow-go/v18/arrow"
)

// Kind is the type of an expression, as CEL has it.
type Kind uint8

// The kinds.
const (
	Bool Kind = iota + 1
	Int
	Double
	String
	Timestamp
	Duration
)

// kinds describes each kind: its name, which is CEL's, and CEL's type.
var kinds = [...]struct {
	name string
	cel  *types.Type
}{
	Bool:      {"bool", types.BoolType},
	Int:       {"int", types.IntType},
	Double:    {"double", types.DoubleType},
	String:    {"string", types.StringType},
	Timestamp: {"timestamp", types.TimestampType},
	Duration:  {"duration", types.DurationType},
}

// String gives CEL's name of the kind, such as "double".
func (k Kind) String() string {
	if k < Bool || int(k) >= len(kinds) {
		return "invalid"
	}
	return kinds[k].name
}

// kindOfType gives the kind of a CEL type, 0 when there is none.
func kindOfType(t *types.Type) Kind {
	for k := Bool; k <= Duration; k++ {
		if kinds[k].cel.IsExactType(t) {
			return k
		}
	}
	return 0
}

// columnTypes says which columns an expression can read.
const columnTypes = "a bool, number, decimal, text, date or timestamp"

// kindOfColumn gives the kind of a column's values, 0 when they cannot be read.
func kindOfColumn(dt arrow.DataType) Kind {
	if dict, ok := dt.(*arrow.DictionaryType); ok {
		dt = dict.ValueType
	}
	switch id := dt.ID(); id {
	case arrow.BOOL:
		return Bool
	case arrow.STRING, arrow.LARGE_STRING:
		return String
	case arrow.DECIMAL128, arrow.DECIMAL256:
		return Double
	case arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return Timestamp
	default:
		switch {
		case arrow.IsInteger(id):
			return Int
		case arrow.IsFloating(id):
			return Double
		}
		return 0
	}
}

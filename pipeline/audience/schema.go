package audience

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// Schema gives the columns that are written for a snapshot: names, plain types,
// and whether they may be null. Every column that is missing, ambiguous or of a
// type that cannot be written is told at once; each is an ErrColumn.
func (l Layout) Schema(snapshot *arrow.Schema) (*arrow.Schema, error) {
	var faults []error
	if len(l.Columns) == 0 {
		faults = append(faults, fmt.Errorf("%w: there is none: list at least one", ErrColumn))
	}
	fields := make([]arrow.Field, 0, len(l.Columns))
	seen := make(map[string]bool)
	for _, c := range l.Columns {
		f, err := l.field(c, snapshot)
		if err == nil && seen[c.Name] {
			err = errors.New("the name is used twice: give each column its own")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%w: %q: %w", ErrColumn, c.Name, err))
		}
		seen[c.Name] = true
		fields = append(fields, f)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return arrow.NewSchema(fields, nil), nil
}

// typeIn gives the type in which a snapshot column is written.
func typeIn(snapshot *arrow.Schema, column string) (arrow.DataType, error) {
	found := snapshot.FieldIndices(column)
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("snapshot column %q does not exist: the snapshot has %s", column, names(snapshot))
	case len(found) > 1:
		return nil, fmt.Errorf("snapshot column %q exists %d times: which one is meant cannot be told", column, len(found))
	}
	t := snapshot.Field(found[0]).Type
	if plain := plainType(t); plain != nil {
		return plain, nil
	}
	return nil, fmt.Errorf("snapshot column %q is %s: want text, a number, a bool, a date or a timestamp", column, t)
}

func names(s *arrow.Schema) string {
	all := make([]string, s.NumFields())
	for i, f := range s.Fields() {
		all[i] = f.Name
	}
	return strings.Join(all, ", ")
}

// plainType gives the type in which t is written, nil when it is not.
func plainType(t arrow.DataType) arrow.DataType {
	switch t.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.UINT8, arrow.UINT16:
		return arrow.PrimitiveTypes.Int32
	case arrow.INT64, arrow.UINT32:
		return arrow.PrimitiveTypes.Int64
	case arrow.UINT64:
		return &arrow.Decimal128Type{Precision: 20}
	case arrow.FLOAT16, arrow.FLOAT32:
		return arrow.PrimitiveTypes.Float32
	case arrow.FLOAT64, arrow.BOOL:
		return t
	case arrow.DATE32, arrow.DATE64:
		return arrow.FixedWidthTypes.Date32
	case arrow.TIMESTAMP:
		return arrow.FixedWidthTypes.Timestamp_us
	case arrow.DECIMAL128, arrow.DECIMAL256:
		return plainDecimal(t.(arrow.DecimalType))
	}
	if isText(t) {
		return arrow.BinaryTypes.String
	}
	return nil
}

func plainDecimal(t arrow.DecimalType) arrow.DataType {
	precision, scale := t.GetPrecision(), t.GetScale()
	if precision < 1 || precision > 38 || scale < 0 || scale > precision {
		return nil
	}
	return &arrow.Decimal128Type{Precision: precision, Scale: scale}
}

// isText says whether arrays of type t hold text that can be written: plain, or
// a dictionary with int32 indices.
func isText(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return d.IndexType.ID() == arrow.INT32 && d.ValueType.ID() == arrow.STRING
	}
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING
}
